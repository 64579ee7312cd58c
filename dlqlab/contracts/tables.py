"""The tables of a run directory: their columns, types and meaning.

Every table is one Parquet file. Times are seconds since the epoch (float) and end in ``_ts``; durations carry their
unit. A column may be null wherever the evidence does not say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
from pandas.api.types import pandas_dtype

TEXT, REAL, WHOLE, FLAG = "string", "float64", "Int64", "boolean"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its pandas type and what it says."""

    dtype: str
    meaning: str


LEDGER: Mapping[str, Column] = {
    "task_id": Column(TEXT, "the id that the client sent, or got where it sent none"),
    "request_id": Column(TEXT, "unique per request of the clients; a retry by the client is another request"),
    "payload": Column(TEXT, "the payload that was sent, as JSON"),
    "worker": Column(TEXT, "which load generator process sent it"),
    "sent_ts": Column(REAL, "written before the request left"),
    "done_ts": Column(REAL, "when the answer or the error arrived; null when neither was ever seen"),
    "outcome": Column(TEXT, "acknowledged | replayed | rejected | refused | unknown"),
    "status_code": Column(WHOLE, "HTTP status; null without an answer"),
    "latency_ms": Column(REAL, "done_ts - sent_ts by the monotonic clock"),
    "error": Column(TEXT, "what went wrong, in the client's words"),
}
"""acknowledged: 202. replayed: 200. rejected: any other 4xx, the task was not taken. refused: 503, the task was not
taken and a retry is safe. unknown: no answer, a time-out or another 5xx: the task may or may not have been taken."""

EVENTS: Mapping[str, Column] = {
    "event": Column(TEXT, "name of the log event, see taskrules.events"),
    "ts": Column(REAL, "the handler's own clock"),
    "run_id": Column(TEXT, "run that the function was configured for"),
    "task_id": Column(TEXT, ""),
    "attempt": Column(WHOLE, "1 is the first attempt of a generation"),
    "generation": Column(WHOLE, "1 at first, one more after each redrive"),
    "receive_count": Column(WHOLE, "ApproximateReceiveCount of the delivery"),
    "message_id": Column(TEXT, ""),
    "function": Column(TEXT, ""),
    "request_id": Column(TEXT, "Lambda's request id"),
    "trace_id": Column(TEXT, ""),
    "cold_start": Column(FLAG, "first invocation of its execution environment"),
    "status": Column(TEXT, "task.replayed: the task's status then"),
    "status_code": Column(WHOLE, "task.rejected: the HTTP status"),
    "errors": Column(TEXT, "task.rejected: JSON list of one entry per wrong field"),
    "batch_size": Column(WHOLE, "attempt.started: records in the invocation"),
    "duration_s": Column(REAL, "attempt.succeeded, attempt.failed"),
    "error_type": Column(TEXT, ""),
    "error_message": Column(TEXT, ""),
    "permanent": Column(FLAG, "attempt.failed: no retry can help"),
    "backoff_s": Column(WHOLE, "attempt.failed: the delay that was asked for"),
    "reason": Column(TEXT, ""),
    "payload": Column(TEXT, "task.dead_lettered: redacted payload as JSON"),
    "attempts": Column(WHOLE, "task.dead_lettered: attempts of the generation"),
    "first_ts": Column(REAL, "task.dead_lettered: when the task was accepted"),
    "last_ts": Column(REAL, "task.dead_lettered: end of its last attempt"),
    "archived": Column(FLAG, "task.dead_lettered: the raw message is in the archive"),
    "stored_ts": Column(REAL, "time stamp of the line in the log store"),
    "log_stream": Column(TEXT, ""),
    "line_id": Column(TEXT, "id of the line in the log store: the same line pulled twice is one event"),
}

INVOCATIONS: Mapping[str, Column] = {
    "function": Column(TEXT, ""),
    "request_id": Column(TEXT, ""),
    "log_stream": Column(TEXT, "one stream per execution environment"),
    "stored_ts": Column(REAL, "time stamp of the REPORT line"),
    "duration_ms": Column(REAL, ""),
    "init_duration_ms": Column(REAL, "null unless the invocation was a cold start"),
    "memory_mb": Column(REAL, "peak memory of the execution environment"),
    "status": Column(TEXT, "ok | timeout | error"),
}

QUEUES: Mapping[str, Column] = {
    "ts": Column(REAL, "when the sample was asked for"),
    "queue": Column(TEXT, "role of the queue, see topology.json"),
    "visible": Column(WHOLE, "ApproximateNumberOfMessages"),
    "in_flight": Column(WHOLE, "ApproximateNumberOfMessagesNotVisible; retries in backoff are among them"),
    "delayed": Column(WHOLE, "ApproximateNumberOfMessagesDelayed"),
}

METRICS: Mapping[str, Column] = {
    "namespace": Column(TEXT, ""),
    "metric": Column(TEXT, ""),
    "dimension": Column(TEXT, "Name=Value"),
    "stat": Column(TEXT, "Sum | Average | Maximum | ..."),
    "period_s": Column(WHOLE, ""),
    "ts": Column(REAL, "start of the period"),
    "value": Column(REAL, "as the service returned it"),
}

TASKS: Mapping[str, Column] = {
    "task_id": Column(TEXT, "null for an archived message without a task"),
    "status": Column(TEXT, "QUEUED | PROCESSING | RETRYING | COMPLETED | FAILED"),
    "attempts": Column(WHOLE, "attempts of the current generation"),
    "generation": Column(WHOLE, ""),
    "effects": Column(WHOLE, "how often the task's effect happened"),
    "payload": Column(TEXT, "JSON"),
    "created_ts": Column(REAL, ""),
    "updated_ts": Column(REAL, ""),
    "last_error_type": Column(TEXT, ""),
    "last_error_message": Column(TEXT, ""),
    "in_table": Column(FLAG, "there is an item in the task table"),
    "archived": Column(FLAG, "there is an item in the archive"),
    "archive_id": Column(TEXT, ""),
    "archive_reason": Column(TEXT, ""),
    "archive_body": Column(TEXT, "the archived message, redacted"),
    "archived_ts": Column(REAL, ""),
    "archive_expires_ts": Column(REAL, ""),
}

HOST: Mapping[str, Column] = {
    "ts": Column(REAL, ""),
    "part": Column(TEXT, "emulator | functions | load | harness"),
    "cpu_pct": Column(REAL, "100 is one core"),
    "rss_mb": Column(REAL, ""),
    "processes": Column(WHOLE, ""),
}

CELL: Mapping[str, Column] = {
    "cell": Column(WHOLE, "emulator that the row is from, counted from 0; null for a run on one, see contracts.cells"),
}
"""The last column of every table."""

TABLES: Mapping[str, Mapping[str, Column]] = {
    "ledger": {**LEDGER, **CELL},
    "events": {**EVENTS, **CELL},
    "invocations": {**INVOCATIONS, **CELL},
    "queues": {**QUEUES, **CELL},
    "metrics": {**METRICS, **CELL},
    "tasks": {**TASKS, **CELL},
    "host": {**HOST, **CELL},
}


def frame(table: str, rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows as the named table: every column present, in order, of its type; keys that are not columns are an error.

    Raises:
        KeyError: no table of that name.
        ValueError: a row has a key that the table does not have.
    """
    columns = TABLES[table]
    data = pd.DataFrame.from_records([dict(row) for row in rows])
    unknown = sorted(set(data.columns) - set(columns))
    if unknown:
        raise ValueError(f"table {table} has no column {unknown}; it has {list(columns)}")
    return conform(table, data)


def conform(table: str, data: pd.DataFrame) -> pd.DataFrame:
    """The frame with exactly the table's columns, missing ones null, each of its declared type."""
    given = set(data.columns)
    columns = {
        name: data[name].astype(dtype) if name in given else pd.Series(index=data.index, dtype=dtype)
        for name, dtype in _dtypes(table).items()
    }
    return pd.DataFrame(columns, index=data.index)


@cache
def _dtypes(table: str) -> Mapping[str, Any]:
    """As pandas' own objects: made of their names each time they would take longer than a small table."""
    return {name: pandas_dtype(column.dtype) for name, column in TABLES[table].items()}
