"""GetItem, PutItem, UpdateItem and DeleteItem."""

from collections.abc import Mapping
from typing import Any

from dlqlab.emulator.dynamodb.operations.capacity import Consumed, read_units
from dlqlab.emulator.dynamodb.operations.names import PROJECTION
from dlqlab.emulator.dynamodb.operations.requests import attributes, compile_request
from dlqlab.emulator.dynamodb.operations.tables import Find, Table
from dlqlab.emulator.dynamodb.operations.writes import Write, returned, write_of
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import NESTED_TOO_DEEPLY, Attributes, item_size, write_map

ACTIONS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}


def get(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """GetItem's answer.

    Raises:
        InvalidError: DynamoDB refuses the request.
    """
    projection = compile_request(members, PROJECTION).projection
    key = attributes(members, "Key")
    table = find(members["TableName"])
    found = table.attributes(table.key_of(key))
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    consistent = bool(members.get("ConsistentRead"))
    consumed.add(table, read_units(item_size(found or {}), consistent=consistent))
    if found is None:
        return consumed.one()
    return {"Item": write_map(projection.of(found) if projection else found), **consumed.one()}


def write(operation: str, find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of PutItem, UpdateItem or DeleteItem, which has been done.

    Raises:
        InvalidError: DynamoDB refuses the request, or the condition fails; nothing has been changed.
    """
    mode = members.get("ReturnValues", "NONE")
    if operation != "UpdateItem" and mode not in {"NONE", "ALL_OLD"}:
        raise InvalidError("Return values set to invalid value")
    planned = _planned(ACTIONS[operation], find, members)
    change = planned.change()
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    consumed.write(planned.table, change.old, change.new)
    shown = returned(mode, change, planned.expressions)
    answer = {"Attributes": write_map(shown)} if shown else {}
    metrics = item_collection(planned.table, planned.given, members)
    change.commit()
    return {**answer, **consumed.one(), **({"ItemCollectionMetrics": metrics} if metrics else {})}


def _planned(action: str, find: Find, members: Mapping[str, Any]) -> Write:
    try:
        return write_of(action, find, members)
    except InvalidError as error:
        if error.message == NESTED_TOO_DEEPLY:  # worded so by these operations alone
            raise InvalidError(f"1 validation error detected: {error.message}") from error
        raise


def item_collection(table: Table, given: Attributes, members: Mapping[str, Any]) -> dict[str, Any]:
    """The size of the items with one hash key, which only tables with a local index have; empty unless asked for."""
    if members.get("ReturnItemCollectionMetrics") != "SIZE" or all(index.is_global for index in table.indexes.values()):
        return {}
    key = {table.keys.hash.name: given[table.keys.hash.name]}
    return {"ItemCollectionKey": write_map(key), "SizeEstimateRangeGB": [0.0, 1.0]}
