"""A provider that answers as DynamoDB, with tables to try it on."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends

from tests.unit.emulator.dynamodb.side import ACCOUNT_ID, REGION, Side

VALIDATION = "ValidationException"
NOT_FOUND = "ResourceNotFoundException"
FAILED = "ConditionalCheckFailedException"


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: object) -> dict[str, str]:
    return {"N": str(value)}


def new_name() -> str:
    return f"table-{uuid.uuid4().hex}"


def definitions(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def keys(hash_name: str, range_name: str | None = None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_name, "KeyType": "HASH"}]
    return schema if range_name is None else [*schema, {"AttributeName": range_name, "KeyType": "RANGE"}]


def index(name: str, schema: list[dict[str, str]], projection: str = "ALL", *others: str) -> dict[str, Any]:
    """An index's definition."""
    held: dict[str, Any] = {"ProjectionType": projection, **({"NonKeyAttributes": list(others)} if others else {})}
    return {"IndexName": name, "KeySchema": schema, "Projection": held}


class Full(Side):
    """The whole provider: fast path, full path, and moto for tables."""

    def __init__(self, *, fast: bool = True) -> None:
        super().__init__(fast=fast, full=True)

    def make_table(self, **changes: Any) -> str:
        """A table with the keys pk and sk, or with others, and what else is given."""
        name = new_name()
        members: dict[str, Any] = {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": definitions(pk="S", sk="N"),
            "KeySchema": keys("pk", "sk"),
            **changes,
        }
        self.call("CreateTable", TableName=name, **members)
        return name

    def moto_table(self, name: str) -> Any:
        """The table as moto keeps it."""
        return dynamodb_backends[ACCOUNT_ID][REGION].tables[name]

    def statement(self, statement: str, *parameters: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
        """The items that a PartiQL statement answers with."""
        given = {"Parameters": list(parameters)} if parameters else {}
        found: list[dict[str, Any]] = self.call("ExecuteStatement", Statement=statement, **given, **members)["Items"]
        return found


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """Code and message of the error that a call meets."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
