"""What DynamoDB answers about single items: numbers, sizes, returned values, consumed capacity."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.emulator.dynamodb.operations.tables import ITEM_SIZE_MAX
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.values import item_size, item_size_max, read
from tests.unit.emulator.dynamodb.operations.full import (
    VALIDATION,
    Full,
    definitions,
    index,
    keys,
    number,
    refusal,
    text,
)

KEY = {"pk": text("p"), "sk": number(1)}


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    """A table with a local and a global index."""
    return side.make_table(
        AttributeDefinitions=definitions(pk="S", sk="N", state="S", at="S"),
        GlobalSecondaryIndexes=[index("by-state", keys("state"), "KEYS_ONLY")],
        LocalSecondaryIndexes=[index("by-time", keys("pk", "at"))],
    )


def update(side: Full, table: str, expression: str, **members: Any) -> dict[str, Any]:
    return side.update_item(TableName=table, Key=KEY, UpdateExpression=expression, **members)


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [("1.0", "1"), ("1e3", "1000"), ("-0", "0"), ("007", "7"), ("+5", "5"), ("1E-130", "0." + "0" * 129 + "1")],
)
def test_numbers_are_kept_in_one_form(side: Full, table: str, given_text: str, stored: str) -> None:
    """As attribute and as key: whoever asks for 1.0 finds 1."""
    key = {"pk": text("numbers"), "sk": number(given_text)}
    side.put_item(TableName=table, Item={**key, "v": number(given_text)})

    expected = {"pk": text("numbers"), "sk": number(stored), "v": number(stored)}
    assert expected == side.get_item(TableName=table, Key=key)["Item"]


def test_an_item_of_exactly_the_largest_size_fits(side: Full, table: str) -> None:
    """Names and values count: pk, p, sk, a number of one digit (2 bytes), v."""
    rest = len("pk" + "p" + "sk" + "v") + 2
    side.put_item(TableName=table, Item={**KEY, "v": text("x" * (ITEM_SIZE_MAX - rest))})
    larger = {**KEY, "v": text("x" * (ITEM_SIZE_MAX - rest + 1))}

    assert 409_600 == ITEM_SIZE_MAX
    assert VALIDATION == refusal(lambda: side.put_item(TableName=table, Item=larger))[0]
    side.delete_item(TableName=table, Key=KEY)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (text("é"), 2),
        (number("1"), 2),
        (number("-12345"), 5),
        (number("1000"), 2),
        (number("0"), 1),
        ({"B": "AAEC"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": []}, 3),
        ({"L": [text("ab"), number(1)]}, 3 + 2 + 2 + 2),
        ({"M": {"name": text("ab")}}, 3 + 1 + 4 + 2),
    ],
)
def test_sizes_are_the_documented_ones(value: dict[str, Any], size: int) -> None:
    """A number takes a byte for two digits and one more; lists and maps 3, and one for each element."""
    assert size + len("v") == item_size({"v": read(value, make)})


SCALARS = st.one_of(
    st.text(max_size=5).map(text),
    st.decimals(-(10**9), 10**9, allow_nan=False, places=3).map(number),
    st.just({"NULL": True}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda held: {"L": held}),
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda held: {"M": held}),
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=3), VALUES, max_size=4))
def test_the_fast_path_never_takes_an_item_for_smaller_than_it_is(item: dict[str, Any]) -> None:
    """It declines near the limit by an upper bound, so that no item over the limit can pass it."""
    attributes = {name: read(value, make) for name, value in item.items()}

    assert item_size(attributes) <= item_size_max(attributes)


def test_updated_values_are_those_of_the_paths(side: Full, table: str) -> None:
    """Of a nested path only its own part; of what has been removed nothing, and then no Attributes at all."""
    side.put_item(TableName=table, Item={**KEY, "a": number(1), "m": {"M": {"x": number(1), "y": number(2)}}})
    values = {"ExpressionAttributeValues": {":n": number(5)}}
    new = update(side, table, "SET m.x = :n, b = :n", ReturnValues="UPDATED_NEW", **values)
    old = update(side, table, "SET m.x = :n REMOVE a", ReturnValues="UPDATED_OLD", **values)
    removed = update(side, table, "REMOVE b", ReturnValues="UPDATED_NEW")

    assert {"Attributes": {"m": {"M": {"x": number(5)}}, "b": number(5)}} == new
    assert {"Attributes": {"m": {"M": {"x": number(5)}}, "a": number(1)}} == old
    assert {} == removed


def test_an_update_without_an_expression_makes_the_item(side: Full, table: str) -> None:
    """One of removals alone does not."""
    bare = {"pk": text("bare"), "sk": number(1)}
    ghost = {"pk": text("ghost"), "sk": number(1)}
    answer = side.update_item(TableName=table, Key=bare)
    side.update_item(TableName=table, Key=ghost, UpdateExpression="REMOVE a")

    assert {} == answer
    assert {"Item": bare} == side.get_item(TableName=table, Key=bare)
    assert {} == side.get_item(TableName=table, Key=ghost)


def test_nobody_is_told_of_capacity_unasked(side: Full, table: str) -> None:
    """Nor of item collections."""
    item = {**KEY, "state": text("x"), "at": text("t")}

    assert {} == side.put_item(TableName=table, Item=item)
    assert {"Item": item} == side.get_item(TableName=table, Key=KEY)
    assert {} == update(side, table, "REMOVE a")
    assert {} == side.delete_item(TableName=table, Key=KEY)


def test_capacity_by_size_and_index(side: Full, table: str) -> None:
    """A write unit for each KB, and for each index whose entry changes; half a read unit for 4 KB."""
    item = {**KEY, "state": text("x"), "at": text("t"), "v": text("x" * 1500)}
    written = side.put_item(TableName=table, Item=item, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    again = side.put_item(TableName=table, Item=item, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    read_once = side.get_item(TableName=table, Key=KEY, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]

    assert {
        "TableName": table,
        "CapacityUnits": 5.0,
        "Table": {"CapacityUnits": 2.0},
        "GlobalSecondaryIndexes": {"by-state": {"CapacityUnits": 1.0}},
        "LocalSecondaryIndexes": {"by-time": {"CapacityUnits": 2.0}},
    } == written
    assert {"TableName": table, "CapacityUnits": 2.0} == again
    assert {"TableName": table, "CapacityUnits": 0.5} == read_once


def test_item_collections_are_told_of_tables_with_a_local_index(side: Full, table: str) -> None:
    """Others have none."""
    asked = {"Item": KEY, "ReturnItemCollectionMetrics": "SIZE"}
    with_index = side.put_item(TableName=table, **asked)
    without = side.put_item(TableName=side.make_table(), **asked)

    metrics = {"ItemCollectionKey": {"pk": text("p")}, "SizeEstimateRangeGB": [0.0, 1.0]}
    assert {"ItemCollectionMetrics": metrics} == with_index
    assert {} == without


def test_a_projection_takes_parts_of_documents(side: Full, table: str) -> None:
    """Maps keep their shape, elements of lists move up."""
    document = {"M": {"x": number(1), "l": {"L": [text("a"), text("b"), text("c")]}}}
    side.put_item(TableName=table, Item={**KEY, "m": document, "z": number(9)})
    found = side.get_item(TableName=table, Key=KEY, ProjectionExpression="m.l[2], m.l [0], m . x, nope, m.nope")

    assert {"Item": {"m": {"M": {"x": number(1), "l": {"L": [text("a"), text("c")]}}}}} == found


def test_parameters_from_before_expressions(side: Full, table: str) -> None:
    """They mean the same."""
    side.put_item(TableName=table, Item={**KEY, "a": number(1), "tags": {"SS": ["x", "y"]}, "z": number(1)})
    side.update_item(
        TableName=table,
        Key=KEY,
        AttributeUpdates={
            "a": {"Action": "ADD", "Value": number(2)},
            "tags": {"Action": "DELETE", "Value": {"SS": ["x"]}},
            "z": {"Action": "DELETE"},
            "status": {"Value": text("new")},
        },
        Expected={"a": {"ComparisonOperator": "EQ", "AttributeValueList": [number(1)]}, "nope": {"Exists": False}},
        ConditionalOperator="AND",
    )
    refused = refusal(lambda: side.put_item(TableName=table, Item=KEY, Expected={"a": {"Value": number(9)}}))

    expected = {**KEY, "a": number(3), "tags": {"SS": ["y"]}, "status": text("new")}
    assert {"Item": expected} == side.get_item(TableName=table, Key=KEY)
    assert "ConditionalCheckFailedException" == refused[0]
    assert {"Item": {"status": text("new")}} == side.get_item(TableName=table, Key=KEY, AttributesToGet=["status"])


def test_a_stream_has_a_record_for_each_change(side: Full) -> None:
    """Moto's stream, from which its readers read; what changes nothing leaves no record."""
    table = side.make_table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    side.put_item(TableName=table, Item={**KEY, "n": number(1)})
    side.put_item(TableName=table, Item={**KEY, "n": number(1)})
    side.update_item(
        TableName=table, Key=KEY, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": number(2)}
    )
    side.delete_item(TableName=table, Key=KEY)
    records = [each.record for each in side.moto_table(table).stream_shard.items]

    assert ["INSERT", "MODIFY", "REMOVE"] == [each["eventName"] for each in records]
    assert {**KEY, "n": number(1)} == records[1]["dynamodb"]["OldImage"]
    assert {**KEY, "n": number(2)} == records[1]["dynamodb"]["NewImage"]
