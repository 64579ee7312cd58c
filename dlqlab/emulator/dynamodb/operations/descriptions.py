"""Operations on tables: what moto accepts and DynamoDB refuses, and descriptions with DynamoDB's members.

The operations themselves are moto's.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from dlqlab.emulator.dynamodb.operations.tables import NOT_FOUND
from dlqlab.emulator.dynamodb.tables import has
from dlqlab.emulator.dynamodb.unsupported import InvalidError

TABLES = frozenset({"CreateTable", "DescribeTable", "UpdateTable", "DeleteTable"})
TTL = frozenset({"UpdateTimeToLive", "DescribeTimeToLive"})
TABLES_LISTED_MAX = 100
IN_USE = "ResourceInUseException"
_STATUS = {"CreateTable": "CREATING", "DeleteTable": "DELETING", "UpdateTable": "UPDATING"}
TTL_ENABLED = "TimeToLive is already enabled"
_TABLE_CLASS = "dlqlab_table_class"
_PARAMETERS = "One or more parameter values were invalid: "


def name_of(given: str) -> str:
    """The name in a table's name or ARN."""
    return given.rpartition(":table/")[2] if given.startswith("arn:") else given


def moto_table(account_id: str, region: str, name: str) -> Any | None:
    """Moto's table, or None."""
    return dynamodb_backends[account_id][region].tables.get(name_of(name))


def check(operation: str, table: Any | None, members: Mapping[str, Any]) -> None:
    """Refuse an operation on a table that DynamoDB refuses.

    Args:
        operation: one of TABLES or TTL.
        table: moto's, or None where there is none of that name.
        members: the request.

    Raises:
        InvalidError: as described.
    """
    name = name_of(members["TableName"])
    if operation == "CreateTable":
        _check_new(table, name, members)
    elif table is None:
        raise InvalidError(f"Requested resource not found: Table: {name} not found", NOT_FOUND)
    elif operation == "DeleteTable" and table.deletion_protection_enabled:
        raise InvalidError(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection "
            "first."
        )
    elif operation == "UpdateTimeToLive":
        _check_ttl(table.ttl, members["TimeToLiveSpecification"])
    elif operation == "UpdateTable":
        _check_update(table, members)


def _check_new(table: Any | None, name: str, members: Mapping[str, Any]) -> None:
    if len(name) < 3:  # noqa: PLR2004  ("Supported data types and naming rules")
        raise InvalidError(
            f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Member must "
            "have length greater than or equal to 3"
        )
    for required in ("KeySchema", "AttributeDefinitions"):
        if members.get(required) is None:
            raise InvalidError(
                f"1 validation error detected: Value null at '{required[0].lower()}{required[1:]}' failed to satisfy "
                "constraint: Member must not be null"
            )
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if members.get(member) == []:
            raise InvalidError(f"{_PARAMETERS}List of {member} is empty")
    _check_indexes(members)
    if table is not None:
        raise InvalidError(f"Table already exists: {name}", IN_USE)


def _check_indexes(members: Mapping[str, Any]) -> None:
    schema = members["KeySchema"]
    types = [part["KeyType"] for part in schema]
    if types[0] != "HASH":
        raise InvalidError("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if types[1:] == ["HASH"]:
        raise InvalidError("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    if len({part["AttributeName"] for part in schema}) < len(schema):
        raise InvalidError("Invalid KeySchema: Some index key attribute have no definition")
    local = members.get("LocalSecondaryIndexes") or []
    if local and len(types) == 1:
        raise InvalidError(
            f"{_PARAMETERS}Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )
    names = [index["IndexName"] for index in (*(members.get("GlobalSecondaryIndexes") or ()), *local)]
    for name in names:
        if names.count(name) > 1:
            raise InvalidError(f"{_PARAMETERS}Duplicate index name: {name}")
    for index in local:
        if index["KeySchema"][0]["AttributeName"] != members["KeySchema"][0]["AttributeName"]:
            raise InvalidError(
                f"{_PARAMETERS}Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{index['IndexName']}. index hash key: {index['KeySchema'][0]['AttributeName']}, table hash key: "
                f"{members['KeySchema'][0]['AttributeName']}"
            )


def _check_ttl(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    active, attribute = known.get("TimeToLiveStatus") == "ENABLED", known.get("AttributeName")
    if active and attribute != wanted["AttributeName"]:
        raise InvalidError(f"TimeToLive is active on a different AttributeName: current AttributeName is {attribute}")
    if active and wanted["Enabled"]:
        raise InvalidError(TTL_ENABLED)
    if not active and not wanted["Enabled"]:
        raise InvalidError("TimeToLive is already disabled")


def forget_disabled(ttl: dict[str, Any]) -> None:
    """A table without TTL has no attribute for it; moto keeps the one that it had."""
    if ttl.get("TimeToLiveStatus") == "DISABLED":
        ttl.pop("AttributeName", None)


def _check_update(table: Any, members: Mapping[str, Any]) -> None:
    known = {index.name for index in table.global_indexes}
    for update in members.get("GlobalSecondaryIndexUpdates") or ():
        action, index = next(iter(update.items()))
        if action == "Create" and index["IndexName"] in known | {each.name for each in table.indexes}:
            raise InvalidError(f"Attempting to create an index which already exists: {index['IndexName']}")
        if action == "Create":
            _check_defined(table, index, members.get("AttributeDefinitions") or [])
        if action in {"Update", "Delete"} and index["IndexName"] not in known:
            raise InvalidError("Requested resource not found", NOT_FOUND)
    wanted, mode = members.get("ProvisionedThroughput"), members.get("BillingMode", table.billing_mode)
    if wanted and mode == "PAY_PER_REQUEST":
        raise InvalidError(
            f"{_PARAMETERS}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if (
        wanted
        and table.billing_mode == "PROVISIONED"
        and all(table.throughput.get(key) == wanted[key] for key in wanted)
    ):
        others = {"GlobalSecondaryIndexUpdates", "StreamSpecification", "DeletionProtectionEnabled", "TableClass"}
        if not others & members.keys():
            read, write = wanted["ReadCapacityUnits"], wanted["WriteCapacityUnits"]
            raise InvalidError(
                "The provisioned throughput for the table will not change. The requested value equals the current "
                f"value. Current ReadCapacityUnits provisioned for the table: {read}. Requested ReadCapacityUnits: "
                f"{read}. Current WriteCapacityUnits provisioned for the table: {write}. Requested WriteCapacityUnits: "
                f"{write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher "
                "limits."
            )


def _check_defined(table: Any, index: Mapping[str, Any], given: list[dict[str, str]]) -> None:
    """Refuse an index on attributes whose types nobody knows."""
    known = [definition["AttributeName"] for definition in (given or table.attr)]
    lacking = [part["AttributeName"] for part in index["KeySchema"] if part["AttributeName"] not in known]
    if lacking:
        raise InvalidError(
            f"{_PARAMETERS}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(lacking)}], AttributeDefinitions: [{', '.join(known)}]"
        )


def complete_definitions(table: Any, before: list[dict[str, str]]) -> None:
    """Give a table the types of all its keys: moto forgets those that an UpdateTable does not repeat.

    Args:
        table: moto's, after the update.
        before: its AttributeDefinitions before the update.
    """
    used = set(table.attribute_keys)
    types = {each["AttributeName"]: each["AttributeType"] for each in (*before, *table.attr)}
    table.attr = [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items() if name in used]


def list_tables(account_id: str, region: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ListTables, whose order is the names'."""
    names = sorted(dynamodb_backends[account_id][region].tables)
    after, limit = members.get("ExclusiveStartTableName", ""), members.get("Limit", TABLES_LISTED_MAX)
    found = [name for name in names if name > after]
    page = found[:limit]
    return {"TableNames": page, **({"LastEvaluatedTableName": page[-1]} if len(found) > len(page) else {})}


def remember_class(table: Any, members: Mapping[str, Any]) -> None:
    """Keep the table class that a request gives, which moto does not."""
    if members.get("TableClass"):
        setattr(table, _TABLE_CLASS, members["TableClass"])


def described(operation: str, table: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Moto's answer to one of TABLES with DynamoDB's members.

    Args:
        operation: one of TABLES.
        table: moto's.
        body: its answer, which is not changed.
    """
    member = "Table" if "Table" in body else "TableDescription"
    found = dict(body[member])
    found["TableId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{table.table_arn}/{table.created_at.isoformat()}"))
    found["AttributeDefinitions"] = table.attr
    found["TableStatus"] = _STATUS.get(operation, found["TableStatus"])
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = found.pop(name, None)
        if indexes:
            found[name] = [_index(table, each) for each in indexes]
    if table.billing_mode != "PAY_PER_REQUEST":
        found.pop("BillingModeSummary", None)
    table_class = getattr(table, _TABLE_CLASS, None)
    if table_class:
        found["TableClassSummary"] = {"TableClass": table_class}
    return body | {member: found}


def _index(table: Any, index: Mapping[str, Any]) -> dict[str, Any]:
    items = table.items.values()
    held = [item for part in items for item in part.values()] if table.has_range_key else list(items)
    names = [part["AttributeName"] for part in index["KeySchema"]]
    return {
        **index,
        "IndexArn": f"{table.table_arn}/index/{index['IndexName']}",
        "IndexSizeBytes": 0,
        "ItemCount": sum(all(has(item, name) for name in names) for item in held),
    }
