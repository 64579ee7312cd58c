"""Of a record what belongs to a window, whole, without the rest."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dlqlab.contracts.recording import TABLES, Recording, schema
from dlqlab.emulator.recorder import parts
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.reader import Between, Reader, read
from dlqlab.emulator.recorder.rows import (
    BODY,
    CALL,
    CALL_FIELDS,
    ENDED,
    ENDED_FIELDS,
    FAULT,
    FAULT_FIELDS,
    MESSAGE,
    MESSAGE_FIELDS,
    STARTED,
    STARTED_FIELDS,
)

QUEUE = "arn:q"


class Written:
    """A record that is made row by row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = Journal(folder)
        self._places = itertools.count(1)

    def message(self, ts: float, message_id: str, kind: str = "received", **more: Any) -> None:
        who = {"queue": QUEUE, "message_id": message_id, "kind": kind, "actor_kind": "client"}
        self._give(MESSAGE, MESSAGE_FIELDS, {"ts": ts, **who, **more})

    def invocation(self, started_ts: float, ended_ts: float | None, request_id: str, **more: Any) -> None:
        place = self.started(started_ts, request_id, **more)
        if ended_ts is not None:
            self.finished(place, ended_ts)

    def started(self, started_ts: float, request_id: str, **more: Any) -> int:
        row = {"started_ts": started_ts, "request_id": request_id, "function": "f", **more}
        return self._give(STARTED, STARTED_FIELDS, row)

    def finished(self, place: int, ended_ts: float, **more: Any) -> None:
        self._give(ENDED, ENDED_FIELDS, {"started_seq": place, "ended_ts": ended_ts, "outcome": "ok", **more})

    def call(self, ts: float, duration_s: float, request_id: str | None = None) -> None:
        row = {"actor_kind": "client", "service": "sqs", "status": 200, "request_id": request_id}
        self._give(CALL, CALL_FIELDS, {"ts": ts, "duration_s": duration_s, **row})

    def body(self, sha256: str, text: str) -> None:
        self._journal.give((BODY, sha256, text, len(text), False, False))

    def ended(self) -> Path:
        self._journal.close()
        return self.folder

    def _give(self, tag: str, fields: Sequence[str], row: dict[str, Any]) -> int:
        place = next(self._places)
        self._journal.give((tag, *(place if name == "seq" else row.get(name) for name in fields)))
        return place


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "recording")


def in_window(folder: Path, start_ts: float, end_ts: float) -> dict[str, list[dict[str, Any]]]:
    with Reader(folder, folder.parent / "scratch", window=Between(start_ts, end_ts)) as reader:
        return {table: [row for part in reader.parts(table) for row in part.to_pylist()] for table in TABLES}


def test_message_that_lives_into_the_window_is_whole(written: Written) -> None:
    """With what happened to it before and after; one that is gone before, or comes after, is left out."""
    for ts, message_id in (
        (1, "gone"),
        (2, "lives"),
        (3, "gone"),
        (10, "lives"),
        (15, "new"),
        (30, "lives"),
        (31, "late"),
    ):
        written.message(ts, message_id)
    found = in_window(written.ended(), 10, 20)["messages"]

    assert [(2, "lives"), (10, "lives"), (15, "new"), (30, "lives")] == [
        (row["ts"], row["message_id"]) for row in found
    ]


def test_invocations_of_the_window_and_of_its_messages(written: Written) -> None:
    """One that runs into the window, one that still ran at its end, and the earlier one of a message that lives on."""
    written.message(2, "lives")
    written.message(12, "lives")
    written.invocation(1, 2, "before")
    written.invocation(2, 3, "had it", message_ids=["other", "lives"])
    written.invocation(4, 11, "runs into it")
    written.invocation(19, None, "still runs")
    written.invocation(21, 22, "after")
    found = in_window(written.ended(), 10, 20)["invocations"]

    assert ["had it", "runs into it", "still runs"] == [row["request_id"] for row in found]
    assert [3, 11, None] == [row["ended_ts"] for row in found]


def test_calls_of_the_window_and_of_its_invocations(written: Written) -> None:
    """A long poll that ends in the window; a call of an invocation, and the request that this came of."""
    written.invocation(9, 25, "runs", client_request_id="asked")
    for ts, duration_s, request_id in (
        (1, 1, "before"),
        (1, 1, "asked"),
        (5, 6, None),
        (24, 0.1, "runs"),
        (24, 1, None),
    ):
        written.call(ts, duration_s, request_id)
    found = in_window(written.ended(), 10, 20)["calls"]

    assert [(1, "asked"), (5, None), (24, "runs")] == [(row["ts"], row["request_id"]) for row in found]


def test_bodies_of_the_messages_once_each(written: Written) -> None:
    """Also where the emulator wrote one again; not those of messages that are left out."""
    for sha256, text in (("aa", "mine"), ("bb", "gone"), ("aa", "mine")):
        written.body(sha256, text)
    written.message(1, "gone", "sent", body_sha256="bb")
    written.message(15, "new", "sent", body_sha256="aa")
    found = in_window(written.ended(), 10, 20)["bodies"]

    assert [("aa", "mine")] == [(row["body_sha256"], row["body"]) for row in found]


def test_record_in_many_parts_is_in_order(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows are in memory at a time."""
    monkeypatch.setattr(parts, "PART_ROWS", 7)
    for number in range(100):
        written.message(100 - number, f"m{number}")
    record = read(written.ended())

    assert list(range(1, 101)) == record.messages["ts"].to_pylist()
    assert schema("messages") == record.messages.schema


def test_reader_leaves_nothing_behind(written: Written) -> None:
    """Its scratch folder is empty afterwards, also where there is no record."""
    written.message(1, "m")
    folder = written.ended()
    in_window(folder, 0, 2)

    assert [] == list((folder.parent / "scratch").iterdir())


def batch(written: Written) -> Path:
    """An invocation with two messages sends one on for the second; the key is only in bodies."""
    for ts, message_id in ((1, "a"), (2, "b")):
        written.message(ts, message_id, "sent", body_sha256=message_id * 2)
        written.body(message_id * 2, json.dumps({"taskId": f"t-{message_id}"}))
    written.invocation(3, 5, "i1", message_ids=["a", "b"])
    by_function = {"actor_kind": "invocation", "actor": "f", "request_id": "i1"}
    written.body("cc", json.dumps({"TopicArn": "arn", "Message": json.dumps({"taskId": "t-b"})}))
    written.message(4, "c", "sent", body_sha256="cc", **by_function)
    written.message(4.5, "unread", "sent", body_sha256="dd", **by_function)
    written.message(6, "c", "deleted")
    return written.ended()


def columns(record: Recording) -> list[tuple[str, list[str] | None, str | None]]:
    names = ("message_id", "parent_ids", "task_key")
    return [tuple(row[name] for name in names) for row in record.messages.to_pylist()]


def test_key_narrows_parents_and_is_told_on_every_row_of_a_message(written: Written) -> None:
    """A body that is not kept leaves both open."""
    assert columns(read(batch(written), task_key="taskId")) == [
        ("a", None, "t-a"),
        ("b", None, "t-b"),
        ("c", ["b"], "t-b"),
        ("unread", ["a", "b"], None),
        ("c", None, "t-b"),
    ]


def test_without_a_declared_key_a_task_is_named_by_its_first_message(written: Written) -> None:
    """What may come from two tasks is of none."""
    assert columns(read(batch(written))) == [
        ("a", None, "a"),
        ("b", None, "b"),
        ("c", ["a", "b"], None),
        ("unread", ["a", "b"], None),
        ("c", None, None),
    ]


def test_trace_header_of_the_senders_own_narrows_parents(written: Written) -> None:
    """That of the invocation, which SDKs pass on, does not."""
    for ts, message_id in ((1, "a"), (2, "b")):
        written.message(ts, message_id, "sent", trace_header=f"Root=1-{message_id}")
    place = written.started(3, "i1", message_ids=["a", "b"])
    for ts, message_id, trace in ((4, "told", "b"), (5, "passed on", "a")):
        by = {"actor_kind": "invocation", "request_id": "i1", "trace_header": f"Root=1-{trace}"}
        written.message(ts, message_id, "sent", **by)
    written.finished(place, 6, trace_header="Root=1-a")

    found = {message_id: parents for message_id, parents, _ in columns(read(written.ended()))}

    assert (found["told"], found["passed on"]) == (["b"], ["a", "b"])


@pytest.mark.parametrize("is_old", [True, False])
def test_strikes_of_an_earlier_version_have_no_numbers(tmp_path: Path, *, is_old: bool) -> None:
    """An emulator that was started before an update may still run, or have left its record."""
    fields = FAULT_FIELDS[: FAULT_FIELDS.index("nth")] if is_old else FAULT_FIELDS
    row = {"seq": 1, "ts": 1.0, "fault": "f", "kind": "call-slow", "task_key": "t", "nth": 2, "attempt": 3}
    journal = Journal(tmp_path / "recording")
    journal.give((FAULT, *(row.get(name) for name in fields)))
    journal.close()

    (found,) = read(tmp_path / "recording").faults.to_pylist()

    assert (found["fault"], found["nth"], found["attempt"]) == ("f", *((None, None) if is_old else (2, 3)))
