"""BatchGetItem and BatchWriteItem."""

from typing import Any

import pytest

from tests.unit.emulator.dynamodb.operations.full import NOT_FOUND, VALIDATION, Full, number, refusal, text

DUPLICATES = "Provided list of item keys contains duplicates"


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    return side.make_table()


def key(name: str, place: object = 1) -> dict[str, Any]:
    return {"pk": text(name), "sk": number(place)}


def puts(name: str, places: range) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": key(name, place)}} for place in places]


def write(side: Full, table: str, *requests: dict[str, Any], **members: Any) -> dict[str, Any]:
    return side.call("BatchWriteItem", RequestItems={table: list(requests)}, **members)


def test_twenty_five_writes_are_made(side: Full, table: str) -> None:
    """Puts and deletes; nothing is answered but that nothing is left to do."""
    first = write(side, table, *puts("many", range(25)))
    second = write(side, table, *puts("more", range(2)), {"DeleteRequest": {"Key": key("many", 0)}})
    found = side.call("Scan", TableName=table)["Items"]

    assert {"UnprocessedItems": {}} == first == second
    assert 24 + 2 == len(found)


def test_twenty_six_writes_are_refused(side: Full, table: str) -> None:
    """Of one table, or of two together; none of them is made."""
    other = side.make_table()
    code, message = refusal(lambda: write(side, table, *puts("too-many", range(26))))
    both = {table: puts("too-many", range(13)), other: puts("too-many", range(13))}
    together = refusal(lambda: side.call("BatchWriteItem", RequestItems=both))

    assert VALIDATION == code
    assert message.startswith(f"1 validation error detected: Value '{{{table}=[")
    assert message.endswith(
        "]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must "
        "have length "
        "less than or equal to 25, Member must have length greater than or equal to 1]"
    )
    assert (VALIDATION, "Too many items requested for the BatchWriteItem call") == together
    assert "Item" not in side.get_item(TableName=table, Key=key("too-many", 0))


def test_a_wrong_write_keeps_all_others_back(side: Full, table: str) -> None:
    """The same key twice in any form, a key of another form, an item that is too large, a table that is gone."""
    good = {"PutRequest": {"Item": key("kept-back")}}
    large = {"PutRequest": {"Item": {**key("large"), "v": text("x" * 409_600)}}}
    no_key = {"DeleteRequest": {"Key": {"pk": text("a")}}}
    gone = {table: [good], "no-such-table": [good]}

    assert (VALIDATION, DUPLICATES) == refusal(lambda: write(side, table, good, good))
    assert (VALIDATION, DUPLICATES) == refusal(
        lambda: write(side, table, good, {"DeleteRequest": {"Key": key("kept-back", "1.0")}})
    )
    assert VALIDATION == refusal(lambda: write(side, table, good, no_key))[0]
    assert VALIDATION == refusal(lambda: write(side, table, good, large))[0]
    assert NOT_FOUND == refusal(lambda: side.call("BatchWriteItem", RequestItems=gone))[0]
    assert {} == side.get_item(TableName=table, Key=key("kept-back"))


def test_consumption_is_told_when_asked(side: Full, table: str) -> None:
    """For each table."""
    answer = write(side, table, *puts("units", range(3)), ReturnConsumedCapacity="TOTAL")
    keys = {table: {"Keys": [key("units", 0), key("units", 9)], "ConsistentRead": True}}
    read = side.call("BatchGetItem", RequestItems=keys, ReturnConsumedCapacity="TOTAL")

    assert {"UnprocessedItems": {}, "ConsumedCapacity": [{"TableName": table, "CapacityUnits": 3.0}]} == answer
    assert [{"TableName": table, "CapacityUnits": 2.0}] == read["ConsumedCapacity"]


def test_what_is_not_there_is_left_out(side: Full, table: str) -> None:
    """With a projection for each table."""
    side.put_item(TableName=table, Item={**key("read"), "n": number(1), "m": number(2)})
    keys = {table: {"Keys": [key("read"), key("none")], "ProjectionExpression": "n"}}
    answer = side.call("BatchGetItem", RequestItems=keys)

    assert {"Responses": {table: [{"n": number(1)}]}, "UnprocessedKeys": {}} == answer


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([key("a"), key("a")], DUPLICATES),
        ([key("a"), key("a", "1.0")], DUPLICATES),
        ([{"pk": text("a")}], "The provided key element does not match the schema"),
        (
            [key("a", place) for place in range(101)],
            (
                "1 validation error detected: Value at 'RequestItems.{table}.member.Keys' failed to satisfy "
                "constraint: "
                "Member must have length less than or equal to 100"
            ),
        ),
    ],
)
def test_keys_that_are_refused(side: Full, table: str, keys: list[dict[str, Any]], message: str) -> None:
    """A hundred different ones at most."""
    expected = (VALIDATION, message.replace("{table}", table))

    assert expected == refusal(lambda: side.call("BatchGetItem", RequestItems={table: {"Keys": keys}}))


def test_a_batch_of_nothing_is_refused(side: Full) -> None:
    """In either direction."""
    for operation in ("BatchGetItem", "BatchWriteItem"):
        code, message = refusal(lambda operation=operation: side.call(operation, RequestItems={}))  # type: ignore[misc]

        assert (VALIDATION, f"The requestItems parameter is required for {operation}") == (code, message)


def test_items_beyond_16_mb_are_left_unprocessed(side: Full, table: str) -> None:
    """The answer names their keys, with which a client goes on."""
    places = range(45)
    for place in places:
        side.put_item(TableName=table, Item={**key("large", place), "v": text("x" * 400_000)})
    keys = {"Keys": [key("large", place) for place in places]}
    answer = side.call("BatchGetItem", RequestItems={table: keys})
    rest = side.call("BatchGetItem", RequestItems=answer["UnprocessedKeys"])

    assert 41 == len(answer["Responses"][table])
    assert keys["Keys"][41:] == answer["UnprocessedKeys"][table]["Keys"]
    assert 4 == len(rest["Responses"][table])
    assert {} == rest["UnprocessedKeys"]
