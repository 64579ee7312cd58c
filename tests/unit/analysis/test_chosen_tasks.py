"""Which tasks of a run are shown by themselves, and in which row."""

from typing import Any

import pandas as pd
import pytest

from dlqlab.analysis import chosen_tasks
from dlqlab.analysis.chosen_tasks import DEAD_LETTER, SLOW, Chosen, Seen, choose, seen_in_events, seen_in_recording
from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.reasons import reason, work_stays
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.analysis.task_rows import TaskRow, task_row
from dlqlab.analysis.told_lives import NOTE, told_life
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.verdict import Check, NamedSet, SetKind, Status, Verdict
from tests.support.lives import completed, dead_lettered, message, ran, submitted
from tests.support.recordings import T0, recording


def verdict(**sets: tuple[SetKind, tuple[str, ...]]) -> Verdict:
    members = {name: members for name, (_, members) in sets.items()}
    declared = tuple(NamedSet(name, kind, "") for name, (kind, _) in sets.items())
    check = Check(name="c", title="Nothing lost", status=Status.INVALID, statement="", members=members, sets=declared)
    return Verdict(run_id="r", finished=True, checks=(check,))


def row(record: Recording, key: str) -> TaskRow:
    rows = Rows(record)
    [life] = lives(rows, find(rows, key))
    return row_of(life)


def row_of(life: Life) -> TaskRow:
    return task_row(life.key, (), life, [reason(life, stay, {}) for stay in work_stays(life)])


def test_each_reason_is_named_once_and_the_dead_are_not_slow() -> None:
    """A dead letter that a check names has both reasons; sets that count all tasks name none."""
    seen = Seen(letters=("t-1", "t-2"), took_s={"t-1": 9.0, "t-3": 5.0, "t-4": 7.0})
    named = verdict(lost_ones=(SetKind.VIOLATION, ("t-2", "t-5")), attempted=(SetKind.ACCOUNT, ("t-6",)))

    assert choose(seen, named).tasks == (
        Chosen("t-1", (DEAD_LETTER,)),
        Chosen("t-2", (DEAD_LETTER, "Nothing lost: lost ones")),
        Chosen("t-5", ("Nothing lost: lost ones",)),
        Chosen("t-4", (SLOW,)),
        Chosen("t-3", (SLOW,)),
    )


def test_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_tasks, "DEAD_LETTERS_MAX", 2)
    found = choose(Seen(letters=("a", "b", "c", "d"), took_s={}), verdict())

    assert [each.key for each in found.tasks] == ["a", "b"]
    assert found.left_out == ("2 more tasks as “dead letter”",)


def test_only_the_slowest_are_slow() -> None:
    seen = Seen(letters=(), took_s={f"t-{n}": float(n) for n in range(100)})

    assert [each.key for each in choose(seen, verdict()).tasks] == [f"t-{n}" for n in range(99, 49, -1)]


def test_dead_letters_and_times_in_a_recording() -> None:
    """By task id where the app told it, else by message id; queues of nobody's pipeline do not count."""
    record = dead_lettered()

    assert seen_in_recording(record, {"m1": "t-1"}, None) == Seen(letters=("t-1",), took_s={"t-1": 123.0})
    assert seen_in_recording(record, {}, {"tasks", "dead-letters"}).letters == ("m1",)
    assert seen_in_recording(record, {}, {"others"}) == Seen(letters=(), took_s={})


def test_dead_letters_and_times_in_events() -> None:
    rows = [("task.accepted", "t-1", 1.0), ("task.dead_lettered", "t-1", 4.0), ("task.accepted", "t-2", 2.0)]
    events = pd.DataFrame(rows, columns=["event", "task_id", "ts"])

    assert seen_in_events(events) == Seen(letters=("t-1",), took_s={"t-1": 3.0, "t-2": 0.0})


def test_row_of_a_dead_letter() -> None:
    """Received three times, tried once; its time ends when it leaves the queue of its work."""
    assert row(dead_lettered(), "m1") == TaskRow(
        key="m1", why=(), attempts=1, receives=3, outcome="dead-lettered", took_s=122.5,
        last_error="ValueError: on purpose", ids=("p1", "p2", "p3", "monitor-1"),
    )  # fmt: skip


def test_row_of_a_completed_task() -> None:
    found = row(completed(), "t-1")

    assert (found.attempts, found.receives, found.outcome, found.last_error) == (1, 1, "done", None)
    assert found.took_s == pytest.approx(0.8)
    assert found.ids == ("m1", "p1", "r1", "api-invocation")


@pytest.mark.parametrize(
    ("left", "outcome"),
    [(None, "in tasks"), ("expired", "lost: expired"), ("purged", "lost: purged"), ("redriven", "redriven")],
)
def test_row_of_a_task_that_nobody_received(left: str | None, outcome: str) -> None:
    """What is in its queue still has no time."""
    found = row(recording(messages=[submitted(), *([message(left, 5.0)] if left else [])]), "m1")

    assert (found.attempts, found.receives, found.outcome) == (0, 0, outcome)
    assert found.took_s == (5.0 if left else None)


LOST = {
    "lost: named in vain": {"named_ids": ["m1"]},
    "lost: called failed in vain": {"misread_ids": ["m1"]},
    "lost: deleted unfinished": {"failed": ["m1"], "outcome": "error"},
}


@pytest.mark.parametrize(("outcome", "attempt"), LOST.items(), ids=LOST)
def test_message_that_was_deleted_though_no_attempt_succeeded_is_lost(outcome: str, attempt: dict[str, Any]) -> None:
    """The row, and the sentence that says why it is where it is, agree with the check that calls it lost."""
    rows = [submitted(), message("received", 1.0, receive_count=1), message("deleted", 2.0, receive_count=1)]
    record = recording(messages=rows, invocations=[ran(1.1, "p1", **attempt)])
    [life] = lives(Rows(record), find(Rows(record), "m1"))

    assert row_of(life).outcome == outcome
    assert "is lost: deleted from tasks" in reason(life, life.stays[0], {}).where


def test_message_that_its_mapping_deleted_without_an_attempt_is_lost() -> None:
    rows = [submitted(), message("received", 1.0, receive_count=1), message("deleted", 2.0, receive_count=1)]

    assert row(recording(messages=rows), "m1").outcome == "lost: deleted untried"


EVENT = dict.fromkeys(["receive_count", "duration_s", "error_type", "error_message", "backoff_s", "log_stream"])


def event(name: str, at: float, **more: object) -> dict[str, object]:
    common = {"message_id": "m1", "function": "processor", "request_id": f"p{at:g}"}
    return {**EVENT, "event": name, "ts": T0 + at, **common, **more}


def test_life_that_the_app_tells() -> None:
    """Without a recorder: attempts with their errors, the backoff, the move; and a note that says what is not known."""
    error = {"error_type": "ValueError", "error_message": "on purpose"}
    life = told_life(
        "t-1",
        [
            event("task.accepted", 0.0, function="api"),
            event("attempt.started", 1.0, receive_count=1),
            event("attempt.failed", 1.5, backoff_s=2, **error),
            event("attempt.started", 4.0, receive_count=2),
            event("attempt.failed", 4.5, backoff_s=0, **error),
            event("task.dead_lettered", 5.0, function="monitor"),
        ],
        "tasks",
    )
    [stay] = life.stays
    first, second = stay.deliveries
    found = row_of(life)

    assert [(each.received_ts - T0, each.ended_ts) for each in (first, second)] == [(1.0, T0 + 3.5), (4.0, T0 + 4.5)]
    assert ([each.seconds for each in first.hidden], second.hidden) == ([2], ())
    assert (found.attempts, found.outcome, found.took_s) == (2, "dead-lettered", 5.0)
    assert found.last_error == "ValueError: on purpose"
    assert life.notes == (NOTE,)


def test_attempt_whose_end_nobody_reported_is_open() -> None:
    found = row_of(told_life("t-1", [event("task.accepted", 0.0), event("attempt.started", 1.0)], "tasks"))

    assert (found.attempts, found.receives, found.outcome, found.took_s) == (0, 1, "in tasks", None)


def test_success_whose_start_nobody_reported_is_no_loss() -> None:
    """A line that is missing of the app's log is no evidence against the message."""
    error = {"error_type": "ValueError", "error_message": "on purpose"}
    first = [event("attempt.started", 1.0, receive_count=1), event("attempt.failed", 1.5, **error)]
    found = row_of(told_life("t-1", [*first, event("attempt.succeeded", 4.0, receive_count=2)], "tasks"))

    assert (found.attempts, found.outcome) == (2, "done")


def test_task_that_only_a_client_knows() -> None:
    found = row_of(told_life("t-1", [], "tasks"))

    assert (found.attempts, found.outcome, found.took_s) == (0, "no message", None)
