"""What an update of a table becomes: calls in their order, or a refusal by name."""

from typing import Any

import pytest

from dlqlab.emulator.cloudformation.table_changes import ONE_INDEX, ChangeError, calls

KEYS = [{"AttributeName": "id", "KeyType": "HASH"}]
TABLE: dict[str, Any] = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": KEYS}
NEW, OLD = {"StreamViewType": "NEW_IMAGE"}, {"StreamViewType": "OLD_IMAGE"}


def index(name: str, *, key: str = "id", units: int | None = None) -> dict[str, Any]:
    throughput = {"ReadCapacityUnits": units, "WriteCapacityUnits": units}
    found = {"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "Projection": {}}
    return found | ({"ProvisionedThroughput": throughput} if units else {})


def indexes(*given: dict[str, Any]) -> dict[str, Any]:
    return {"GlobalSecondaryIndexes": list(given)}


def ttl(name: str, *, enabled: bool | str = True) -> dict[str, Any]:
    return {"TimeToLiveSpecification": {"AttributeName": name, "Enabled": enabled}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"Tags": [{"Key": "a", "Value": "b"}], "StreamArn": "arn"}, {"ContributorInsightsSpecification": {}}, []),
        ({}, {"BillingMode": "PROVISIONED", "TableClass": "STANDARD"}, []),
        ({}, {"BillingMode": "PAY_PER_REQUEST"}, [("update_table", {"BillingMode": "PAY_PER_REQUEST"})]),
        (
            {"BillingMode": "PAY_PER_REQUEST"},
            {"ProvisionedThroughput": {"ReadCapacityUnits": "1", "WriteCapacityUnits": "1"}},
            [
                (
                    "update_table",
                    {
                        "BillingMode": "PROVISIONED",
                        "ProvisionedThroughput": {"ReadCapacityUnits": "1", "WriteCapacityUnits": "1"},
                    },
                )
            ],
        ),
        (
            {"SSESpecification": {"SSEEnabled": True}},
            {},
            [("update_table", {"SSESpecification": {"Enabled": False}})],
        ),
        (
            {"StreamSpecification": OLD},
            {"StreamSpecification": NEW},
            [
                ("update_table", {"StreamSpecification": {"StreamEnabled": False}}),
                ("update_table", {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}}),
            ],
        ),
        (ttl("t"), ttl("t", enabled="true"), []),
        (
            ttl("t"),
            {},
            [("update_time_to_live", {"TimeToLiveSpecification": {"AttributeName": "t", "Enabled": False}})],
        ),
        (
            ttl("t", enabled=False),
            ttl("u"),
            [("update_time_to_live", {"TimeToLiveSpecification": {"AttributeName": "u", "Enabled": True}})],
        ),
        (
            {},
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
            [
                (
                    "update_continuous_backups",
                    {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
                )
            ],
        ),
    ],
)
def test_changed_settings_are_called_and_no_others(
    before: dict[str, Any], after: dict[str, Any], expected: list[Any]
) -> None:
    """Texts of templates are what they stand for, and what is left out is as AWS has it at first."""
    assert expected == calls(TABLE | before, TABLE | after)


def test_one_index_comes_or_goes_at_a_time() -> None:
    """With its keys defined; throughput of others changes beside it."""
    before, after = TABLE | indexes(index("a", units=1)), TABLE | indexes(index("a", units=2), index("b"))

    updates = [given["GlobalSecondaryIndexUpdates"] for _, given in calls(before, after)]

    created = index("b")
    del created["Projection"]  # empty
    throughput = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}
    assert [[{"Update": {"IndexName": "a", "ProvisionedThroughput": throughput}}], [{"Create": created}]] == updates
    with pytest.raises(ChangeError, match=ONE_INDEX):
        calls(TABLE | indexes(index("a")), TABLE | indexes(index("b")))


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ({}, {"KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}]}, "KeySchema"),
        ({}, {"LocalSecondaryIndexes": [index("l")]}, "LocalSecondaryIndexes"),
        ({"KinesisStreamSpecification": {"StreamArn": "a"}}, {}, "KinesisStreamSpecification"),
        ({}, {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}]}, "AttributeDefinitions"),
        (indexes(index("a")), indexes(index("a", key="k")), r"GlobalSecondaryIndexes \(a\)"),
    ],
)
def test_what_needs_another_table_is_refused_by_name(before: dict[str, Any], after: dict[str, Any], named: str) -> None:
    with pytest.raises(ChangeError, match=f"cannot update {named} of AWS::DynamoDB::Table"):
        calls(TABLE | before, TABLE | after)
