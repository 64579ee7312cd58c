"""The app's account against the recorder's: what is true agrees, and each lie is found and named by its task."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from dlqlab.analysis.checks.witness import OPEN, VIOLATIONS, witness_check
from dlqlab.analysis.facts import Facts
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.manifest import EmulatorSettings
from dlqlab.contracts.verdict import Check, Status
from tests.support.flight import Flight, body_of, claim_update, complete_update, fail_update
from tests.support.rows import PAYLOAD, T0, Rows, acked, event, evidence, item, letter, started, succeeded
from tests.support.simulation import MONITOR, PROCESSOR, task_id

ONE, TWO, THREE = task_id(1), task_id(2), task_id(3)


class History:
    """Three tasks, truthfully told and recorded: one completes, one completes at its second attempt, one is buried.

    A test changes what is told or what is recorded before ``check`` compares them.
    """

    def __init__(self) -> None:
        self.flight = Flight()
        self.told: list[Rows] = []
        self._completed(1, "m1", at=1.0)
        self._sent(2, "m2", 1.5)
        self._failed(2, "m2", "i2", at=2.0)
        self._succeeded(2, "m2", "i3", attempt=2, at=4.5)
        self.told.append(item(2, "COMPLETED", attempts=2))
        self._buried(3, at=6.0)

    def evidence(self, *, gaps: tuple[str, ...] = ()) -> RunEvidence:
        rows = [*self.told, *(acked(number) for number in (1, 2, 3))]
        return replace(evidence(*rows), recording=self.flight.recording(gaps=gaps))

    def check(self, *, gaps: tuple[str, ...] = ()) -> Check:
        return witness_check(Facts(self.evidence(gaps=gaps)))

    def change(self, name: str, task: str, **fields: Any) -> None:
        """What the log tells of a task is changed, in each of its events of that name."""
        self.told = [
            tuple((table, row | fields if is_of(row, name, task) else row) for table, row in rows) for rows in self.told
        ]

    def forget(self, name: str, task: str) -> None:
        """The log does not tell it."""
        self.told = [tuple(pair for pair in rows if not is_of(pair[1], name, task)) for rows in self.told]

    def _completed(self, number: int, message_id: str, at: float) -> None:
        self._sent(number, message_id, at - 0.5)
        self._succeeded(number, message_id, f"i{number}", attempt=1, at=at)
        self.told.append(item(number, "COMPLETED"))

    def _sent(self, number: int, message_id: str, at: float) -> None:
        self.flight.sent(message_id, body_of(task_id(number), PAYLOAD), T0 + at, by=f"a{number}")

    def _succeeded(self, number: int, message_id: str, request_id: str, *, attempt: int, at: float) -> None:
        ids: dict[str, Any] = {"message_id": message_id, "request_id": request_id}
        self.told += [started(number, attempt, at=at, **ids), succeeded(number, attempt, at=at + 0.1, **ids)]
        self.flight.updated(task_id(number), claim_update(), T0 + at, by=request_id)
        self.flight.updated(task_id(number), complete_update(attempt), T0 + at + 0.1, by=request_id)
        self.flight.invoked(PROCESSOR, request_id, T0 + at - 0.1, T0 + at + 0.2, "ok", [message_id])
        self.flight.deleted(message_id, T0 + at + 0.2, by=request_id)

    def _failed(self, number: int, message_id: str, request_id: str, *, at: float, **more: Any) -> None:
        ids: dict[str, Any] = {"message_id": message_id, "request_id": request_id}
        self.told += [started(number, at=at, **ids), event("attempt.failed", number, at=at + 0.1, **ids, **more)]
        self.flight.updated(task_id(number), claim_update(), T0 + at, by=request_id)
        self.flight.updated(task_id(number), fail_update(closed=bool(more)), T0 + at + 0.1, by=request_id)
        self.flight.invoked(PROCESSOR, request_id, T0 + at - 0.1, T0 + at + 0.2, "ok", [message_id])

    def _buried(self, number: int, at: float) -> None:
        self._sent(number, "m3", at - 0.5)
        self._failed(number, "m3", "i4", at=at, permanent=True)
        self.flight.sent("d3", body_of(task_id(number), PAYLOAD), T0 + at + 0.15, by="i4", dead=True)
        self.flight.deleted("m3", T0 + at + 0.2, by="i4")
        self.told += [letter(number, message_id="d3", request_id="i5"), item(number, "FAILED")]
        self.flight.archived(f"{task_id(number)}#1", T0 + 8.9, by="i5")
        self.flight.invoked(MONITOR, "i5", T0 + 8.8, T0 + 9.1, "ok", ["d3"])
        self.flight.deleted("d3", T0 + 9.1, by="i5", dead=True)


def is_of(row: dict[str, Any], name: str, task: str) -> bool:
    return row.get("event") == name and row["task_id"] == task


def drop(rows: list[dict[str, Any]], **wanted: Any) -> None:
    """Take exactly one row out of the record."""
    found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
    assert len(found) == 1
    rows.remove(found[0])


def test_a_truthful_account_agrees() -> None:
    found = History().check()

    assert (Status.VALID, "4 attempts, 2 effects and 4 messages as recorded") == (found.status, found.statement)
    assert (4.0, 4.0, 4) == (found.measured, found.expected, found.n)


def leave_out_start(history: History) -> None:
    history.forget("attempt.started", TWO)


def leave_out_end(history: History) -> None:
    history.forget("attempt.failed", TWO)


def leave_out_delivery(history: History) -> None:
    """A function had the message of a finished task once more, and says nothing of it."""
    history.flight.invoked(PROCESSOR, "i9", T0 + 5, T0 + 5.1, "ok", ["m1"])


def claim_in_secret(history: History) -> None:
    """Another attempt than those of which the log tells."""
    history.flight.updated(TWO, claim_update(), T0 + 4.45, by="i9")


def invent_attempt(history: History) -> None:
    history.told += [started(1, 2, at=5, request_id="i9", message_id="m1")]


def invent_attempt_of_an_invocation(history: History) -> None:
    """The invocation was there and had the message; the table never took a claim."""
    history.told += [started(1, 2, at=1.05, request_id="i1", message_id="m1")]


def tell_success(history: History) -> None:
    """A failed attempt is called a success, and the message comes again all the same."""
    history.change("attempt.failed", TWO, event="attempt.succeeded", backoff_s=None, permanent=None)


def tell_failure(history: History) -> None:
    history.change("attempt.succeeded", ONE, event="attempt.failed", permanent=True)


def tell_end_that_was_not_written(history: History) -> None:
    drop(history.flight.calls, update=fail_update(), request_id="i2")


def write_effect_twice(history: History) -> None:
    """Twice written in one attempt, and the table counts one."""
    history.flight.updated(ONE, complete_update(), T0 + 1.15, by="i1")


def write_effect_uncounted(history: History) -> None:
    """A write of the processor's that is none of the app's: nobody counts what it does."""
    history.flight.updated(ONE, "SET paid = :yes", T0 + 1.15, by="i1")


def count_effect_without_one(history: History) -> None:
    drop(history.flight.calls, update=complete_update(), request_id="i1")


def effect_of_a_failed_task(history: History) -> None:
    history.flight.updated(THREE, complete_update(), T0 + 6.12, by="i4")


def delete_untold(history: History) -> None:
    """The message is deleted by a function that tells of no attempt."""
    for name in ("attempt.started", "attempt.succeeded"):
        history.forget(name, ONE)
    for update in (claim_update(), complete_update()):
        drop(history.flight.calls, update=update, request_id="i1")
    history.told = [rows for rows in history.told if rows and rows[0][1]["task_id"] != ONE]
    history.told.append(item(1, "QUEUED", effects=0))


def delete_by_client(history: History) -> None:
    history.flight.messages[-1] |= {"message_id": "m1", "actor_kind": "client", "request_id": "c1"}
    history.flight.deleted("d3", T0 + 9.1, by="i5", dead=True)


def delete_for_another(history: History) -> None:
    history.flight.deleted("m2", T0 + 1.2, by="i1")


def delete_after_failure(history: History) -> None:
    history.flight.deleted("m2", T0 + 2.2, by="i2")


def bury_nothing(history: History) -> None:
    """The log tells of a permanent failure; no dead letter was sent by that function."""
    next(row for row in history.flight.messages if row["message_id"] == "d3")["request_id"] = "i9"


def archive_nothing(history: History) -> None:
    drop(history.flight.calls, operation="PutItem")


def archive_another(history: History) -> None:
    drop(history.flight.calls, operation="PutItem")
    history.flight.archived(f"{TWO}#1", T0 + 8.9, by="i5")


def change_payload(history: History) -> None:
    """The API sends another payload than it was given."""
    _resend(history, "m1", ONE)


def change_dead_letter(history: History) -> None:
    _resend(history, "d3", THREE)


def _resend(history: History, message_id: str, task: str) -> None:
    sent = next(row for row in history.flight.messages if row["message_id"] == message_id)
    history.flight.messages.remove(sent)
    body = body_of(task, '{"amount": 8}')
    history.flight.sent(message_id, body, sent["ts"], by=sent["request_id"], dead=sent["queue"].endswith("letters"))


def tell_too_early(history: History) -> None:
    history.change("attempt.started", ONE, ts=T0 + 0.75)


def tell_too_late(history: History) -> None:
    history.change("attempt.succeeded", ONE, ts=T0 + 1.35)


LIES: list[tuple[Callable[[History], None], str, str, str]] = [
    (leave_out_start, "untold", TWO, "an attempt is recorded, the log does not tell that it began (invocation i2)"),
    (leave_out_end, "untold", TWO, "an attempt failed as recorded, the log tells no end of it (invocation i2)"),
    (leave_out_delivery, "untold", ONE, "had message m1, the log does not tell what became of it"),
    (claim_in_secret, "untold", TWO, "(invocation i9)"),
    (invent_attempt, "invented", ONE, "an attempt by the log, no claim of it is recorded (invocation i9)"),
    (invent_attempt_of_an_invocation, "invented", ONE, "no claim of it is recorded (invocation i1)"),
    (tell_success, "other_outcome", TWO, "an attempt succeeded by the log, that it failed is recorded"),
    (tell_failure, "other_outcome", ONE, "an attempt failed by the log, that it succeeded is recorded"),
    (tell_end_that_was_not_written, "other_outcome", TWO, "an attempt failed by the log, no end is recorded"),
    (write_effect_twice, "other_effects", ONE, "2 effects recorded, 1 in the table, COMPLETED"),
    (write_effect_uncounted, "other_effects", ONE, "2 effects recorded, 1 in the table, COMPLETED"),
    (count_effect_without_one, "other_effects", ONE, "0 effects recorded, 1 in the table, COMPLETED"),
    (effect_of_a_failed_task, "other_effects", THREE, "1 effects recorded, 0 in the table, FAILED"),
    (delete_untold, "deleted", ONE, "message m1 was deleted for invocation i1, which tells of no attempt"),
    (delete_by_client, "deleted", ONE, "message m1 was deleted by a client"),
    (delete_for_another, "deleted", TWO, "message m2 was deleted for invocation i1, which did not have it"),
    (delete_after_failure, "deleted", TWO, "for invocation i2, after which it is to come again by the log"),
    (bury_nothing, "other_dead_letter", THREE, "message m3 was sent to the dead-letter queue, the record has no such"),
    (archive_nothing, "other_dead_letter", THREE, "message d3 was archived, the record has no such write"),
    (archive_another, "other_dead_letter", THREE, "message d3 was archived, the record has no such write"),
    (change_payload, "other_payload", ONE, "payload.amount: 7 sent, 8 there"),
    (change_dead_letter, "other_payload", THREE, "payload.amount: 7 sent, 8 there"),
    (tell_too_early, "out_of_reach", ONE, "the start of an attempt is told 0.150 s before its invocation"),
    (tell_too_late, "out_of_reach", ONE, "the end of an attempt is told 0.150 s after its invocation"),
]


@pytest.mark.parametrize(("lie", "name", "task", "words"), LIES, ids=lambda value: getattr(value, "__name__", None))
def test_a_lie_is_found_and_named(lie: Callable[[History], None], name: str, task: str, words: str) -> None:
    history = History()
    lie(history)
    found = history.check()

    assert (Status.UNKNOWN if name in OPEN else Status.INVALID) is found.status
    assert (task,) == found.members[name]
    assert {task} == set().union(*found.against.values())
    assert any(
        (task, name) == (one["task_id"], one["set"]) and words in one["difference"]
        for one in found.details["disagreements"]
    )
    assert task in found.statement


def test_each_set_has_its_lie() -> None:
    """But the two that the recorder itself makes necessary, which have tests of their own."""
    assert VIOLATIONS.keys() | OPEN.keys() == {name for _, name, _, _ in LIES} | {"hidden", "unread"}


@pytest.mark.parametrize("lie", [invent_attempt, count_effect_without_one, tell_end_that_was_not_written])
def test_what_a_gap_may_hide_is_open(lie: Callable[[History], None]) -> None:
    """The recorder lacks rows: that it does not have what the log tells is no lie."""
    history = History()
    lie(history)
    found = history.check(gaps=("7 rows are missing",))

    assert Status.UNKNOWN is found.status
    assert {"hidden"} == found.against.keys()
    assert "the record has gaps, which may hide more: 7 rows are missing" in found.statement


def test_what_is_recorded_contradicts_in_spite_of_gaps() -> None:
    history = History()
    leave_out_start(history)

    assert Status.INVALID is history.check(gaps=("7 rows are missing",)).status


def test_a_record_with_gaps_proves_nothing() -> None:
    """A lost row may have been a second effect."""
    assert Status.UNKNOWN is History().check(gaps=("7 rows are missing",)).status


def test_a_record_that_ends_before_the_run_has_a_gap() -> None:
    history = History()
    for rows, name in ((history.flight.messages, "ts"), (history.flight.calls, "ts")):
        rows[:] = [row for row in rows if row[name] < T0 + 6.5]
    drop(history.flight.invocations, request_id="i5")
    found = history.check()

    assert Status.UNKNOWN is found.status
    assert "it ends 2.8 s before the app's last event" in found.statement


@pytest.mark.parametrize(
    ("outcome", "status"), [("timeout", Status.VALID), ("crash", Status.VALID), ("error", Status.INVALID)]
)
def test_who_died_after_a_write_could_not_tell_of_it(outcome: str, status: Status) -> None:
    """A function that ended in mid-batch: the write is recorded, its event is nowhere. Who reports an error lives."""
    history = History()
    leave_out_end(history)
    next(row for row in history.flight.invocations if row["request_id"] == "i2")["outcome"] = outcome

    assert status is history.check().status


def test_secrets_are_compared_as_the_recorder_keeps_them() -> None:
    """The client's payload has a password, the record of its message a mask."""
    sent = '{"amount": 7, "password": "p"}'
    history = History()
    history.told = [
        tuple((table, row | ({"payload": sent} if table == "tasks" else {})) for table, row in rows)
        for rows in history.told
    ]
    masked = {key: json.loads(body) for key, body in history.flight.bodies.items()}
    for value in masked.values():
        value["payload"]["password"] = "[redacted]"
    history.flight.bodies = {key: json.dumps(value) for key, value in masked.items()}
    run = history.evidence()
    ledger = run.tables["ledger"].assign(payload=pd.array([sent] * 3, dtype="string"))

    found = witness_check(Facts(replace(run, tables={**run.tables, "ledger": ledger})))
    assert Status.VALID is found.status


def test_bodies_that_were_not_kept_leave_the_rest_to_be_compared() -> None:
    """``--no-bodies``: which message is whose the log says; a lie about an attempt is found all the same."""
    history = History()
    history.flight.bodies = {}
    assert Status.VALID is history.check().status

    delete_after_failure(history)
    assert (TWO,) == history.check().members["deleted"]


def test_a_cut_body_is_unread() -> None:
    history = History()
    history.flight.cut_at = 40
    found = history.check()

    assert Status.UNKNOWN is found.status
    assert {"unread": (ONE, TWO, THREE)} == found.against


def test_a_run_that_nothing_recorded_has_no_second_account() -> None:
    """Another target, ``--no-recorder``, an older run: nothing contradicts the app, and the statement says why."""
    found = witness_check(Facts(evidence(acked(1))))

    assert (Status.VALID, 0) == (found.status, found.n)
    assert found.statement.startswith("not compared: nothing was recorded")

    off = witness_check(Facts(evidence(acked(1), not_measured={"recording": "the recorder was off"})))
    assert (Status.VALID, "not compared: the recorder was off") == (off.status, off.statement)


def test_a_record_that_was_made_and_is_missing_is_unknown() -> None:
    run = evidence(acked(1))
    manifest = replace(run.manifest, emulator=EmulatorSettings(patches=("recorder",)))

    assert Status.UNKNOWN is witness_check(Facts(replace(run, manifest=manifest))).status


def test_tasks_of_others_are_nobodys_lie() -> None:
    """What the emulator recorded of probes and of an earlier load is not this run's."""
    history = History()
    history.flight.sent("m8", body_of(task_id(8), PAYLOAD), T0 - 9, by="a8")
    history.flight.invoked(PROCESSOR, "i8", T0 - 9, T0 - 8, "ok", ["m8"])
    history.flight.updated(task_id(8), claim_update(), T0 - 8.5, by="i8")
    history.flight.deleted("m8", T0 - 8, by="i8")

    assert Status.VALID is history.check().status
