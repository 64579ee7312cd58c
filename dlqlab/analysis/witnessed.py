"""What the recorder saw of our specimen's tasks: deliveries, attempts, effects, dead letters, messages.

An attempt is a claim that the task table took: the write that counts it. Its end is the write that the claim's holder
makes afterwards. Which write is which its update expression says, and that comes from where the app has it.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dlqlab.analysis.attempts import FAILED, SUCCEEDED
from dlqlab.analysis.frames import rows
from dlqlab.analysis.writes import ITEM_WRITES
from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.topology import Topology
from taskrules import requests
from taskrules.store import Claim, Failure
from taskrules.tasks import AttemptRecord, Status, Task

CLAIMED = "claimed"
OTHER = "other"
"""A write of the processor's that is none of the app's: it may be an effect that nobody counts."""
REFUSED_MIN = 400
"""The lowest HTTP status that refuses a request."""
_PLACE = re.compile(r"history\[\d+\]")
_TASK = Task(
    task_id="",
    status=Status.PROCESSING,
    generation=1,
    attempts=1,
    effects=0,
    payload_json="",
    payload_digest="",
    created_ts=0,
    updated_ts=0,
    history=(AttemptRecord(generation=1, attempt=1, started_ts=0),),
)
_CLAIM = Claim(task_id="", generation=1, message_id="", token="", now=0, lease_until_ts=0, attempts_max=1)


def _shape(request: requests.Request) -> str:
    return _PLACE.sub("history[]", request["UpdateExpression"])


def _failures() -> tuple[str, ...]:
    kinds = [Failure(error_type="", error_message="", not_before_ts=0, closed=closed) for closed in (False, True)]
    return tuple(_shape(requests.fail("", _TASK, failure, now=0)) for failure in kinds)


_KINDS: Mapping[str, str] = {
    _shape(requests.claim("", _CLAIM)): CLAIMED,
    _shape(requests.complete("", _TASK, now=0)): SUCCEEDED,
    **dict.fromkeys(_failures(), FAILED),
}
"""What the processor's writes of a task are, by their update expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """AWS's names of the parts of the pipeline, and the attribute that is the key of each table."""

    queue: str
    dead_letters: str
    processor: str
    monitor: str
    tasks: tuple[str, str]
    archive: tuple[str, str]

    @classmethod
    def of(cls, topology: Topology) -> "Parts":
        """The parts of our specimen.

        Raises:
            TopologyError: the pipeline has other parts.
        """
        work, own = topology.work, topology.evidence
        tasks, archive = topology.table(own.tasks or ""), topology.table(own.archive or "")
        return cls(
            queue=work.queue.name,
            dead_letters=work.dead_letters.name,
            processor=work.consumer.name,
            monitor=work.dead_letter_consumer.name,
            tasks=(tasks.name, tasks.key),
            archive=(archive.name, archive.key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One that was given messages; ``ended_ts`` and ``outcome`` are None where it had not ended."""

    function: str
    started_ts: float
    ended_ts: float | None
    outcome: str | None
    message_ids: tuple[str, ...]


@dataclass(slots=True)
class Attempt:
    """One that the task table took; ``end`` is SUCCEEDED, FAILED, or None where nothing was written."""

    claimed_ts: float
    end: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that entered a queue. ``body`` is None where it was not kept."""

    queue: str
    message_id: str
    by: str | None  # request id of the invocation that sent it
    body: str | None
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A message that was deleted; ``by`` is the request id of the invocation for or by which it was."""

    message_id: str
    actor_kind: str
    by: str | None


@dataclass(slots=True, kw_only=True)
class Witnessed:
    """What was seen of the tasks in question; tasks of which nothing was seen are in none of the maps."""

    invocations: dict[str, Invocation]
    task_of: dict[str, str]  # by message id
    attempts: dict[tuple[str, str], list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    """By task and request id, in the order of their claims."""
    effects: Counter[str] = field(default_factory=Counter)
    archived: set[tuple[str, str]] = field(default_factory=set)
    """Request id and archive id: written by it, or found to be there already."""
    sent: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))  # by task
    gone: list[Gone] = field(default_factory=list)
    last_ts: float = 0.0


def witnessed(recording: Recording, parts: Parts, tasks: Collection[str], said: Mapping[str, str]) -> Witnessed:
    """What was recorded of these tasks.

    Args:
        tasks: ids of the tasks in question.
        said: task ids by message ids as the app tells them, for messages whose bodies were not kept.
    """
    messages = _chosen(
        recording.messages,
        ["ts", "queue", "message_id", "kind", "actor_kind", "request_id", "body_sha256"],
        pc.is_in(recording.messages["kind"], pa.array([Kind.SENT, Kind.DELETED, Kind.FILTERED], pa.string())),
    )
    messages["queue"] = messages["queue"].str.rpartition(":")[2]
    messages = messages[messages["queue"].isin([parts.queue, parts.dead_letters])]
    seen = Witnessed(invocations=_invocations(recording, parts), task_of={}, last_ts=_last_ts(recording))
    _read_sent(seen, messages[messages["kind"] == Kind.SENT], recording.bodies, tasks, said)
    for row in rows(messages[messages["kind"] != Kind.SENT]):
        if row.message_id in seen.task_of:
            seen.gone.append(Gone(message_id=row.message_id, actor_kind=row.actor_kind, by=_text(row.request_id)))
    _read_writes(seen, recording.calls, parts, tasks)
    return seen


def _chosen(table: pa.Table, columns: list[str], wanted: Any) -> pd.DataFrame:
    chosen: pd.DataFrame = table.select(columns).filter(wanted).to_pandas()
    return chosen


def _invocations(recording: Recording, parts: Parts) -> dict[str, Invocation]:
    table = recording.invocations
    columns = ["request_id", "function", "started_ts", "ended_ts", "outcome", "message_ids"]
    is_ours = pc.is_in(table["function"], pa.array([parts.processor, parts.monitor], pa.string()))
    found = table.select(columns).filter(pc.and_(is_ours, pc.is_valid(table["message_ids"]))).to_pylist()
    return {row.pop("request_id"): Invocation(**(row | {"message_ids": tuple(row["message_ids"])})) for row in found}


def _last_ts(recording: Recording) -> float:
    ends = [pc.max(recording.calls["ts"]), pc.max(recording.messages["ts"]), pc.max(recording.invocations["ended_ts"])]
    return max((end.as_py() or 0.0 for end in ends), default=0.0)


def _read_sent(
    seen: Witnessed, messages: pd.DataFrame, bodies: pa.Table, tasks: Collection[str], said: Mapping[str, str]
) -> None:
    kept = {row["body_sha256"]: (row["body"], row["is_cut"]) for row in bodies.to_pylist()}
    for row in rows(messages):
        body, is_cut = kept.get(row.body_sha256, (None, False))
        whole = None if body is None or is_cut else _task_in(body)
        task = whole or said.get(row.message_id)
        if task is None or task not in tasks:
            continue
        by = _text(row.request_id) if row.actor_kind == ActorKind.INVOCATION else None
        seen.task_of[row.message_id] = task
        seen.sent[task].append(Sent(queue=row.queue, message_id=row.message_id, by=by, body=body, is_cut=is_cut))


def _task_in(body: str) -> str | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    task = found.get("taskId") if isinstance(found, dict) else None
    return task if isinstance(task, str) else None


def _read_writes(seen: Witnessed, calls: pa.Table, parts: Parts, tasks: Collection[str]) -> None:
    """Claims, ends and effects of tasks, and the archive's items, in the order in which they were asked for."""
    columns = ["request_id", "function", "operation", "resource", "item_key", "update", "status", "error_code", "ts"]
    is_write = pc.and_(pc.equal(calls["service"], "dynamodb"), pc.is_in(calls["operation"], pa.array(ITEM_WRITES)))
    writes = _chosen(calls, columns, is_write)
    writes["table"] = writes["resource"].str.rpartition("/")[2]
    for row in rows(_items(writes, parts.archive)):
        if row.status < REFUSED_MIN or row.error_code == requests.CONDITION_FAILED:
            seen.archived.add((str(row.request_id), row.key))
    taken = _items(writes[writes["status"] < REFUSED_MIN], parts.tasks)
    for row in rows(taken):
        kind = _KINDS.get(_PLACE.sub("history[]", row.update)) if isinstance(row.update, str) else None
        if kind is None and row.function == parts.processor:
            kind = OTHER
        if kind is not None and row.key in tasks:
            _read_write(seen, kind, row.key, str(row.request_id), row.ts)


def _read_write(seen: Witnessed, kind: str, task: str, request_id: str, ts: float) -> None:
    attempts = seen.attempts[task, request_id]
    if kind == CLAIMED:
        attempts.append(Attempt(ts))
    elif attempts and attempts[-1].end is None and kind != OTHER:
        attempts[-1].end = kind
    if kind in {SUCCEEDED, OTHER}:
        seen.effects[task] += 1


def _items(writes: pd.DataFrame, table: tuple[str, str]) -> pd.DataFrame:
    """The writes of one table, with the ``key`` of the item as a text."""
    name, key = table
    chosen = writes[(writes["table"] == name) & writes["item_key"].notna()]
    return chosen.assign(key=chosen["item_key"].str.extract(rf'"{key}":\{{"S":"([^"]*)"\}}')[0]).dropna(subset=["key"])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
