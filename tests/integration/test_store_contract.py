"""The table's conditions on the emulator's DynamoDB: the tests of the contract again, with its tables."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from chalicelib.dynamo import DynamoArchive
from chalicelib.dynamo_sweep import DynamoSweepStore

from tests.functional.app import test_store_contract as contract

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def tables(aws: Callable[[str], Any]) -> Iterator[dict[str, str]]:
    """A task table and an archive, with names of their own."""
    names = {table: f"{table}-{uuid.uuid4().hex[:8]}" for table in ("tasks", "archive")}
    with ExitStack() as stack:
        for table, key in (("tasks", "taskId"), ("archive", "archiveId")):
            aws("dynamodb").create_table(
                TableName=names[table],
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}, *contract.PENDING_ATTRIBUTES],
                GlobalSecondaryIndexes=[contract.PENDING_INDEX],
                BillingMode="PAY_PER_REQUEST",
            )
            stack.callback(aws("dynamodb").delete_table, TableName=names[table])
        yield names


@pytest.fixture
def store(aws: Callable[[str], Any], tables: dict[str, str]) -> Iterator[DynamoSweepStore]:
    """The task table, empty after each test."""
    yield DynamoSweepStore(aws("dynamodb"), tables["tasks"])
    for item in aws("dynamodb").scan(TableName=tables["tasks"])["Items"]:
        aws("dynamodb").delete_item(TableName=tables["tasks"], Key={"taskId": item["taskId"]})


# As attributes of this module they are collected here too, and get this module's fixture.
for _name, _test in vars(contract).items():
    if _name.startswith("test_") and "store" in _test.__code__.co_varnames[: _test.__code__.co_argcount]:
        globals()[_name] = _test


def test_archive_of_the_emulator_keeps_the_first(aws: Callable[[str], Any], tables: dict[str, str]) -> None:
    """A letter that is archived again leaves the first as it was."""
    archive = DynamoArchive(aws("dynamodb"), tables["archive"])

    assert [True, False] == [archive.put(contract.LETTER) for _ in range(2)]
