"""Alarms: which can never go off and why, which had to and did not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlqlab.analysis.alarm_rules import breached_ts, never
from dlqlab.analysis.judge import judge
from dlqlab.contracts.alarms import AlarmRecord, Alarms, Change, Point, read_alarms, write_alarms
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, evidence

PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=1, retention_s=345_600),
        Queue(role="dead", name="dead-letters", retention_s=1_209_600),
    ),
    functions=(Function(role="processor", name="processor", timeout_s=30, reserved_concurrency=5),),
    consumers=(Consumer(queue="tasks", function="processor"),),
)
NOW = 1.8e9


def alarm(**changed: Any) -> AlarmRecord:
    """A sound alarm on the dead letters, unless something is changed."""
    sound: dict[str, Any] = {
        "name": "letters",
        "namespace": "AWS/SQS",
        "metric": "ApproximateNumberOfMessagesVisible",
        "dimensions": {"QueueName": "dead-letters"},
        "statistic": "Maximum",
        "threshold": 1.0,
    }
    return AlarmRecord(**(sound | changed))


def of_function(metric: str, **changed: Any) -> AlarmRecord:
    return alarm(namespace="AWS/Lambda", metric=metric, dimensions={"FunctionName": "processor"}, **changed)


SOUND = {
    "dead letters": alarm(),
    "errors": of_function("Errors", statistic="Sum"),
    "age": alarm(metric="ApproximateAgeOfOldestMessage", threshold=3600.0, dimensions={"QueueName": "tasks"}),
    "time taken": of_function("Duration", threshold=29_000.0),
    "no work for an hour": of_function(
        "Invocations", statistic="Sum", threshold=1.0, operator="LessThanThreshold", missing_data="breaching"
    ),
    "own metric": alarm(
        namespace="Shop", metric="Refused", dimensions={}, published_with=("", "FunctionName=processor")
    ),
    "own metric that nobody published": alarm(namespace="Shop", metric="Refused", dimensions={"a": "b"}),
    "all of an account": alarm(namespace="AWS/Lambda", metric="Throttles", dimensions={}),
    "its unit": alarm(unit="Count"),
    "percentile": of_function("Duration", statistic="p99", threshold=1000.0),
    "sum over a minute": of_function("Duration", statistic="Sum", threshold=90_000.0),
}
BROKEN = {
    "metric": (alarm(metric="ApproximateNumberOfMessageVisible"), "there is ApproximateNumberOfMessagesVisible"),
    "namespace": (alarm(namespace="AWS/Sqs"), "its namespace is 'AWS/Sqs', and CloudWatch's is 'AWS/SQS'"),
    "other service": (alarm(namespace="AWS/Lambda"), "AWS/Lambda has no metric ApproximateNumberOfMessagesVisible"),
    "dimension": (alarm(dimensions={"Queue": "dead-letters"}), "have the dimension QueueName alone"),
    "no dimension": (alarm(dimensions={}), "it asks for none"),
    "one too many": (
        alarm(dimensions={"QueueName": "dead-letters", "Stage": "x"}),
        "have the dimension QueueName alone",
    ),
    "queue": (alarm(dimensions={"QueueName": "dead-letter"}), "which is not there: there is dead-letters"),
    "url": (alarm(dimensions={"QueueName": "http://x/0/dead-letters"}), "which is not there: there is dead-letters"),
    "function": (alarm(namespace="AWS/Lambda", metric="Errors", dimensions={"FunctionName": "procesor"}), "processor"),
    "sends": (alarm(metric="NumberOfMessagesSent", statistic="Sum"), "does not count what SQS moves"),
    "unit": (
        alarm(unit="Seconds"),
        "its unit is Seconds, and ApproximateNumberOfMessagesVisible is published in Count",
    ),
    "below nothing": (alarm(operator="LessThanThreshold", threshold=0.0), "no value is beyond 0"),
    "older than kept": (
        alarm(metric="ApproximateAgeOfOldestMessage", threshold=1_209_600.0, operator="GreaterThanThreshold"),
        "dead-letters keeps messages for 1,209,600 s",
    ),
    "slower than the time-out": (of_function("Duration", threshold=60_000.0), "processor times out after 30 s"),
    "more at once than reserved": (of_function("ConcurrentExecutions", threshold=6.0), "reserved concurrency"),
    "silence is no data": (
        of_function("Invocations", statistic="Sum", threshold=1.0, operator="LessThanThreshold"),
        "no value is beyond 1",
    ),
    "own dimensions": (
        alarm(
            namespace="Shop", metric="Refused", dimensions={"Service": "x"}, published_with=("FunctionName=processor",)
        ),
        "published with the dimensions FunctionName=processor, it asks for Service=x",
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_alarm_can_go_off(name: str) -> None:
    assert never(SOUND[name], PIPELINE) is None


@pytest.mark.parametrize("name", BROKEN)
def test_alarm_that_never_goes_off_says_why(name: str) -> None:
    broken, why = BROKEN[name]
    assert why in (never(broken, PIPELINE) or "")


@pytest.mark.parametrize(
    ("values", "periods", "needed", "completed"),
    [
        ([0, 0, 0], 1, None, None),
        ([0, 2, 0], 1, None, 120),
        ([2, 0, 2], 2, None, None),
        ([0, 2, 2], 2, None, 180),
        ([2, 0, 2], 3, 2, 180),
        ([2, 0, 0, 2], 3, 2, None),
    ],
)
def test_values_have_to_be_such_so_often(values: list[float], periods: int, needed: int | None, completed: int) -> None:
    """M out of N periods; the end of the period that completes them."""
    points = tuple(Point(ts=60.0 * n, value=value) for n, value in enumerate(values))
    judged = alarm(points=points, evaluation_periods=periods, datapoints_to_alarm=needed)
    assert breached_ts(judged) == completed


def run(*alarms: AlarmRecord, not_judged: tuple[str, ...] = ()) -> RunEvidence:
    """One message that was dead-lettered."""
    story = Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).moved("m1", 31)
    found = Alarms(read_ts=NOW, alarms=alarms, not_judged=not_judged)
    return replace(evidence(story, None, PIPELINE), alarms=found)


def judged(*alarms: AlarmRecord) -> Check:
    return next(check for check in judge(run(*alarms)).checks if check.name == "alarms")


def test_alarm_that_cannot_go_off_is_named_with_the_letters_that_nobody_hears_of() -> None:
    found = judged(alarm(metric="NumberOfMessagesSent", statistic="Sum"))

    assert found.status is Status.INVALID
    assert found.against == {"cannot_go_off": ("letters",), "unheard": ("m1",)}
    assert "letters cannot go off: NumberOfMessagesSent does not count" in found.statement
    assert "1 dead letter unheard of: m1" in found.statement


def test_letters_are_heard_of_where_another_alarm_looks() -> None:
    found = judged(alarm(metric="NumberOfMessagesSent"), alarm(name="sound"))
    assert found.against == {"cannot_go_off": ("letters",)}


@pytest.mark.parametrize(
    ("seen_s", "status", "name"),
    [(1000.0, Status.INVALID, "did_not_go_off"), (130.0, Status.VALID, "too_late"), (None, Status.VALID, "not_met")],
)
def test_alarm_that_had_to_go_off(seen_s: float | None, status: Status, name: str) -> None:
    """Not where the run ended before CloudWatch had to look at it."""
    points = () if seen_s is None else (Point(ts=NOW - seen_s, value=3.0),)
    found = judged(alarm(points=points))
    assert found.status is status
    assert found.members[name] == ("letters",)


def test_alarm_that_went_off_is_valid_with_its_delay() -> None:
    fired = alarm(
        points=(Point(ts=NOW - 1000, value=3.0),),
        changes=(Change(ts=NOW - 990, state="OK"), Change(ts=NOW - 900, state="ALARM")),
        state="ALARM",
        has_actions=False,
    )
    found = judged(fired)
    assert found.status is Status.VALID
    assert (found.members["went_off"], found.members["silent"]) == (("letters",), ("letters",))
    assert found.details["alarms"][0]["text"] == "went off, 40 s after its values were such"


def test_pipeline_without_alarms_is_not_asked() -> None:
    assert "alarms" not in {check.name for check in judge(run()).checks}


def test_kept_in_the_run_directory(tmp_path: Path) -> None:
    made = RunDir(tmp_path)
    assert read_alarms(made) is None
    found = run(alarm(points=(Point(ts=1.0, value=2.0),)), not_judged=("both",)).alarms
    assert found is not None
    write_alarms(made, found)
    assert read_alarms(made) == found


def test_letters_in_a_queue_that_keeps_them_too_shortly_are_named() -> None:
    """Fourteen days in the source, four in the dead-letter queue."""
    tasks, dead = PIPELINE.queues
    short = replace(PIPELINE, queues=(replace(tasks, retention_s=1_209_600), replace(dead, retention_s=345_600)))
    whole = run()
    checks = {
        name: next(one for one in judge(replace(whole, topology=topology)).checks if one.name == "dead_letters")
        for name, topology in (("long", PIPELINE), ("short", short))
    }
    assert checks["long"].status is Status.VALID
    assert checks["short"].status is Status.INVALID
    assert checks["short"].against == {"short_lived": ("m1",)}
    assert (
        "dead-letters keeps messages for 345,600 s, and its source tasks for 1,209,600 s" in checks["short"].statement
    )
