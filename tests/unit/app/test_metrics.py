"""Metrics in CloudWatch's embedded metric format."""

import json
import re
from pathlib import Path
from typing import Any

from taskrules.events import OWN_FIELDS, Context, EventName
from taskrules.metrics import CAUSES, OTHER_CAUSE, READERS, UNITS, VALUES_MAX, Metrics
from taskrules.telemetry import Telemetry

CONTEXT = Context(function="dlqlab-local-processor", run_id="r", request_id="q")
NOW = 1_700_000_000.25


DOCS = Path(__file__).parents[3] / "docs" / "log-events.md"


def dead_letter(reason: str, *, first_ts: float | None = NOW, attempts: int | None = 3) -> dict[str, Any]:
    """What of a dead letter is measured."""
    return {"reason": reason, "firstTs": first_ts, "attempts": attempts}


def records(metrics: Metrics) -> list[dict[str, Any]]:
    return [json.loads(line) for line in metrics.lines(CONTEXT, NOW)]


def test_invocation_is_summed_up_in_one_line() -> None:
    """Attempts of a batch become one line whose directive names just the metrics in it."""
    metrics = Metrics()
    for failed in (False, True, False):
        metrics.note(EventName.ATTEMPT_FAILED if failed else EventName.ATTEMPT_SUCCEEDED, NOW, {"durationS": 0.5})
    expected = {
        "_aws": {
            "Timestamp": 1_700_000_000_250,
            "CloudWatchMetrics": [
                {
                    "Namespace": "dlqlab",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [
                        {"Name": "AttemptFailed", "Unit": "Count"},
                        {"Name": "AttemptDuration", "Unit": "Seconds"},
                    ],
                }
            ],
        },
        "FunctionName": "dlqlab-local-processor",
        "runId": "r",
        "requestId": "q",
        "AttemptFailed": [0, 1, 0],
        "AttemptDuration": [0.5, 0.5, 0.5],
    }

    assert [expected] == records(metrics)


def test_nothing_to_count_is_no_line() -> None:
    """An invocation without events of interest writes nothing."""
    metrics = Metrics()
    metrics.note(EventName.TASK_ACCEPTED, NOW, {})

    assert [] == records(metrics)


def test_large_batch_is_split_at_the_formats_limit() -> None:
    """No metric has more values in a line than the format allows; none is lost."""
    metrics = Metrics()
    for _ in range(VALUES_MAX + 5):
        metrics.note(EventName.ATTEMPT_SUCCEEDED, NOW, {"durationS": 0.5})
    metrics.note(EventName.ATTEMPT_SKIPPED, NOW, {"reason": "x"})
    found = records(metrics)

    assert [VALUES_MAX, 5] == [len(record["AttemptFailed"]) for record in found]
    assert [True, False] == ["DeliverySkipped" in record for record in found]


def test_dead_letters_are_counted_by_cause() -> None:
    """A line for each reason, with the sum over all causes as a dimension set of its own, and nothing counted twice."""
    metrics = Metrics()
    for reason in ("retries exhausted", "malformed message", "retries exhausted"):
        metrics.note(EventName.TASK_DEAD_LETTERED, NOW, dead_letter(reason))
    metrics.note(EventName.ATTEMPT_SKIPPED, NOW, {"reason": "already failed"})
    found = records(metrics)
    by_cause = {record.get("Reason"): record.get("TaskDeadLettered") for record in found}
    sets = {record.get("Reason"): record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for record in found}

    assert {"retries exhausted": [1, 1], "malformed message": [1], None: None} == by_cause
    assert [["FunctionName"], ["FunctionName", "Reason"]] == sets["retries exhausted"]
    assert [["FunctionName"]] == sets[None]


def test_a_reason_that_a_stranger_made_up_is_no_metric_of_its_own() -> None:
    """However many reasons messages bring along, they are one cause: each metric costs."""
    metrics = Metrics()
    for number in range(3):
        metrics.note(EventName.TASK_DEAD_LETTERED, NOW, dead_letter(f"because {number}"))

    assert [(OTHER_CAUSE, [1, 1, 1])] == [(record["Reason"], record["TaskDeadLettered"]) for record in records(metrics)]


def test_causes_are_the_documented_reasons() -> None:
    """The reasons that the page lists for dead letters are those that are counted one by one."""
    (paragraph,) = re.findall(r"^`task\.dead_lettered`: (.+?)\n\n", DOCS.read_text(), re.MULTILINE | re.DOTALL)

    assert CAUSES == set(re.findall(r"`([a-z -]+)`", paragraph))


def test_every_metric_is_documented() -> None:
    """The table of metrics on the page names each with its unit."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (\w+) \| ", DOCS.read_text(), re.MULTILINE)
    documented = {name: unit for names, unit in rows for name in re.findall(r"`(\w+)`", names)}

    assert UNITS == {name: unit for name, unit in documented.items() if unit in UNITS.values()}


def test_dead_letter_has_its_age_where_it_is_known() -> None:
    """The age counts from the task's acceptance; junk has none, a clock that is behind makes none negative."""
    metrics = Metrics()
    for first_ts in (NOW - 7, NOW + 1, None):
        metrics.note(EventName.TASK_DEAD_LETTERED, NOW, dead_letter("unknown task", first_ts=first_ts, attempts=None))

    (record,) = records(metrics)

    assert ([1, 1, 1], [7.0, 0.0]) == (record["TaskDeadLettered"], record["DeadLetterAge"])
    assert "DeadLetterAttempts" not in record


def test_every_metric_has_a_unit_and_every_reader_its_fields() -> None:
    """Readers use fields that their events have, and measure what has a unit."""
    own: dict[EventName, dict[str, Any]] = {name: dict.fromkeys(OWN_FIELDS[name], 1.0) for name in EventName}

    assert {metric for name, read in READERS.items() for metric, _ in read(NOW, own[name])} == set(UNITS)


def test_telemetry_counts_what_it_writes() -> None:
    """Events written through any narrowed writer of an invocation are counted together."""
    lines: list[str] = []
    telemetry = Telemetry(context=CONTEXT, clock=lambda: NOW, write=lines.append, metrics=Metrics())
    telemetry.about(task_id="a").emit(EventName.ATTEMPT_SUCCEEDED, durationS=0.1)
    telemetry.about(task_id="b").emit(EventName.ATTEMPT_SUCCEEDED, durationS=0.2)
    telemetry.flush_metrics()

    assert [0.1, 0.2] == json.loads(lines[-1])["AttemptDuration"]
    assert 3 == len(lines)
