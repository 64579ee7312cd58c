"""Query and Scan beyond the fast path: tables with range keys, any index, pages, refusals."""

from typing import Any

import pytest

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

PARAMETERS = "One or more parameter values were invalid: "
KEY_CONDITION = "Invalid KeyConditionExpression: "


@pytest.fixture(scope="module")
def table(side: Full) -> str:
    """25 items of one hash key, with the same range key in the index, and one of another hash key in no index."""
    name = side.make_table(
        AttributeDefinitions=definitions(pk="S", sk="N", state="S", at="S"),
        GlobalSecondaryIndexes=[
            index("by-state", keys("state", "at")),
            index("keys", keys("state"), "KEYS_ONLY"),
            index("some", keys("state", "at"), "INCLUDE", "even"),
        ],
        LocalSecondaryIndexes=[index("by-time", keys("pk", "at"), "KEYS_ONLY")],
    )
    for place in range(25):
        even = {"BOOL": place % 2 == 0}
        item = {"pk": text("p"), "sk": number(place), "state": text("FAILED"), "at": text("same"), "even": even}
        side.put_item(TableName=name, Item={**item, "more": number(place)})
    side.put_item(TableName=name, Item={"pk": text("other"), "sk": number(1)})
    return name


def query(side: Full, table: str, condition: str, values: dict[str, Any], **members: Any) -> dict[str, Any]:
    given = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}
    return side.call("Query", TableName=table, KeyConditionExpression=condition, **given, **members)


def by_index(side: Full, table: str, name: str, **members: Any) -> dict[str, Any]:
    names = {"#s": "state", **members.pop("names", {})}
    values = {"f": text("FAILED"), **members.pop("values", {})}
    return query(side, table, "#s = :f", values, IndexName=name, ExpressionAttributeNames=names, **members)


def places(answer: dict[str, Any]) -> list[int]:
    return [int(item["sk"]["N"]) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("pk = :p", {}, [*range(25)]),
        ("pk = :p AND sk = :n", {"n": number("7.0")}, [7]),
        ("pk = :p AND sk >= :n", {"n": number(22)}, [22, 23, 24]),
        ("(pk = :p) AND (sk < :n)", {"n": number(2)}, [0, 1]),
        ("sk BETWEEN :n AND :m AND pk = :p", {"n": number(9), "m": number(11)}, [9, 10, 11]),
    ],
)
def test_a_range_of_a_table(
    side: Full, table: str, condition: str, values: dict[str, Any], expected: list[int]
) -> None:
    """In the order of numbers, forwards and backwards."""
    members = {"p": text("p"), **values}

    assert expected == places(query(side, table, condition, members))
    assert expected[::-1] == places(query(side, table, condition, members, ScanIndexForward=False))


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 7, 10, 25, 26])
@pytest.mark.parametrize("name", [None, "by-state", "keys", "by-time"])
def test_pages_hold_every_item_once(side: Full, table: str, name: str | None, limit: int, *, forward: bool) -> None:
    """Also where all range keys of an index are the same."""
    members: dict[str, Any] = {"Limit": limit, "ScanIndexForward": forward}
    found: list[int] = []
    while True:
        if name in {None, "by-time"}:
            page = query(side, table, "pk = :p", {"p": text("p")}, **members, **({"IndexName": name} if name else {}))
        else:
            page = by_index(side, table, str(name), **dict(members))
        found += places(page)
        if "LastEvaluatedKey" not in page:
            break
        members["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    assert [*range(25)][:: 1 if forward else -1] == found


def test_an_index_holds_what_it_projects(side: Full, table: str) -> None:
    """A local one gives whole items to who asks for them."""
    local = {"IndexName": "by-time", "Limit": 1}
    of_keys = by_index(side, table, "keys", Limit=1)["Items"][0]
    of_some = by_index(side, table, "some", Limit=1)["Items"][0]
    of_local = query(side, table, "pk = :p", {"p": text("p")}, **local)["Items"][0]
    whole = query(side, table, "pk = :p", {"p": text("p")}, **local, Select="ALL_ATTRIBUTES")["Items"][0]

    assert {"pk", "sk", "state"} == of_keys.keys()
    assert {"pk", "sk", "state", "at", "even"} == of_some.keys()
    assert {"pk", "sk", "at"} == of_local.keys()
    assert "more" in whole


def test_filter_limit_and_count(side: Full, table: str) -> None:
    """The limit is of what is looked at, the count of what is left."""
    even = {"e": {"BOOL": True}}
    limited = by_index(side, table, "by-state", FilterExpression="even = :e", values=even, Limit=10)
    counted = query(side, table, "pk = :p", {"p": text("p")}, Select="COUNT")
    gone = query(side, table, "pk = :p", {"p": text("none")})

    assert (5, 10) == (limited["Count"], limited["ScannedCount"])
    assert {"Count": 25, "ScannedCount": 25} == counted
    assert {"Count": 0, "ScannedCount": 0, "Items": []} == gone


def test_scans_of_segments_and_indexes(side: Full, table: str) -> None:
    """Segments hold every item once; an index only what has its keys."""
    segments = [side.call("Scan", TableName=table, Segment=part, TotalSegments=3)["Count"] for part in range(3)]

    assert 26 == sum(segments)
    assert 25 == side.call("Scan", TableName=table, IndexName="by-state", Select="COUNT")["Count"]
    assert 26 == side.call("Scan", TableName=table, Select="COUNT")["Count"]


def test_a_page_ends_at_1_mb(side: Full) -> None:
    """What is left is on the next one."""
    table = side.make_table()
    for place in range(3):
        side.put_item(TableName=table, Item={"pk": text("p"), "sk": number(place), "v": text("x" * 390_000)})
    first = query(side, table, "pk = :p", {"p": text("p")})
    start = {"ExclusiveStartKey": first["LastEvaluatedKey"]}
    second = query(side, table, "pk = :p", {"p": text("p")}, **start)

    assert ([0, 1], [2]) == (places(first), places(second))
    assert "LastEvaluatedKey" not in second


def test_keys_of_bytes_and_texts_begin_with(side: Full) -> None:
    """In the order of their bytes."""
    table = side.make_table(AttributeDefinitions=definitions(pk="S", sk="B"))
    for encoded in ("AAE=", "AAH/", "AQ=="):
        side.put_item(TableName=table, Item={"pk": text("p"), "sk": {"B": encoded}})
    found = query(side, table, "pk = :p AND begins_with(sk, :s)", {"p": text("p"), "s": {"B": "AA=="}})["Items"]

    assert [{"B": "AAE="}, {"B": "AAH/"}] == [item["sk"] for item in found]


@pytest.mark.parametrize(
    ("condition", "values", "message"),
    [
        ("sk = :n", {"n": number(1)}, "Query condition missed key schema element: pk"),
        ("pk > :p", {"p": text("p")}, "Query key condition not supported"),
        (
            "pk = :p AND even = :n",
            {"p": text("p"), "n": number(1)},
            "Query condition missed key schema element: sk",
        ),
        (
            "pk = :p AND sk = :n",
            {"p": text("p"), "n": text("1")},
            f"{PARAMETERS}Condition parameter type does not match schema type",
        ),
        (
            "pk = :p OR sk = :n",
            {"p": text("p"), "n": number(1)},
            f"{KEY_CONDITION}Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "pk = :p AND sk <> :n",
            {"p": text("p"), "n": number(1)},
            f"{KEY_CONDITION}Invalid operator used in KeyConditionExpression: <>",
        ),
        (
            "pk = :p AND contains(sk, :n)",
            {"p": text("p"), "n": number(1)},
            f"{KEY_CONDITION}Invalid operator used in KeyConditionExpression: contains",
        ),
        (
            "pk = :p AND pk = :q",
            {"p": text("p"), "q": text("q")},
            f"{KEY_CONDITION}KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "pk = :p AND sk BETWEEN :n AND :m",
            {"p": text("p"), "n": number(2), "m": number(1)},
            (
                f"{KEY_CONDITION}The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        (
            "pk = :p AND begins_with(sk, :n)",
            {"p": text("p"), "n": number(1)},
            (
                f"{KEY_CONDITION}Incorrect operand type for operator or function; operator or function: begins_with, "
                "operand type: N"
            ),
        ),
        ("", {"p": text("p")}, f"{KEY_CONDITION}The expression can not be empty;"),
    ],
)
def test_key_conditions_that_are_refused(
    side: Full, table: str, condition: str, values: dict[str, Any], message: str
) -> None:
    """A hash key that is equal to a value, and one comparison of the range key."""
    assert (VALIDATION, message) == refusal(lambda: query(side, table, condition, values))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"IndexName": "nope"}, "The table does not have the specified index: nope"),
        (
            {"FilterExpression": "sk > :n", "values": {"n": number(1)}},
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            (
                f"{PARAMETERS}Must specify the AttributesToGet or ProjectionExpression when "
                "choosing to get SPECIFIC_ATTRIBUTES"
            ),
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "pk"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            f"{PARAMETERS}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Limit": 0},
            (
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have "
                "value greater "
                "than or equal to 1"
            ),
        ),
        ({"ExclusiveStartKey": {"pk": text("p")}}, "The provided starting key is invalid"),
        ({"ExclusiveStartKey": {"pk": text("q"), "sk": number(1)}}, "The provided starting key is invalid"),
    ],
)
def test_queries_that_are_refused(side: Full, table: str, members: dict[str, Any], message: str) -> None:
    """Of a table."""
    values = {"p": text("p"), **members.get("values", {})}
    given = {name: value for name, value in members.items() if name != "values"}

    assert (VALIDATION, message) == refusal(lambda: query(side, table, "pk = :p", values, **given))


@pytest.mark.parametrize(
    ("name", "members", "message"),
    [
        ("by-state", {"ConsistentRead": True}, "Consistent reads are not supported on global secondary indexes"),
        (
            "keys",
            {"Select": "ALL_ATTRIBUTES"},
            (
                f"{PARAMETERS}Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its "
                "projection type is not ALL"
            ),
        ),
        (
            "keys",
            {"ProjectionExpression": "even"},
            f"{PARAMETERS}Global secondary index keys does not project [even]",
        ),
        (
            "keys",
            {"FilterExpression": "even = :e", "values": {"e": {"BOOL": True}}},
            f"{PARAMETERS}Global secondary index keys does not project one or more filter attributes: [even]",
        ),
        (
            "by-state",
            {"ExclusiveStartKey": {"pk": text("p"), "sk": number(1)}},
            "The provided starting key is invalid",
        ),
    ],
)
def test_queries_of_an_index_that_are_refused(
    side: Full, table: str, name: str, members: dict[str, Any], message: str
) -> None:
    """What a global index cannot give."""
    assert (VALIDATION, message) == refusal(lambda: by_index(side, table, name, **members))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"Segment": 0},
            (
                "The TotalSegments parameter is required but was not present in the request when Segment parameter "
                "is present"
            ),
        ),
        (
            {"TotalSegments": 2},
            (
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
                "present"
            ),
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            (
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 "
                "is not less "
                "than TotalSegments: 2"
            ),
        ),
        (
            {"Segment": 0, "TotalSegments": 0},
            (
                "1 validation error detected: Value '0' at 'totalSegments' failed to satisfy constraint: Member "
                "must have "
                "value greater than or equal to 1"
            ),
        ),
        (
            {"Limit": 0},
            (
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must "
                "have value "
                "greater than or equal to 1"
            ),
        ),
        (
            {"ExclusiveStartKey": {"pk": text("p")}},
            "The provided starting key is invalid: The provided key element does not match the schema",
        ),
        (
            {"FilterExpression": "status = :s"},
            ("Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: status"),
        ),
    ],
)
def test_scans_that_are_refused(side: Full, table: str, members: dict[str, Any], message: str) -> None:
    """A scan may filter by keys, but not with parameters that do not go together."""
    values = {"ExpressionAttributeValues": {":s": text("x")}} if "FilterExpression" in members else {}

    assert (VALIDATION, message) == refusal(lambda: side.call("Scan", TableName=table, **members, **values))
