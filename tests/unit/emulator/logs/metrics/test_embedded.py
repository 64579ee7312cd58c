"""Log lines in embedded metric format are read by the format's rules, and no other line is taken for one."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.logs.metrics.embedded import EmbeddedMetricError, Reading, readings
from taskrules.events import Context, EventName
from taskrules.metrics import Metrics

NOW = 1_700_000_000.5
AT_MS = 1_700_000_000_250


def line(root: dict[str, Any] | None = None, **directive: Any) -> str:
    """A line with one metric of two values; ``root`` and the directive's members replace what it has."""
    about = {"Namespace": "n", "Dimensions": [["F"]], "Metrics": [{"Name": "m", "Unit": "Count"}]} | directive
    whole = {"_aws": {"Timestamp": AT_MS, "CloudWatchMetrics": [about]}, "F": "f", "G": "g", "m": [1, 2.5]}
    return json.dumps(whole | (root or {}))


def test_values_are_of_the_lines_own_second() -> None:
    """A list of values, its unit and dimension, and the second of the line, not of its storing."""
    expected = [Reading("n", "m", (("F", "f"),), "Count", 1_700_000_000, (1, 2.5))]

    assert expected == readings(line(), now=NOW)


def test_scalar_and_missing_unit() -> None:
    """One number is one value, and a metric without a unit has the unit None."""
    assert [Reading("n", "m", (("F", "f"),), "None", 1_700_000_000, (7,))] == readings(
        line({"m": 7}, Metrics=[{"Name": "m"}]), now=NOW
    )


def test_each_dimension_set_is_a_metric() -> None:
    """Several sets share the values; a set is in the order of its names, and the empty set is one too."""
    found = readings(line(Dimensions=[["F"], ["G", "F"], []]), now=NOW)

    assert [(("F", "f"),), (("F", "f"), ("G", "g")), ()] == [reading.dimensions for reading in found]
    assert {(1, 2.5)} == {reading.values for reading in found}


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1 Version: $LATEST",
        "",
        "{}",
        '{"event":"attempt.started"}',
        '{"event":"x","payload":{"_aws":{"Timestamp":1}}}',
        ' {"_aws"',
    ],
)
def test_other_lines_measure_nothing(text: str) -> None:
    """A line whose root has no _aws is none of the format, whatever stands in it."""
    assert [] == readings(text, now=NOW)


@pytest.mark.parametrize(
    ("text", "counter"),
    [
        ('{"_aws":', "EMFParsingErrors"),
        ('{"_aws":1}', "EMFParsingErrors"),
        (line({"_aws": {"Timestamp": AT_MS, "CloudWatchMetrics": [1]}}), "EMFParsingErrors"),
        (line({"_aws": {"Timestamp": str(AT_MS), "CloudWatchMetrics": []}}), "EMFParsingErrors"),
        (line(Dimensions=["F"]), "EMFParsingErrors"),
        (line(Dimensions=None), "EMFParsingErrors"),
        (line(Metrics=["m"]), "EMFParsingErrors"),
        (line({"_aws": {"Timestamp": 1, "CloudWatchMetrics": []}}), "EMFValidationErrors"),
        (line({"_aws": {"Timestamp": 10**400, "CloudWatchMetrics": []}}), "EMFValidationErrors"),
        (line({"F": 1}), "EMFValidationErrors"),
        (line({"m": "1"}), "EMFValidationErrors"),
        (line({"m": True}), "EMFValidationErrors"),
        (line({"m": float("nan")}), "EMFValidationErrors"),
        (line({"m": 10**400}), "EMFValidationErrors"),
        (line({"m": [1] * 101}), "EMFValidationErrors"),
        (line(Dimensions=[["missing"]]), "EMFValidationErrors"),
        (line(Dimensions=[[f"d{n}" for n in range(31)]]), "EMFValidationErrors"),
        (line(Metrics=[{"Name": "missing"}]), "EMFValidationErrors"),
        (line(Metrics=[{"Name": "m", "Unit": "Parsec"}]), "EMFValidationErrors"),
        (line(Metrics=[{"Name": "m", "Unit": ["Count"]}]), "EMFValidationErrors"),
        (line(Metrics=[{"Name": "m"}] * 101), "EMFValidationErrors"),
        (line(Namespace=""), "EMFValidationErrors"),
    ],
)
def test_broken_line_is_refused_by_its_kind(text: str, counter: str) -> None:
    """A line of another structure is a parsing error, one with values or names out of bounds a validation error."""
    with pytest.raises(EmbeddedMetricError) as caught:
        readings(text, now=NOW)

    assert counter == caught.value.counter


NAMES = st.sampled_from(["Namespace", "Dimensions", "Metrics", "Name", "Unit", "F", "m"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
DIRECTIVES = st.fixed_dictionaries({}, optional={"Namespace": JSON, "Dimensions": JSON, "Metrics": JSON})


@given(
    directives=JSON | st.lists(DIRECTIVES, max_size=2),
    timestamp=JSON | st.just(AT_MS),
    members=st.dictionaries(NAMES, JSON, max_size=4),
)
def test_no_line_breaks_the_reader(directives: Any, timestamp: Any, members: dict[str, Any]) -> None:
    """Whatever a function prints, it is read or refused: a log line must never fail the invocation that printed it."""
    text = json.dumps(members | {"_aws": {"Timestamp": timestamp, "CloudWatchMetrics": directives}})
    with contextlib.suppress(EmbeddedMetricError):
        found = readings(text, now=NOW)

        assert all(isinstance(value, int | float) for reading in found for value in reading.values)


def test_the_apps_own_lines_are_read() -> None:
    """What the app writes is what is read: no value lost, none made up."""
    metrics = Metrics()
    for _ in range(130):
        metrics.note(EventName.ATTEMPT_SUCCEEDED, NOW, {"durationS": 0.5})
    lines = metrics.lines(Context(function="f", run_id="r", request_id="q"), NOW)
    found = [reading for text in lines for reading in readings(text, now=NOW)]

    assert 130 == sum(len(reading.values) for reading in found if reading.name == "AttemptDuration")
    assert {(("FunctionName", "f"),)} == {reading.dimensions for reading in found}
