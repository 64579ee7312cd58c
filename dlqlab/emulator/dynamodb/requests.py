"""Request bodies of the operations that the fast path serves, as far as it takes them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.core import taps
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
"""Operations and the members of their requests; with any other member the full path serves the request."""


_SEARCHES = {"TableName", "ReturnConsumedCapacity", "Limit", "ExpressionAttributeNames", "ExpressionAttributeValues"}
SEARCH_FIELDS: Mapping[str, frozenset[str]] = {
    "Scan": frozenset(_SEARCHES | {"ConsistentRead", "ExclusiveStartKey", "FilterExpression", "ProjectionExpression"}),
    "Query": frozenset(_SEARCHES | {"IndexName", "KeyConditionExpression", "ScanIndexForward"}),
}
"""As FIELDS; a Query is one of an index, from its beginning."""


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
    members = _members(body, FIELDS[operation])
    update = _text(members, "UpdateExpression")
    if "Item" not in members:  # whose key its table tells
        taps.said = body, members.get("TableName"), members.get("Key"), update
    if members.get("ReturnItemCollectionMetrics", "NONE") != "NONE":
        raise UnsupportedError("item collection metrics")
    returned = _one_of(
        members, "ReturnValues", {"NONE", "ALL_OLD"} | ({"ALL_NEW"} if operation == "UpdateItem" else set())
    )
    on_failure = _one_of(members, "ReturnValuesOnConditionCheckFailure", {"NONE", "ALL_OLD"})
    return Request(
        table=_text(members, "TableName") or "",
        key=_values(members, "Key", make),
        item=_values(members, "Item", make),
        update=update,
        condition=_text(members, "ConditionExpression"),
        names=_names(members),
        values=_values(members, "ExpressionAttributeValues", make),
        returned=returned,
        returned_on_failure=on_failure == "ALL_OLD",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A request for many items. What is absent is empty or None."""

    table: str
    index: str | None
    limit: int | None
    start: Attributes | None
    filter: str | None
    key_condition: str | None
    projection: str | None
    names: Mapping[str, str]
    values: Attributes
    forward: bool


def parse_search(operation: str, body: bytes, make: Make) -> SearchRequest:
    """The request.

    Raises:
        UnsupportedError: it has members that the fast path does not take, or is invalid.
    """
    members = _members(body, SEARCH_FIELDS[operation])
    limit = members.get("Limit")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise UnsupportedError("Limit")
    forward = members.get("ScanIndexForward", True)
    if not isinstance(forward, bool):
        raise UnsupportedError("ScanIndexForward")
    index = _text(members, "IndexName")
    if (operation == "Query") != (index is not None):
        raise UnsupportedError("a query of the table itself")
    return SearchRequest(
        table=_text(members, "TableName") or "",
        index=index,
        limit=limit,
        start=_values(members, "ExclusiveStartKey", make) or None,
        filter=_text(members, "FilterExpression"),
        key_condition=_text(members, "KeyConditionExpression"),
        projection=_text(members, "ProjectionExpression"),
        names=_names(members),
        values=_values(members, "ExpressionAttributeValues", make),
        forward=forward,
    )


def _members(body: bytes, known: frozenset[str]) -> dict[str, Any]:
    try:
        members = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnsupportedError("not JSON") from error
    if not isinstance(members, dict) or not members.keys() <= known:
        raise UnsupportedError("members of the request")
    if members.get("ReturnConsumedCapacity", "NONE") != "NONE":
        raise UnsupportedError("consumed capacity")
    if not isinstance(members.get("ConsistentRead", False), bool):
        raise UnsupportedError("ConsistentRead")
    return members


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
