"""Tiny constructors for histories of a few rows.

A history reads as ``evidence(acked(1), completed(1), acked(2))``: task 2 was acknowledged and never seen again. Each
constructor gives the rows of one fact; numbers name tasks, times are seconds after the start of the load.
"""

from collections import defaultdict
from typing import Any

import pandas as pd

from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.tables import TABLES, frame
from dlqlab.specimens import task_system
from taskrules.faults import FaultPlan
from tests.support.simulation import API, ERROR, LOAD_STARTED_TS, MONITOR, PROCESSOR, task_id

Row = tuple[str, dict[str, Any]]
Rows = tuple[Row, ...]
T0 = LOAD_STARTED_TS
PAYLOAD = '{"amount": 7}'
ALWAYS_FAILS = Scenario(name="always fails", faults=FaultPlan(failure_rate=1.0))
NEVER_FAILS = Scenario(name="never fails", faults=FaultPlan(failure_rate=0.0))


def evidence(
    *facts: Rows, scenario: Scenario = NEVER_FAILS, drained: bool = True, finished: bool = True, **manifest: Any
) -> RunEvidence:
    """The evidence that these facts make up."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for fact in facts:
        for table, row in fact:
            rows[table].append(row)
    value = {
        "run_id": "tiny",
        "scenario": scenario.to_dict(),
        "finished": finished,
        "drained": drained,
        "load_started_ts": T0,
        "load_ended_ts": T0 + 10,
        "drain_ended_ts": T0 + 20,
        **manifest,
    }
    tables = {name: _frame(name, rows[name]).copy() for name in TABLES}
    return RunEvidence(manifest=Manifest.from_json(value), tables=tables, topology=task_system("local"))


_frames: dict[str, pd.DataFrame] = {}


def _frame(table: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Tiny histories share most of their tables, and to make a frame takes ten times what a copy takes."""
    key = f"{table} {rows}"
    if key not in _frames:
        _frames[key] = frame(table, rows)
    return _frames[key]


def sent(n: int, outcome: str | None, *, payload: str = PAYLOAD, at: float = 0.0) -> Rows:
    row = {"task_id": task_id(n), "request_id": f"r{n}-{outcome}-{at}", "payload": payload, "outcome": outcome}
    return (("ledger", row | {"sent_ts": T0 + at, "done_ts": T0 + at + 0.01, "latency_ms": 10.0}),)


def acked(n: int, **more: Any) -> Rows:
    return sent(n, "acknowledged", **more)


def unanswered(n: int) -> Rows:
    return sent(n, "unknown")


def refused(n: int) -> Rows:
    return sent(n, "refused")


def item(n: int, status: str, **fields: Any) -> Rows:
    """The task's item; a terminal one has its effect or its archive unless the fields say otherwise."""
    done, failed = status == "COMPLETED", status == "FAILED"
    row = {
        "task_id": task_id(n),
        "status": status,
        "attempts": 1,
        "generation": 1,
        "effects": 1 if done else 0,
        "payload": PAYLOAD,
        "created_ts": T0,
        "in_table": True,
        "archived": failed,
        "archive_id": f"{task_id(n)}#1" if failed else None,
        "archive_body": f'{{"taskId": "{task_id(n)}", "payload": {PAYLOAD}}}' if failed else None,
    }
    return (("tasks", row | fields),)


def event(name: str, n: int | None, *, attempt: int | None = 1, at: float = 0.1, **fields: Any) -> Rows:
    function = {"task.accepted": API, "task.dead_lettered": MONITOR}.get(name, PROCESSOR)
    row = {
        "event": name,
        "ts": T0 + at,
        "run_id": "tiny",
        "task_id": None if n is None else task_id(n),
        "attempt": attempt,
        "generation": 1,
        "receive_count": attempt,
        "message_id": f"m{n}",
        "function": function,
        "line_id": f"{name}-{n}-{attempt}-{at}",
    }
    return (("events", row | fields),)


def started(n: int, attempt: int = 1, **more: Any) -> Rows:
    return event("attempt.started", n, attempt=attempt, **more)


def succeeded(n: int, attempt: int = 1, **more: Any) -> Rows:
    return event("attempt.succeeded", n, attempt=attempt, **more)


def failed(n: int, attempt: int = 1, *, backoff_s: int | None = 2, permanent: bool = False, **more: Any) -> Rows:
    fields = {"backoff_s": backoff_s, "permanent": permanent, **ERROR}
    return event("attempt.failed", n, attempt=attempt, **(fields | more))


def skipped(n: int, **more: Any) -> Rows:
    return event("attempt.skipped", n, attempt=None, reason="already completed", **more)


def letter(n: int | None, *, attempts: int = 3, **more: Any) -> Rows:
    """The monitor's line about a dead letter."""
    fields = {"payload": PAYLOAD, "attempts": attempts, "reason": "retries exhausted", "archived": True, **ERROR}
    return event("task.dead_lettered", n, attempt=None, at=9.0, **(fields | {"receive_count": attempts + 1} | more))


def completed(n: int) -> Rows:
    """A first attempt that succeeded, and its item."""
    return (*started(n, at=0.1), *succeeded(n, at=0.2), *item(n, "COMPLETED"))


def exhausted(n: int, *, early_s: float = 0.0) -> Rows:
    """Three failing attempts 2 s and 4 s apart as the default policy asks, then the dead letter and the item.

    ``early_s``: how much earlier than asked the second attempt starts.
    """
    second, third = 2.3 - early_s, 6.6
    return (
        *started(n, 1, at=0.1),
        *failed(n, 1, at=0.2),
        *started(n, 2, at=second),
        *failed(n, 2, at=second + 0.1, backoff_s=4),
        *started(n, 3, at=third),
        *failed(n, 3, at=third + 0.1, backoff_s=0),
        *letter(n),
        *item(n, "FAILED", attempts=3),
    )


def in_flight(n: int) -> Rows:
    """A failed attempt whose retry has not come."""
    return (*started(n, 1, at=0.1), *failed(n, 1, at=0.2), *item(n, "RETRYING"))


def junk(number: int) -> Rows:
    """An archived message that is not a task."""
    row = {"in_table": False, "archived": True, "archive_id": f"junk-{number}", "archived_ts": T0 + 1}
    return (*letter(None, attempts=0), ("tasks", row))


def depth(queue: str, at: float, *, visible: int = 0, hidden: int = 0) -> Rows:
    """One sample of a queue."""
    return (("queues", {"ts": T0 + at, "queue": queue, "visible": visible, "in_flight": hidden, "delayed": 0}),)


def empty_queues(since: float, until: float) -> Rows:
    """Samples of both queues, once a second, that show no message."""
    moments = [since + second for second in range(int(until - since) + 1)]
    return tuple(row for at in moments for queue in ("tasks", "dead-letters") for row in depth(queue, at))
