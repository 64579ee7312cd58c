"""What the app's own events say, by invocation: the account that is held against the recorder's."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from dlqlab.analysis.attempts import FAILED, SUCCEEDED
from dlqlab.analysis.frames import among, rows
from taskrules.events import EventName
from taskrules.tasks import Action, Refusal, Skip

_ENDS = {EventName.ATTEMPT_SUCCEEDED: SUCCEEDED, EventName.ATTEMPT_FAILED: FAILED}
_OF_DELIVERIES = (EventName.ATTEMPT_STARTED, *_ENDS, EventName.ATTEMPT_SKIPPED, EventName.TASK_DEAD_LETTERED)
_BURIED = frozenset({*(str(one) for one in Refusal if one.action is Action.BURY), str(Skip.MALFORMED)})
_KEPT = frozenset({*(str(one) for one in Refusal if one.action is Action.GIVE_BACK), str(Skip.NO_TIME)})
_ERROR = re.compile(r"[A-Za-z_]\w*: ")
"""How the reason of a skip begins that an error led to: its type."""


@dataclass(slots=True)
class ToldAttempt:
    """One that the log tells of; a time is None where its event is missing."""

    task_id: str
    started_ts: float | None = None
    ended_ts: float | None = None
    end: str | None = None  # SUCCEEDED, FAILED, or None where no end is told


@dataclass(slots=True)
class ToldDelivery:
    """What the events say became of a message that a function had."""

    task_id: str
    function: str
    is_kept: bool = False  # it stays on the queue and comes again
    is_buried: bool = False  # the function sent it to the dead-letter queue
    letter: int | None = None  # it was archived as the dead letter of this generation


@dataclass(slots=True)
class Told:
    """The events of the tasks in question."""

    attempts: dict[tuple[str, str], list[ToldAttempt]] = field(default_factory=lambda: defaultdict(list))
    """By task and request id, in the order of their numbers."""
    deliveries: dict[tuple[str, str], ToldDelivery] = field(default_factory=dict)
    """By request id and message id."""
    last_ts: float = 0.0


def told(events: pd.DataFrame, tasks: set[str]) -> Told:
    """What the events say of these tasks."""
    chosen = events[among(events["task_id"], tasks) & events["event"].isin(_OF_DELIVERIES)]
    columns = ["event", "ts", "task_id", "generation", "attempt", "request_id", "message_id", "function", "reason",
               "permanent"]  # fmt: skip
    found = Told(last_ts=float(chosen["ts"].max()) if len(chosen) else 0.0)
    numbered: dict[tuple[Any, ...], ToldAttempt] = {}
    for row in rows(chosen[columns].sort_values(["generation", "attempt", "ts"])):
        request_id = "" if pd.isna(row.request_id) else str(row.request_id)
        if row.event in _ENDS or row.event == EventName.ATTEMPT_STARTED:
            _note_attempt(found, numbered, row, request_id)
        if not pd.isna(row.message_id):
            key = request_id, str(row.message_id)
            _note_delivery(found.deliveries.setdefault(key, ToldDelivery(row.task_id, str(row.function))), row)
    return found


def _note_attempt(found: Told, numbered: dict[tuple[Any, ...], ToldAttempt], row: Any, request_id: str) -> None:
    key = row.task_id, row.generation, row.attempt, request_id
    attempt = numbered.get(key)
    if attempt is None or (row.event == EventName.ATTEMPT_STARTED and attempt.started_ts is not None):
        attempt = numbered[key] = ToldAttempt(row.task_id)
        found.attempts[row.task_id, request_id].append(attempt)
    if row.event == EventName.ATTEMPT_STARTED:
        attempt.started_ts = float(row.ts)
    else:
        attempt.end, attempt.ended_ts = _ENDS[row.event], float(row.ts)


def _note_delivery(delivery: ToldDelivery, row: Any) -> None:
    reason = None if pd.isna(row.reason) else str(row.reason)
    if row.event == EventName.ATTEMPT_FAILED:
        is_permanent = not pd.isna(row.permanent) and bool(row.permanent)
        delivery.is_kept |= not is_permanent
        delivery.is_buried |= is_permanent
    elif row.event == EventName.ATTEMPT_SKIPPED:
        delivery.is_kept |= reason in _KEPT or _ERROR.match(reason or "") is not None
        delivery.is_buried |= reason in _BURIED
    elif row.event == EventName.TASK_DEAD_LETTERED:
        delivery.letter = 1 if pd.isna(row.generation) else int(row.generation)
