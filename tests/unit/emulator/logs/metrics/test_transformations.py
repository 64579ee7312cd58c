"""What a line gives by a metric filter, and which filters AWS refuses."""

from typing import Any

import pytest

from dlqlab.emulator.logs.metrics.transformations import Reading, TransformationError, transformation
from dlqlab.emulator.logs.patterns import compile_pattern

GIVEN = {"metricName": "n", "metricNamespace": "s"}


def _reading(pattern: str, line: str, **given: Any) -> Reading | None:
    compiled = compile_pattern(pattern)
    return transformation(GIVEN | given, compiled).reading(compiled.match(line))


@pytest.mark.parametrize(
    ("pattern", "line", "given", "expected"),
    [
        ("ERROR", "an ERROR", {"metricValue": "1"}, Reading(1.0)),
        ("ERROR", "calm", {"metricValue": "1"}, None),
        ("ERROR", "calm", {"metricValue": "1", "defaultValue": 0.0}, Reading(0.0)),
        ("", "any", {"metricValue": "2.5"}, Reading(2.5)),
        ("{ $.ms = * }", '{"ms": 12.5}', {"metricValue": "$.ms"}, Reading(12.5)),
        ("{ $.ms = * }", '{"ms": "12.5"}', {"metricValue": "$.ms"}, Reading(12.5)),
        ("{ $.ms = * }", '{"ms": "fast"}', {"metricValue": "$.ms"}, None),
        ("{ $.ms = * }", '{"ms": true}', {"metricValue": "$.ms"}, None),
        ("{ $.a = 1 }", '{"a": 1}', {"metricValue": "$.missing"}, None),
        ("[a, b > 1]", "x 7", {"metricValue": "$b"}, Reading(7.0)),
        ("[..., b > 1]", "x 7", {"metricValue": "$1"}, None),
        (
            "{ $.ms > 0 }",
            '{"ms": 3, "where": {"region": "eu"}, "n": 1}',
            {"metricValue": "$.ms", "dimensions": {"Region": "$.where.region", "N": "$.n"}},
            Reading(3.0, (("N", "1"), ("Region", "eu"))),
        ),
        ("{ $.ms > 0 }", '{"ms": 3}', {"metricValue": "1", "dimensions": {"Region": "$.region"}}, None),
        ("[a, b]", "x y", {"metricValue": "1", "dimensions": {"B": "$b"}}, Reading(1.0, (("B", "y"),))),
    ],
)
def test_readings(pattern: str, line: str, given: dict[str, Any], expected: Reading | None) -> None:
    """A number or a value of the line; the default for a line that does not match; nothing where a value is missing."""
    assert expected == _reading(pattern, line, **given)


@pytest.mark.parametrize(
    ("pattern", "given", "text"),
    [
        ("ERROR", {"metricValue": "one"}, "metricValue one"),
        ("ERROR", {"metricValue": ""}, "metricValue has 0"),
        ("ERROR", {"metricValue": "inf"}, "metricValue inf"),
        ("ERROR", {"metricValue": "$.ms"}, "has no such value"),
        ("[a]", {"metricValue": "$b"}, "has no such value"),
        ("ERROR", {"metricValue": "1", "dimensions": {"A": "$.a"}}, "does not support dimensions"),
        ("[a]", {"metricValue": "1", "dimensions": {"A": "$b"}}, "dimension A"),
        ("[a]", {"metricValue": "1", "dimensions": {"A": "$a"}, "defaultValue": 0}, "defaultValue and dimensions"),
        ("[a]", {"metricValue": "1", "dimensions": dict.fromkeys("ABCD", "$a")}, "4 dimensions"),
        ("ERROR", {"metricValue": "1", "unit": "Parsec"}, "not a unit"),
        ("ERROR", {"metricValue": "1", "metricName": "a:b"}, "metricName"),
        ("ERROR", {"metricValue": "1", "metricNamespace": ""}, "metricNamespace"),
    ],
)
def test_what_aws_refuses(pattern: str, given: dict[str, Any], text: str) -> None:
    """Each with what is wrong."""
    with pytest.raises(TransformationError, match=text):
        transformation(GIVEN | given, compile_pattern(pattern))
