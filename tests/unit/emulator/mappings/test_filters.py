"""Event filters by the rules of Lambda and EventBridge."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlqlab.emulator.mappings.filters import Filter
from dlqlab.emulator.mappings.rules import PatternError

VALUE = {"stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def _record(body: str, **attributes: Any) -> dict[str, Any]:
    system = {"ApproximateReceiveCount": "2", "SenderId": "me"}
    return {"messageId": "m", "body": body, "attributes": system, "messageAttributes": attributes}


def _matches(pattern: Any, body: str, **attributes: Any) -> bool:
    return Filter(json.dumps(pattern)).matches(_record(body, **attributes))


TEXT, JSON, NONE = {"body": [{"prefix": ""}]}, {"body": {"a": [{"exists": True}]}}, {"attributes": {"SenderId": ["me"]}}


@pytest.mark.parametrize(
    ("body", "pattern", "expected"),
    [
        ("text", TEXT, True),
        ("text", NONE, True),
        ("text", JSON, False),
        ('{"a":1}', TEXT, False),
        ('{"a":1}', NONE, True),
        ('{"a":1}', JSON, True),
        ("{broken", TEXT, True),
        ("{broken", JSON, False),
        ('{"a":NaN}', JSON, False),
        ("", TEXT, True),
    ],
)
def test_formats_of_body_and_pattern_must_agree(body: str, pattern: Any, expected: bool) -> None:
    """AWS's table: text needs a pattern for text, JSON one for JSON; without one for the body both are looked at."""
    assert expected is _matches(pattern, body)


@pytest.mark.parametrize("body", ["text", "{broken", "", "null-ish", "[" * 100_000])
def test_text_does_not_match_a_property_that_must_not_exist(body: str) -> None:
    """A pattern for JSON is not met by a body without any properties at all."""
    assert not _matches({"body": {"a": [{"exists": False}]}}, body)
    assert _matches({"body": {"a": [{"exists": False}]}}, '{"b":1}')


LEAF_RULES = [
    ([None], [None], ["", 0, False]),
    ([""], [""], ["x", None]),
    (["Alice"], ["Alice"], ["alice", "Alice ", None, 1]),
    (["a", "b"], ["a", "b"], ["c"]),
    ([5], [5, 5.0], ["5", 6, True]),
    ([1], [1], [True]),
    ([True], [True], [1, "true"]),
    ([{"equals-ignore-case": "alice"}], ["ALICE", "alice"], ["alices", 1]),
    ([{"anything-but": "x"}], ["y", 1, None, True], ["x"]),
    ([{"anything-but": ["x", "y"]}], ["z"], ["x", "y"]),
    ([{"anything-but": 5}], [6, "5"], [5, 5.0]),
    ([{"anything-but": {"prefix": "us-"}}], ["eu-1"], ["us-1"]),
    ([{"anything-but": {"suffix": [".png", ".gif"]}}], ["a.txt"], ["a.png", "b.gif"]),
    ([{"anything-but": {"equals-ignore-case": "x"}}], ["y"], ["X"]),
    ([{"anything-but": {"wildcard": "*/lib/*"}}], ["/bin/a"], ["/usr/lib/a"]),
    ([{"numeric": ["=", 100]}], [100, 100.0], [99, "100"]),
    ([{"numeric": [">", 10, "<=", 20]}], [11, 20], [10, 20.5, True, None]),
    ([{"prefix": "us-"}], ["us-", "us-1"], ["eu-us-", 1]),
    ([{"prefix": {"equals-ignore-case": "US-"}}], ["us-1", "US-1"], ["eu", 5]),
    ([{"suffix": ".png"}], ["a.png"], ["a.png\n", "png"]),
    ([{"suffix": {"equals-ignore-case": ".PNG"}}], ["a.png"], ["png"]),
    ([{"wildcard": "a*c*"}], ["ac", "abc", "abc\nd"], ["ab", "bac"]),
    ([{"wildcard": "*aa"}], ["aa", "aaa"], ["a", "aab"]),
    ([{"wildcard": "aa*aa"}], ["aaaa", "aabaa"], ["aaa"]),
    ([{"wildcard": "plain"}], ["plain"], ["plains"]),
    ([{"cidr": "10.0.0.0/24"}], ["10.0.0.255"], ["10.0.1.0", "x"]),
    ([{"exists": True}], [None, "", 0], [{}, {"b": 1}, []]),
    ([{"exists": False}], [{}, {"b": 1}, []], [None, "", 0]),
    ([{"exists": False}, "x"], ["x", {}], ["y"]),
]


@pytest.mark.parametrize(("rules", "matching", "other"), LEAF_RULES, ids=str)
def test_rules_of_a_value(rules: list[Any], matching: list[Any], other: list[Any]) -> None:
    """Each documented comparison, of a property of a JSON body."""
    pattern = {"body": {"k": rules}}

    assert [True] * len(matching) == [_matches(pattern, json.dumps({"k": value})) for value in matching]
    assert [False] * len(other) == [_matches(pattern, json.dumps({"k": value})) for value in other]


@pytest.mark.parametrize(
    ("pattern", "body", "expected"),
    [
        ({"a": [1], "b": [2]}, {"a": 1, "b": 2}, True),
        ({"a": [1], "b": [2]}, {"a": 1, "b": 3}, False),
        ({"a": {"b": {"c": [1]}}}, {"a": {"b": {"c": 1}}}, True),
        ({"a": {"b": [1]}}, {"a": 1}, False),
        ({"a": [1]}, {"a": [3, 1]}, True),
        ({"a": {"b": [1]}}, {"a": [{"b": 2}, {"b": 1}]}, True),
        ({"a": {"b": [1], "c": [1]}}, {"a": [{"b": 1, "c": 2}, {"b": 2, "c": 1}]}, False),
        ({"a": {"b": [{"exists": False}]}}, {"a": [{"b": 1}, {"c": 1}]}, False),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": {"b": [{"exists": False}]}}, {"a": 5}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"b": 2}, False),
        ({"a": {"$or": [{"b": [1]}, {"c": [2]}]}}, {"a": {"c": 2}}, True),
        ({}, {}, True),
    ],
    ids=str,
)
def test_shapes_of_patterns(pattern: dict[str, Any], body: Any, expected: bool) -> None:
    """All properties of an object, one element of an array, one alternative of $or."""
    wrapped = {"body": pattern} if pattern else pattern

    assert expected is _matches(wrapped, json.dumps(body))


def test_everything_of_a_record_can_be_matched() -> None:
    """Message attributes and system attributes as well as the body, alone and together."""
    red = {"messageAttributes": {"color": {"stringValue": ["red"]}}}

    assert _matches(red, "text", color=VALUE)
    assert not _matches(red, "text", color=VALUE | {"stringValue": "blue"})
    assert not _matches(red, "text")
    assert _matches({"messageAttributes": {"color": {"stringValue": [{"exists": False}]}}}, "text")
    assert _matches({"attributes": {"ApproximateReceiveCount": ["2"]}, "body": ["text"]}, "text")
    assert _matches({"$or": [{"body": ["x"]}, red]}, "text", color=VALUE)


@settings(deadline=None)
@given(st.dictionaries(st.text(), leaves, min_size=1))
def test_record_matches_the_pattern_of_its_own_values(body: dict[str, Any]) -> None:
    """Every property listed with its own value: the strictest pattern that is still met."""
    assume("$or" not in body)

    assert _matches({"body": {key: [value] for key, value in body.items()}}, json.dumps(body))


@settings(deadline=None)
@given(st.text(), st.text("ab*", max_size=6))
def test_anything_but_is_the_opposite(value: str, unwanted: str) -> None:
    """Of a value that is there, either the rule or its opposite holds."""
    assume("**" not in unwanted)
    body = json.dumps({"k": value})
    for rule in ({"prefix": unwanted}, {"suffix": unwanted}, {"wildcard": unwanted}, {"equals-ignore-case": unwanted}):
        opposite = {"body": {"k": [{"anything-but": rule}]}}
        assert _matches({"body": {"k": [rule]}}, body) is not _matches(opposite, body)


@settings(deadline=None)
@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=4), st.text("ab", max_size=3))
def test_wildcard_stands_for_any_text(parts: list[str], filler: str) -> None:
    """A text that was made from a wildcard by filling it in matches it."""
    wildcard = "*".join(parts)
    assume("**" not in wildcard)

    assert _matches({"body": {"k": [{"wildcard": wildcard}]}}, json.dumps({"k": filler.join(parts)}))


@settings(deadline=None)
@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text("ab$or"), inner), max_leaves=6))
def test_any_json_is_a_pattern_or_is_refused(pattern: Any) -> None:
    """Nothing but PatternError comes of a pattern, and what is taken can be asked about any body."""
    try:
        found = Filter(json.dumps(pattern))
    except PatternError:
        return
    for body in ("text", "{}", '{"a":[{"b":1}]}', "[1]", "5"):
        assert found.matches(_record(body)) in {True, False}


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "simple string",
        "null",
        "[]",
        '{"a": NaN}',
        "[" * 100_000,
        *map(
            json.dumps,
            [
                {"eventSource": "aws:sqs"},
                {"eventSource": []},
                {"body": {}},
                {"body": "plain-string"},
                {"body": {"a": 5}},
                {"body": {"a": [[1]]}},
                {"body": {"a": [{}]}},
                {"body": {"a": [{"prefix": "a", "suffix": "b"}]}},
                {"body": {"a": [{"unknown": 1}]}},
                {"body": {"a": [{"prefix": 5}]}},
                {"body": {"a": [{"prefix": {"suffix": "x"}}]}},
                {"body": {"a": [{"exists": "true"}]}},
                {"body": {"a": [{"numeric": 5}]}},
                {"body": {"a": [{"numeric": ["=", "5"]}]}},
                {"body": {"a": [{"numeric": ["!", 5]}]}},
                {"body": {"a": [{"numeric": ["<", 5, ">", 9]}]}},
                {"body": {"a": [{"numeric": [">", 9, "<", 5]}]}},
                {"body": {"a": [{"numeric": [">"]}]}},
                {"body": {"a": [{"anything-but": None}]}},
                {"body": {"a": [{"anything-but": []}]}},
                {"body": {"a": [{"anything-but": [1, "a"]}]}},
                {"body": {"a": [{"anything-but": {"exists": True}}]}},
                {"body": {"a": [{"wildcard": "a**b"}]}},
                {"body": {"a": [{"cidr": "10.0.0.0/99"}]}},
                {"$or": [{"a": [1]}]},
                {"$or": {"a": [1]}},
                {"$or": [1, 2]},
            ],
        ),
    ],
    ids=lambda pattern: pattern[:40],
)
def test_pattern_that_lambda_does_not_take_is_refused(pattern: str) -> None:
    """Neither JSON nor an object, without rules, or with rules that do not exist."""
    with pytest.raises(PatternError):
        Filter(pattern)
