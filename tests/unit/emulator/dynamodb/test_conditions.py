"""ConditionExpression, as DynamoDB's developer guide describes it."""

from typing import Any

import pytest

from dlqlab.emulator.dynamodb.expressions import Compiler
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import Computed, read

ITEM = {
    "zero": {"N": "0"},
    "five": {"N": "5"},
    "text": {"S": "abc"},
    "accent": {"S": "é"},
    "nothing": {"S": ""},
    "yes": {"BOOL": True},
    "null": {"NULL": True},
    "bytes": {"B": "AAEC"},
    "tags": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.50"]},
    "list": {"L": [{"N": "1"}, {"M": {"deep": {"S": "here"}}}]},
    "map": {"M": {"inner": {"N": "7"}, "status": {"S": "on"}}},
    "status": {"S": "open"},
}
VALUES: dict[str, Any] = {
    ":zero": {"N": "0"},
    ":one": {"N": "1"},
    ":two_and_a_half": {"N": "2.5"},
    ":five": {"N": "5.0"},
    ":nine": {"N": "9"},
    ":ten": {"N": "10"},
    ":a": {"S": "a"},
    ":ab": {"S": "ab"},
    ":abc": {"S": "abc"},
    ":zzz": {"S": "zzz"},
    ":empty": {"S": ""},
    ":five_text": {"S": "5"},
    ":true": {"BOOL": True},
    ":null": {"NULL": True},
    ":bytes": {"B": "AAEC"},
    ":start": {"B": "AAE="},
    ":tags": {"SS": ["b", "a"]},
    ":numbers": {"NS": ["2.5", "1.0"]},
    ":N": {"S": "N"},
    ":SS": {"S": "SS"},
    ":X": {"S": "X"},
    ":map": {"M": {"status": {"S": "on"}, "inner": {"N": "7.0"}}},
    ":deep": {"M": {"deep": {"S": "here"}}},
}
NAMES = {"#status": "status", "#list": "list", "#null": "null", "#map": "map", "#bytes": "bytes", "#text": "text"}


def holds(condition: str, item: dict[str, Any] | None = None) -> bool:
    """Whether the condition holds for the item; of names and values only those that occur are given."""
    compiler = Compiler(reserved={"STATUS", "ZERO_RESERVED"}, make=Computed)
    names = {name: attribute for name, attribute in NAMES.items() if name in condition}
    program = compiler.program(update=None, condition=condition, names=names)
    values = {name: read(VALUES[name], Computed) for name in program.values_used if name in VALUES}
    program.check_values(values)
    attributes = {name: read(value, Computed) for name, value in (ITEM if item is None else item).items()}
    return program.holds(attributes, values)


@pytest.mark.parametrize(
    "condition",
    [
        # comparisons
        "five = :five",
        "five <> :nine",
        "five < :nine AND five <= :five AND five > :zero AND five >= :five",
        "text < :zzz",
        "#bytes = :bytes AND #bytes >= :start",
        ":nine > five",
        "five < :ten",  # as numbers, not as texts
        "yes = :true AND #null = :null AND tags = :tags AND numbers = :numbers AND #map = :map",
        # by type
        "five <> :five_text",
        "NOT five = :five_text AND NOT five < :five_text AND NOT yes = :one",
        # attributes that are not there
        "absent <> :one AND NOT absent = :one AND NOT absent < :one AND NOT absent = :null",
        "NOT absent = missing",
        # BETWEEN and IN
        "five BETWEEN :zero AND :nine AND text BETWEEN :ab AND :zzz",
        "zero BETWEEN :zero AND :one AND nothing BETWEEN :empty AND :a",
        "NOT absent BETWEEN :zero AND :nine AND NOT text BETWEEN :zero AND :nine",
        "five IN (:one, :five) AND NOT five IN (:five_text) AND NOT absent IN (:one)",
        # functions
        "attribute_exists(five) AND attribute_not_exists(absent) AND attribute_exists(#null)",
        "attribute_type(five, :N) AND attribute_type(tags, :SS) AND NOT attribute_type(absent, :N)",
        "begins_with(text, :ab) AND begins_with(#bytes, :start) AND NOT begins_with(five, :ab)",
        "contains(text, :ab) AND contains(tags, :a) AND contains(numbers, :two_and_a_half) AND contains(#list, :one)",
        "contains(#list, :deep) AND NOT contains(tags, :ab) AND NOT contains(absent, :a) AND NOT contains(five, :five)",
        "size(tags) < :five AND size(text) > :one AND size(#bytes) < :five AND size(#map) > :one",
        "size(accent) > :one",  # bytes
        "size(absent) <> :one",  # as with any operand that is not there
        "NOT size(five) > :zero",  # a number has no size
        "contains(:abc, #text) AND begins_with(:abc, #text)",
        "NOT size(absent) > :zero",
        # document paths
        "#list[0] = :one AND #list[1].deep <> :abc AND attribute_exists(#list[1].deep)",
        "map.inner > :five AND #map.#status <> :abc",
        "attribute_not_exists(#list[2]) AND attribute_not_exists(text.deep) AND attribute_not_exists(map[0])",
        # form
        "  five=:five and\n(text = :abc)\tOr five > :nine ",
        "not (five > :nine)",
        "NOT NOT five = :five",
        "#status <> :abc",
    ],
)
def test_condition_holds(condition: str) -> None:
    """Each of these is true of the item."""
    assert holds(condition)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("five = :five OR five = :five AND five = :nine", True),  # AND before OR
        ("(five = :five OR five = :five) AND five = :nine", False),
        ("NOT five = :nine OR five = :five", True),  # NOT before OR
        ("NOT (five = :nine OR five = :five)", False),
        ("NOT five = :nine AND five = :nine", False),  # NOT before AND
        ("five = :nine AND five = :nine OR five = :five", True),
        ("five BETWEEN :zero AND :nine AND five = :nine", False),  # the first AND belongs to BETWEEN
    ],
)
def test_precedence(condition: str, *, expected: bool) -> None:
    """NOT binds tighter than AND, AND tighter than OR."""
    assert expected == holds(condition)


def test_an_item_that_is_not_there_has_no_attributes() -> None:
    """What a create relies on."""
    assert holds("attribute_not_exists(five)", item={})
    assert not holds("five = :five", item={})


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "five",
        "five =",
        "five = :five AND",
        "(five = :five",
        "five = :five)",
        "five == :five",
        "five = :five five",
        "five ! :five",
        "five = 5",
        "status = :a",  # reserved here
        "#undefined = :a",
        "five = :undefined",
        "yes < :true",  # no order among booleans
        "five BETWEEN :nine AND :zero",
        "five BETWEEN :zero AND :abc",
        "five = five",
        "attribute_type(five, :X)",
        "attribute_type(five, :one)",
        "begins_with(text, :one)",
        "begins_with(text)",
        "size(:one) > :one",
        "((five = :five))",
        "(five = :five AND ((five = :nine OR five = :five)))",
        "unknown(five)",
        "five = :five AND (five = :five" + " AND (five = :five" * 120 + ")" * 121,
        "five = :five" + " AND five = :five" * 300,  # over 4 KB
    ],
)
def test_what_is_wrong_is_refused(condition: str) -> None:
    """The fast path declines it, and the full path words the error."""
    with pytest.raises(UnsupportedError):
        holds(condition)


def test_an_unused_name_is_left_to_moto() -> None:
    """It is an error in DynamoDB."""
    compiler = Compiler(reserved=(), make=Computed)

    with pytest.raises(UnsupportedError):
        compiler.program(update=None, condition="attribute_exists(a)", names={"#unused": "b"})


def test_an_unused_value_is_left_to_moto() -> None:
    """It is an error in DynamoDB."""
    program = Compiler(reserved=(), make=Computed).program(update=None, condition="attribute_exists(a)", names={})

    with pytest.raises(UnsupportedError):
        program.check_values({":unused": Computed("S", "a")})
