"""Recordings of a few rows, as an emulator would have left them.

    recording(messages=[{"kind": "sent", "message_id": "m1"}, {"kind": "received", "message_id": "m1", "ts": T0 + 1}])

A row says what matters; what it leaves out is null, or one of the values below where its column has no null.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dlqlab.contracts.recording import TABLES, Recording, schema

T0 = 1_800_000_000.0
QUEUE = "arn:aws:sqs:eu-central-1:000000000000:tasks"
REQUIRED: Mapping[str, Mapping[str, Any]] = {
    "messages": {"ts": T0, "queue": QUEUE, "actor_kind": "client"},
    "invocations": {"started_ts": T0, "function": "processor"},
    "calls": {"ts": T0, "duration_s": 0.001, "actor_kind": "invocation", "service": "dynamodb", "status": 200},
    "bodies": {"is_redacted": False, "is_cut": False},
    "faults": {"ts": T0, "fault": "error", "kind": "error", "task_key": "t-1"},
}
"""What a row without these columns gets; a message's kind and id, an invocation's id and bodies are always said."""
_TIMES = {"messages": "ts", "invocations": "started_ts", "calls": "ts", "faults": "ts"}


def recording(
    *,
    messages: Iterable[Mapping[str, Any]] = (),
    invocations: Iterable[Mapping[str, Any]] = (),
    calls: Iterable[Mapping[str, Any]] = (),
    bodies: Iterable[Mapping[str, Any]] = (),
    faults: Iterable[Mapping[str, Any]] = (),
    gaps: Sequence[str] = (),
    is_ended: bool = True,
) -> Recording:
    """The rows in the order of their times, which those of the same time keep.

    Raises:
        KeyError: a row has a column that its table does not have.
        ArrowInvalid: a value is not of its column's type.
    """
    return Recording(
        messages=_table("messages", messages),
        invocations=_table("invocations", invocations),
        calls=_table("calls", calls),
        bodies=_table("bodies", bodies),
        faults=_table("faults", faults),
        gaps=tuple(gaps),
        is_ended=is_ended,
    )


def _table(name: str, given: Iterable[Mapping[str, Any]]) -> pa.Table:
    rows = [{**REQUIRED[name], **row} for row in given]
    unknown = {column for row in rows for column in row} - set(TABLES[name])
    if unknown:
        raise KeyError(f"table {name} has no column {', '.join(sorted(unknown))}")
    if name in _TIMES:
        rows.sort(key=lambda row: row[_TIMES[name]])
    found = pa.Table.from_pylist(rows, schema=schema(name))
    found.validate(full=True)
    missing = [field.name for field in found.schema if not field.nullable and found[field.name].null_count]
    if missing:
        raise KeyError(f"a row of table {name} lacks {', '.join(missing)}")
    return found
