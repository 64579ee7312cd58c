"""Operations on tables: descriptions with DynamoDB's members, and what DynamoDB refuses."""

import uuid
from typing import Any

import pytest

from tests.unit.emulator.dynamodb.operations.full import (
    NOT_FOUND,
    VALIDATION,
    Full,
    definitions,
    index,
    keys,
    new_name,
    refusal,
)

IN_USE = "ResourceInUseException"
PARAMETERS = "One or more parameter values were invalid: "
ONE_UNIT = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
PLAIN: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": definitions(pk="S"),
    "KeySchema": keys("pk"),
}


def describe(side: Full, table: str) -> dict[str, Any]:
    found: dict[str, Any] = side.call("DescribeTable", TableName=table)["Table"]
    return found


def test_a_table_of_every_kind_of_call_is_described_alike(side: Full) -> None:
    """An id of its own that stays, no lists of nothing, and a status for what is going on."""
    name = new_name()
    created = side.call("CreateTable", TableName=name, **PLAIN)["TableDescription"]
    described = describe(side, name)
    updated = side.call("UpdateTable", TableName=name, DeletionProtectionEnabled=False)["TableDescription"]
    deleted = side.call("DeleteTable", TableName=name)["TableDescription"]
    found = [created, described, updated, deleted]

    assert ["CREATING", "ACTIVE", "UPDATING", "DELETING"] == [each["TableStatus"] for each in found]
    assert 1 == len({uuid.UUID(each["TableId"]) for each in found})
    for each in found:
        assert {"BillingMode": "PAY_PER_REQUEST"} == each["BillingModeSummary"]
        assert not {"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "TableClassSummary"} & each.keys()


def test_a_table_made_again_is_another_one(side: Full) -> None:
    """Its id tells."""
    name = new_name()
    ids = []
    for _ in range(2):
        ids.append(side.call("CreateTable", TableName=name, **PLAIN)["TableDescription"]["TableId"])
        side.call("DeleteTable", TableName=name)

    assert ids[0] != ids[1]


def test_provisioned_tables_have_no_billing_mode_summary(side: Full) -> None:
    """A table class stands only where one was given."""
    name = new_name()
    provisioned = PLAIN | {"BillingMode": "PROVISIONED", "ProvisionedThroughput": ONE_UNIT}
    side.call("CreateTable", TableName=name, **provisioned, TableClass="STANDARD_INFREQUENT_ACCESS")
    described = describe(side, name)

    assert "BillingModeSummary" not in described
    assert {"TableClass": "STANDARD_INFREQUENT_ACCESS"} == described["TableClassSummary"]


def test_indexes_are_described_with_their_names_and_counts(side: Full) -> None:
    """An index counts the items that have its keys."""
    table = side.make_table(
        AttributeDefinitions=definitions(pk="S", sk="N", state="S", at="S"),
        GlobalSecondaryIndexes=[index("by-state", keys("state"))],
        LocalSecondaryIndexes=[index("by-time", keys("pk", "at"))],
    )
    side.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"N": "1"}, "state": {"S": "x"}})
    side.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"N": "2"}})
    described = describe(side, table)
    of_state, of_time = described["GlobalSecondaryIndexes"][0], described["LocalSecondaryIndexes"][0]

    assert f"{described['TableArn']}/index/by-state" == of_state["IndexArn"]
    assert f"{described['TableArn']}/index/by-time" == of_time["IndexArn"]
    assert (1, 0, 2) == (of_state["ItemCount"], of_time["ItemCount"], described["ItemCount"])


def test_a_new_index_keeps_the_types_of_the_other_keys(side: Full) -> None:
    """An UpdateTable names the types of its own keys only."""
    table = side.make_table()
    side.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"N": "1"}, "state": {"S": "x"}})
    create = {"Create": index("by-state", keys("state"))}
    side.call(
        "UpdateTable",
        TableName=table,
        AttributeDefinitions=definitions(state="S"),
        GlobalSecondaryIndexUpdates=[create],
    )
    defined = {each["AttributeName"]: each["AttributeType"] for each in describe(side, table)["AttributeDefinitions"]}
    found = side.call(
        "Query",
        TableName=table,
        IndexName="by-state",
        KeyConditionExpression="#s = :x",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":x": {"S": "x"}},
    )
    unknown = {"Create": index("other", keys("unknown"))}

    assert {"pk": "S", "sk": "N", "state": "S"} == defined
    assert 1 == found["Count"]
    assert (
        VALIDATION,
        (
            f"{PARAMETERS}Some index key attributes are not defined in AttributeDefinitions. Keys: [unknown], "
            "AttributeDefinitions: [pk, sk, state]"
        ),
    ) == refusal(lambda: side.call("UpdateTable", TableName=table, GlobalSecondaryIndexUpdates=[unknown]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"GlobalSecondaryIndexes": []}, f"{PARAMETERS}List of GlobalSecondaryIndexes is empty"),
        ({"LocalSecondaryIndexes": []}, f"{PARAMETERS}List of LocalSecondaryIndexes is empty"),
        (
            {"LocalSecondaryIndexes": [index("local", keys("pk", "at"))]},
            (
                f"{PARAMETERS}Table KeySchema does not have a range key, which is required when specifying a "
                "LocalSecondaryIndex"
            ),
        ),
        (
            {"GlobalSecondaryIndexes": [index("same", keys("pk")), index("same", keys("pk"))]},
            f"{PARAMETERS}Duplicate index name: same",
        ),
        (
            {"KeySchema": [{"AttributeName": "pk", "KeyType": "RANGE"}]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"KeySchema": keys("pk", "pk")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "X"}]},
            (
                "1 validation error detected: Value 'X' at 'attributeDefinitions.1.member.attributeType' failed "
                "to satisfy "
                "constraint: Member must satisfy enum value set: [B, N, S]"
            ),
        ),
        (
            {"ProvisionedThroughput": ONE_UNIT},
            "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST",
        ),
    ],
)
def test_tables_that_are_refused(side: Full, changes: dict[str, Any], message: str) -> None:
    """None is made."""
    name = new_name()

    assert (VALIDATION, message) == refusal(lambda: side.call("CreateTable", TableName=name, **(PLAIN | changes)))
    assert name not in side.call("ListTables")["TableNames"]


def test_names_that_are_refused(side: Full) -> None:
    """Too short, or of other characters."""
    short = (
        "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length "
        "greater than or equal to 3"
    )
    pattern = (
        "1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [a-zA-Z0-9_.-]+"
    )

    assert (VALIDATION, short) == refusal(lambda: side.call("CreateTable", TableName="ab", **PLAIN))
    assert (VALIDATION, pattern) == refusal(lambda: side.call("CreateTable", TableName="a b c", **PLAIN))


def test_a_table_that_is_there_or_protected(side: Full) -> None:
    """It is not made twice, and not deleted before its protection is off."""
    name = new_name()
    side.call("CreateTable", TableName=name, **PLAIN, DeletionProtectionEnabled=True)
    protected = refusal(lambda: side.call("DeleteTable", TableName=name))
    twice = refusal(lambda: side.call("CreateTable", TableName=name, **PLAIN))
    side.call("UpdateTable", TableName=name, DeletionProtectionEnabled=False)
    side.call("DeleteTable", TableName=name)

    assert (IN_USE, f"Table already exists: {name}") == twice
    assert (
        VALIDATION,
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    ) == protected
    for operation in ("DescribeTable", "DeleteTable", "UpdateTable", "DescribeTimeToLive"):
        expected = (NOT_FOUND, f"Requested resource not found: Table: {name} not found")
        assert expected == refusal(lambda operation=operation: side.call(operation, TableName=name))  # type: ignore[misc]


def test_tables_are_listed_in_order(side: Full) -> None:
    """In pages."""
    prefix = new_name()
    names = [f"{prefix}-{letter}" for letter in "cab"]
    for name in names:
        side.call("CreateTable", TableName=name, **PLAIN)
    first = side.call("ListTables", ExclusiveStartTableName=prefix, Limit=2)
    second = side.call("ListTables", ExclusiveStartTableName=first["LastEvaluatedTableName"], Limit=1)

    assert sorted(names) == [*first["TableNames"], *second["TableNames"]]


def test_time_to_live_is_changed_only_to_something_else(side: Full) -> None:
    """Twice on, twice off and another attribute are refused."""
    table = side.make_table()

    def change(attribute: str, *, enabled: bool) -> dict[str, Any]:
        wanted = {"AttributeName": attribute, "Enabled": enabled}
        return side.call("UpdateTimeToLive", TableName=table, TimeToLiveSpecification=wanted)

    off = refusal(lambda: change("at", enabled=False))
    change("at", enabled=True)
    on = refusal(lambda: change("at", enabled=True))
    other = refusal(lambda: change("other", enabled=True))
    described = side.call("DescribeTimeToLive", TableName=table)["TimeToLiveDescription"]
    change("at", enabled=False)
    without = side.call("DescribeTimeToLive", TableName=table)["TimeToLiveDescription"]

    assert {"TimeToLiveStatus": "DISABLED"} == without
    assert (VALIDATION, "TimeToLive is already disabled") == off
    assert (VALIDATION, "TimeToLive is already enabled") == on
    assert (
        VALIDATION,
        "TimeToLive is active on a different AttributeName: current AttributeName is at",
    ) == other
    assert {"TimeToLiveStatus": "ENABLED", "AttributeName": "at"} == described


def test_cloudformation_may_enable_time_to_live_twice(side: Full) -> None:
    """LocalStack's does, for each table; a call of its own is told from one of a client."""
    wanted = {"AttributeName": "at", "Enabled": True}
    context = side.context("UpdateTimeToLive", {"TableName": side.make_table(), "TimeToLiveSpecification": wanted})
    context.internal_request_params = {}
    statuses = [side.handle(context).status_code for _ in range(2)]
    context.internal_request_params = None

    assert [200, 200] == statuses
    assert 400 == side.handle(context).status_code


def test_a_table_can_be_named_by_its_arn(side: Full) -> None:
    """In operations on items and on tables."""
    table = side.make_table()
    arn = describe(side, table)["TableArn"]
    side.put_item(TableName=arn, Item={"pk": {"S": "a"}, "sk": {"N": "1"}})

    assert 1 == side.call("Scan", TableName=arn)["Count"]
    assert 1 == side.call("Scan", TableName=table)["Count"]
