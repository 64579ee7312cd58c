"""BatchGetItem and BatchWriteItem."""

import json
from collections.abc import Mapping
from typing import Any

from dlqlab.emulator.dynamodb.operations.capacity import Consumed, read_units
from dlqlab.emulator.dynamodb.operations.items import item_collection
from dlqlab.emulator.dynamodb.operations.names import PROJECTION
from dlqlab.emulator.dynamodb.operations.requests import Expressions, attributes, compile_request
from dlqlab.emulator.dynamodb.operations.tables import Find, Key, Table
from dlqlab.emulator.dynamodb.operations.writes import Write
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import item_size, write_map

GETS_MAX, WRITES_MAX = 100, 25
ANSWER_MAX = 16 * 1024 * 1024
"""Bytes of a batch's items; what is beyond is not processed ("BatchGetItem", API reference)."""
_DUPLICATES = "Provided list of item keys contains duplicates"


def get(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """BatchGetItem's answer.

    Raises:
        InvalidError: DynamoDB refuses the request.
    """
    asked = members["RequestItems"]
    if not asked:
        raise InvalidError("The requestItems parameter is required for BatchGetItem")
    if sum(len(each["Keys"]) for each in asked.values()) > GETS_MAX:
        raise InvalidError(_too_many_gets(asked))
    plans = [_gets(find, name, each) for name, each in asked.items()]
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    answers: dict[str, list[Any]] = {}
    unprocessed: dict[str, Any] = {}
    size = 0
    for (name, each), (table, keys, expressions) in zip(asked.items(), plans, strict=True):
        found = answers.setdefault(name, [])
        for place, key in enumerate(keys):
            item = table.attributes(key)
            size += item_size(item or {})
            if size > ANSWER_MAX:
                unprocessed[name] = {**each, "Keys": each["Keys"][place:]}
                break
            consumed.add(table, read_units(item_size(item or {}), consistent=bool(each.get("ConsistentRead"))))
            if item is not None:
                found.append(write_map(expressions.projection.of(item) if expressions.projection else item))
    return {"Responses": answers, "UnprocessedKeys": unprocessed, **consumed.all()}


def _too_many_gets(asked: Mapping[str, Any]) -> str:
    for name, each in asked.items():
        if len(each["Keys"]) > GETS_MAX:
            return (
                f"1 validation error detected: Value at 'RequestItems.{name}.member.Keys' failed to satisfy "
                f"constraint: Member must have length less than or equal to {GETS_MAX}"
            )
    return "Too many items requested for the BatchGetItem call"


def _gets(find: Find, name: str, each: Mapping[str, Any]) -> tuple[Table, list[Key], Expressions]:
    expressions = compile_request(each, PROJECTION)
    if not each["Keys"]:
        raise InvalidError(
            f"1 validation error detected: Value '[]' at 'requestItems.{name}.member.keys' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1"
        )
    given = [attributes({"Key": key}, "Key") for key in each["Keys"]]
    table = find(name)
    keys = [table.key_of(key) for key in given]
    if len(set(keys)) < len(keys):
        raise InvalidError(_DUPLICATES)
    return table, keys, expressions


def write(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """BatchWriteItem's answer; the writes have been made.

    Raises:
        InvalidError: DynamoDB refuses the request; nothing has been changed.
    """
    asked = members["RequestItems"]
    if not asked:
        raise InvalidError("The requestItems parameter is required for BatchWriteItem")
    if sum(map(len, asked.values())) > WRITES_MAX:
        raise InvalidError("Too many items requested for the BatchWriteItem call")
    if len(json.dumps(asked)) > ANSWER_MAX:
        raise InvalidError("The total size of the request exceeds 16 MB")
    writes = [_write(find, name, each) for name, requests in asked.items() for each in requests]
    keys = [(write.table.name, write.key) for write in writes]
    if len(set(keys)) < len(keys):
        raise InvalidError(_DUPLICATES)
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    metrics: dict[str, list[Any]] = {}
    for planned in writes:
        change = planned.change()
        consumed.write(change.table, change.old, change.new)
        change.commit()
        collection = item_collection(planned.table, planned.given, members)
        known = metrics.setdefault(planned.table.name, []) if collection else []
        if collection not in known:
            known.append(collection)
    return {
        "UnprocessedItems": {},
        **consumed.all(),
        **({"ItemCollectionMetrics": metrics} if metrics else {}),
    }


def _write(find: Find, name: str, each: Mapping[str, Any]) -> Write:
    if len(each) != 1:
        raise InvalidError(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "datatypes"
            if each
            else "The batch write request list for a table cannot be null or empty"
        )
    action, request = next(iter(each.items()))
    is_put = action == "PutRequest"
    given = attributes(request, "Item" if is_put else "Key")
    table = find(name)
    key = table.key_in(given) if is_put else table.key_of(given)
    if is_put:
        table.check_item(given)
    return Write(
        action="Put" if is_put else "Delete", table=table, key=key, given=given, expressions=Expressions(values={})
    )
