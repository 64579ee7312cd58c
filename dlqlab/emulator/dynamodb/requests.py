"""Request bodies of the single-item operations, as far as the fast path takes them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import Attributes, Make, Value, read

_EXPRESSIONS = frozenset({"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"})
_WRITES = _EXPRESSIONS | {
    "TableName",
    "ReturnValues",
    "ReturnValuesOnConditionCheckFailure",
    "ReturnConsumedCapacity",
    "ReturnItemCollectionMetrics",
}
FIELDS: Mapping[str, frozenset[str]] = {
    "GetItem": frozenset({"TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity"}),
    "PutItem": _WRITES | {"Item"},
    "UpdateItem": _WRITES | {"Key", "UpdateExpression"},
    "DeleteItem": _WRITES | {"Key"},
}
"""Operations and the members of their requests; with any other member moto serves the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request. What is absent is empty or None."""

    table: str
    key: Attributes
    item: dict[str, Value]
    update: str | None
    condition: str | None
    names: Mapping[str, str]
    values: Attributes
    returned: str
    returned_on_failure: bool


def parse(operation: str, body: bytes, make: Make) -> Request:
    """The request.

    Raises:
        UnsupportedError: it has members that the fast path does not take, or is invalid.
    """
    try:
        members = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnsupportedError("not JSON") from error
    if not isinstance(members, dict) or not members.keys() <= FIELDS[operation]:
        raise UnsupportedError("members of the request")
    if members.get("ReturnConsumedCapacity", "NONE") != "NONE":
        raise UnsupportedError("consumed capacity")
    if members.get("ReturnItemCollectionMetrics", "NONE") != "NONE":
        raise UnsupportedError("item collection metrics")
    if not isinstance(members.get("ConsistentRead", False), bool):
        raise UnsupportedError("ConsistentRead")
    returned = _one_of(
        members, "ReturnValues", {"NONE", "ALL_OLD"} | ({"ALL_NEW"} if operation == "UpdateItem" else set())
    )
    on_failure = _one_of(members, "ReturnValuesOnConditionCheckFailure", {"NONE", "ALL_OLD"})
    return Request(
        table=_text(members, "TableName") or "",
        key=_values(members, "Key", make),
        item=_values(members, "Item", make),
        update=_text(members, "UpdateExpression"),
        condition=_text(members, "ConditionExpression"),
        names=_names(members),
        values=_values(members, "ExpressionAttributeValues", make),
        returned=returned,
        returned_on_failure=on_failure == "ALL_OLD",
    )


def _text(members: Mapping[str, Any], name: str) -> str | None:
    text = members.get(name)
    if text is None and name not in members:
        return None
    if not isinstance(text, str) or not text:
        raise UnsupportedError(name)
    return text


def _one_of(members: Mapping[str, Any], name: str, known: Collection[str]) -> str:
    text = _text(members, name) or "NONE"
    if text not in known:
        raise UnsupportedError(f"{name} {text}")
    return text


def _names(members: Mapping[str, Any]) -> Mapping[str, str]:
    names = members.get("ExpressionAttributeNames", {})
    empty = "ExpressionAttributeNames" in members and not names
    if empty or not isinstance(names, dict) or not all(isinstance(name, str) and name for name in names.values()):
        raise UnsupportedError("ExpressionAttributeNames")
    return names


def _values(members: Mapping[str, Any], name: str, make: Make) -> dict[str, Value]:
    values = members.get(name, {})
    if not isinstance(values, dict) or (name in members and not values) or "" in values:
        raise UnsupportedError(name)
    return {key: read(value, make) for key, value in values.items()}
