"""Why a message is where it is, in sentences."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dlqlab.analysis.keys import find
from dlqlab.analysis.life_parts import Attempt
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.log_lines import Line, about, error_in, of_attempt, shown
from dlqlab.analysis.reasons import failed_attempts, reason, work_stays
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.contracts.recording import Recording
from tests.support.flows import Story
from tests.support.lives import BATCH, body, completed, dead_lettered, message, ran, submitted
from tests.support.recordings import QUEUE, T0, recording


def life_of(record: Recording, key: str) -> Life:
    rows = Rows(record)
    [life] = lives(rows, find(rows, key))
    return life


def why(record: Recording, key: str = "m1", **more: Any) -> Any:
    life = life_of(record, key)
    return reason(life, work_stays(life)[0], more.pop("logged", {}), **more)


def test_dead_letter_that_was_tried_once() -> None:
    """Received 3 times, one of them in vain by the function, two without any environment."""
    found = why(dead_lettered(), max_receive_count=3)

    assert found.summary == (
        "received 3 times, tried once: once the function failed: ValueError: on purpose; twice no environment was free"
    )
    assert found.where == "was dead-lettered: moved from tasks to dead-letters, and taken from there by monitor"
    assert (found.queue, found.max_receive_count) == ("tasks", 3)
    assert (found.last_error, found.last_request_id) == ("ValueError: on purpose", "p1")
    assert [each.receive_count for each in found.receives] == [1, 2, 3]


def test_completed_message_says_so() -> None:
    found = why(completed())

    assert (found.summary, found.where) == ("received once, tried once", "is done: worked off in tasks by processor")
    assert (found.last_error, found.last_lines) == (None, ())


def test_message_that_was_never_received() -> None:
    found = why(recording(messages=[submitted()]))

    assert (found.summary, found.where) == ("never received", "is in tasks")


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("expired", "is lost: its retention period in tasks was over"),
        ("purged", "is lost: tasks was purged or deleted"),
        ("filtered", "was filtered out: no filter of the mapping of tasks matches it"),
        ("redriven", "was redriven from tasks: another message was sent in its place"),
    ],
)
def test_other_ends(kind: str, where: str) -> None:
    assert why(recording(messages=[submitted(), message(kind, 1.0)])).where == where


def batch_that_failed(**invocation: Any) -> Recording:
    """Two messages in one invocation; its one call is about the first."""
    received = [message("received", 0.4, each, receive_count=1) for each in ("m1", "m2")]
    back = [message("returned", 9.0, each, receive_count=1) for each in ("m1", "m2")]
    call = {"ts": T0 + 0.6, "request_id": "p1", "operation": "UpdateItem", "item_key": '{"taskId": {"S": "t-1"}}'}
    return recording(
        messages=[*BATCH, *received, *back],
        invocations=[ran(0.5, "p1", ["m1", "m2"], ["m1", "m2"], **invocation)],
        calls=[call],
        bodies=[body("t-1"), body("t-2")],
    )


def test_message_whose_batch_mate_failed_before_it() -> None:
    """The calls tell that the function never got to it."""
    record = batch_that_failed(outcome="error", error_type="ValueError", error_message="no")

    assert why(record, "m1").summary == (
        "received once, tried once: once the function failed: ValueError: no, with its batch of 2"
    )
    assert why(record, "m2").summary == (
        "received once, never tried: once the function failed: ValueError: no, with its batch of 2: "
        "calls were about its batch mates, none about it"
    )


@pytest.mark.parametrize(
    ("invocation", "text"),
    [
        ({"outcome": "timeout", "duration_s": 3.0}, "the function was timed out after 3.00 s, with its batch of 2"),
        ({"outcome": "crash"}, "the function's process ended in the middle, with its batch of 2"),
        ({"outcome": "ok"}, "the function reported it as failed"),
    ],
)
def test_how_an_attempt_failed(invocation: dict[str, Any], text: str) -> None:
    assert why(batch_that_failed(**invocation), "m1").receives[0].reason == text


def test_function_that_could_not_be_initialised() -> None:
    record = recording(
        messages=[submitted(), message("received", 0.4, receive_count=1), message("returned", 9.0, receive_count=1)],
        invocations=[ran(0.5, "p1", failed=["m1"], outcome="init_error", error_message="No module named 'x'")],
    )

    assert why(record).summary == (
        "received once, never tried: once the function could not be initialised: No module named 'x'"
    )


def failed_attempt(**more: Any) -> Attempt:
    return failed_attempts(work_stays(life_of(batch_that_failed(**more), "m1"))[0])[0]


def test_log_lines_of_an_attempt() -> None:
    """Those that name its request id, and what its environment printed while it ran; nothing of the platform."""
    lines = [
        Line(T0 + 0.5, "1/[$LATEST]e1", "START RequestId: p1 Version: $LATEST"),
        Line(T0 + 0.6, "1/[$LATEST]e1", "a print"),
        Line(T0 + 0.65, "1/[$LATEST]e1", '{"requestId": "p0", "event": "late line of the one before"}'),
        Line(T0 + 0.66, "1/[$LATEST]e1", '{"_aws": {}, "requestId": "p1"}'),
        Line(T0 + 0.6, "1/[$LATEST]e2", "a print of another environment"),
        Line(T0 + 5, "1/[$LATEST]e1", "a print of the next invocation"),
        Line(T0 + 9, "", '{"requestId": "p1"}'),
    ]

    assert [line.text for line in of_attempt(lines, failed_attempt(outcome="error"))] == [
        "a print",
        '{"requestId": "p1"}',
    ]


def test_lines_of_the_next_invocation_of_the_environment_are_left_out() -> None:
    """It may start a millisecond after the end, sooner than a late line is waited for."""
    ended_ts, lines = T0 + 0.2, [Line(T0 + at, "e1", f"{at}") for at in (0.1, 0.2, 0.201, 0.203)]
    alone = replace(failed_attempt(), started_ts=T0, ended_ts=ended_ts, environment="e1", next_started_ts=None)
    followed = replace(alone, next_started_ts=T0 + 0.2024)

    assert [line.text for line in of_attempt(lines, alone)] == ["0.1", "0.2", "0.201", "0.203"]
    assert [line.text for line in of_attempt(lines, followed)] == ["0.1", "0.2", "0.201"]


def test_next_invocation_of_an_environment_is_known() -> None:
    rows = Rows(recording(invocations=[ran(0.0, "p1"), ran(0.5, "p2", ["m2"]), ran(0.3, "p3", environment="e2")]))
    starts = {row["request_id"]: rows.next_start(row) for row in rows.invocations({"p1", "p2", "p3"})}

    assert starts == {"p1": T0 + 0.5, "p2": None, "p3": None}


def test_lines_about_a_batch_mate_are_left_out() -> None:
    lines = [Line(T0, "", text) for text in ("of m1", "of m2", "of neither", "of m1 and m2")]

    assert [line.text for line in about(lines, "m1", failed_attempt())] == ["of m1", "of neither", "of m1 and m2"]


def test_last_error_comes_from_the_log_where_the_function_answered() -> None:
    """A message that is reported as failed has no error document."""
    text = json.dumps({"event": "attempt.failed", "errorType": "TransientFault", "errorMessage": "draw 0.1"})
    found = why(batch_that_failed(), "m1", logged={"p1": [Line(T0, "", text)]})

    assert found.last_error == "TransientFault: draw 0.1"
    assert found.receives[0].error == "TransientFault: draw 0.1"
    assert found.last_lines == (text,)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[ERROR] KeyError: 'a'\nTraceback (most recent call last):", "KeyError: 'a'"),
        ("[ERROR] KeyError: 'a'\rTraceback (most recent call last):\r", "KeyError: 'a'"),
        ("[ERROR] ", None),
        ('{"error_type": "E"}', "E"),
        ('{"message": "all is well"}', None),
        ("plain", None),
        ('{"broken', None),
    ],
)
def test_errors_in_lines(text: str, error: str | None) -> None:
    assert error_in([Line(T0, "", text)]) == error


def test_structured_line_for_people() -> None:
    """Without what its place tells, nulls and ids that are known."""
    line = json.dumps(
        {"event": "attempt.failed", "ts": 1.5, "taskId": "t-1", "a": None, "backoffS": 2, "why": "two words"}
    )

    assert shown(line, {"t-1"}) == 'attempt.failed backoffS=2 why="two words"'
    assert shown("a print", ()) == "a print"


def test_queue_is_named_by_its_arn() -> None:
    assert why(recording(messages=[submitted()])).queue == QUEUE.rpartition(":")[2]


def test_message_that_was_worked_off_and_not_deleted_was_tried() -> None:
    """Twice here, by a fault that drops deletes."""
    story = Story().sent("m1")
    for at in (1, 31):
        story.tried("m1", at=at)._row("not_deleted", "m1", at + 0.6, {"fault": "dropped"}).back("m1", at + 30)
    record = recording(messages=story.moved("m1", 62).messages, invocations=story.invocations)

    assert why(record).summary == (
        "received twice, tried twice: twice the function was done with it, and its delete was dropped by fault dropped"
    )
