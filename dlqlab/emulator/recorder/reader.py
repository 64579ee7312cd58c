"""A record's files to its tables, whole in memory or a part at a time.

What the files hold goes to parts in a folder first. DuckDB then puts these in order and together, by way of that folder
where they do not fit into memory.
"""

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from dlqlab.contracts.database import literal, open_database
from dlqlab.contracts.injection import KINDS
from dlqlab.contracts.injection import Kind as Fault
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.recording import TABLES, Recording, schema
from dlqlab.emulator.recorder.parts import PARTS, Said, read_parts
from dlqlab.lineage.keys import KeyOf, content_hash, key_finder
from dlqlab.lineage.tasks import Happened, Tasks
from taskrules.redaction import MASK

BATCH_ROWS = 16_384
_KEPT = {
    "kept_messages": "SELECT DISTINCT queue, message_id FROM messages WHERE ts BETWEEN start_ts() AND end_ts()",
    "kept_invocations": """
        SELECT seq, request_id, client_request_id FROM started LEFT JOIN ended ON started_seq = seq
        WHERE (started_ts <= end_ts() AND coalesce(ended_ts, end_ts()) >= start_ts()) OR seq IN (
            SELECT seq FROM (SELECT seq, unnest(message_ids) AS message_id FROM started)
            SEMI JOIN kept_messages USING (message_id)
        )""",
}
"""What lives into the window: it is kept whole. In this order, one is made with the help of those before it."""
_CHANGED = {
    Fault.DELETE_DROPPED: Kind.NOT_DELETED,
    Fault.DUPLICATE: Kind.RECEIVED,
    Fault.LATE: Kind.SENT,
    Fault.REORDER: Kind.SENT,
    Fault.EXPIRED: Kind.EXPIRED,
}
"""The kind of a message's row that a fault has struck, by the fault's kind."""
_FAULT_KINDS = pa.table(
    {
        "kind": [kind.value for kind in KINDS],
        "place": [meaning.place.value for meaning in KINDS.values()],
        "changed": pa.array([_CHANGED.get(kind) for kind in KINDS], pa.string()),
    }
)
_TABLES = {
    "messages": """
        SELECT * REPLACE (
            CASE WHEN parent_ids IS NULL AND kind = 'sent' AND actor_kind IN ('invocation', 'service')
            THEN given.message_ids ELSE parent_ids END AS parent_ids
        ) FROM (
            SELECT messages.*, struck.fault FROM messages LEFT JOIN (
                SELECT first(fault ORDER BY seq) AS fault, queue, message_id, changed,
                    CASE changed WHEN 'received' THEN receive_count END AS receive_count
                FROM faults JOIN fault_kinds USING (kind) WHERE changed IS NOT NULL GROUP BY ALL
            ) AS struck ON struck.queue = messages.queue AND struck.message_id = messages.message_id
                AND struck.changed = messages.kind
                AND (struck.receive_count IS NULL OR struck.receive_count = messages.receive_count)
        ) AS messages SEMI JOIN kept_messages USING (queue, message_id)
        LEFT JOIN (
            SELECT request_id, last(message_ids ORDER BY seq) AS message_ids,
                last(trace_id ORDER BY seq) AS given_trace_id
            FROM started LEFT JOIN ended ON started_seq = seq WHERE len(message_ids) > 0 GROUP BY request_id
        ) AS given USING (request_id)
        LEFT JOIN keys USING (body_sha256)""",
    "invocations": """
        SELECT * FROM started SEMI JOIN kept_invocations USING (seq) LEFT JOIN ended ON started_seq = seq
        LEFT JOIN (
            SELECT first(fault ORDER BY seq) AS fault, request_id FROM faults JOIN fault_kinds USING (kind)
            WHERE place IN ('function', 'emulator') GROUP BY request_id
        ) USING (request_id)""",
    "calls": """
        SELECT * FROM calls LEFT JOIN (
            SELECT fault, request_id AS struck_id, service AS struck_service, operation AS struck_operation,
                ts AS struck_ts
            FROM faults WHERE service IS NOT NULL
        ) ON struck_service = service AND struck_operation = operation AND struck_id = request_id
            AND struck_ts BETWEEN ts AND ts + duration_s
        WHERE (ts <= end_ts() AND ts + duration_s >= start_ts())
            OR request_id IN (SELECT request_id FROM kept_invocations)
            OR request_id IN (SELECT client_request_id FROM kept_invocations)""",
    "bodies": """
        SELECT * FROM bodies SEMI JOIN
            (SELECT body_sha256 FROM messages SEMI JOIN kept_messages USING (queue, message_id)) USING (body_sha256)""",
    "faults": "SELECT * FROM faults WHERE ts BETWEEN start_ts() AND end_ts()",
}
_KEYS = pa.schema([("body_sha256", pa.string()), ("key", pa.string()), ("content", pa.string())])
"""What is found in bodies, on its way to the messages that have them."""
_OF_LINEAGE = (
    "kind",
    "message_id",
    "actor_kind",
    "actor",
    "request_id",
    "parent_ids",
    "trace_id",
    "given_trace_id",
    "key",
    "content",
)
"""The columns that ``lineage.tasks`` asks for."""
_ORDERS = {
    "messages": "ORDER BY ts, seq",
    "invocations": "ORDER BY started_ts, seq",
    "calls": "ORDER BY ts, seq",
    "bodies": "",
    "faults": "ORDER BY ts, seq",
}


@dataclass(frozen=True, slots=True)
class Between:
    """From when to when, in seconds since the epoch."""

    start_ts: float = -math.inf
    end_ts: float = math.inf


def read(folder: Path, *, cell: int | None = None, task_key: str | None = None) -> Recording:
    """The tables of a record, of an emulator that runs, has ended or was killed.

    Args:
        folder: ``recording`` in the state directory of the emulator.
        cell: number of the emulator, where a run has several.
        task_key: where a body has its task's key, as ``Topology.task_key``.

    Raises:
        EvidenceError: there is no record.
        ValueError: ``task_key`` is no JMESPath.
    """
    with (
        tempfile.TemporaryDirectory() as scratch,
        Reader(folder, Path(scratch), cell=cell, task_key=task_key) as reader,
    ):
        tables = {table: pa.Table.from_batches(reader.parts(table), schema(table)) for table in TABLES}
        return Recording(**tables, gaps=reader.said.gaps(), is_ended=reader.said.is_ended)


class Reader:
    """Reads a record, as a context manager, without having a table of it in memory.

    Of what happened outside of the window it has that of messages that also lived within it, of invocations that ran
    within it or were given such a message, and the calls of these.

    Args:
        scratch: a folder for what does not fit into memory; the reader leaves nothing in it.
        task_key: where a body has its task's key, a JMESPath; None where nobody has said it.

    Raises:
        ValueError: ``task_key`` is no JMESPath.
    """

    def __init__(
        self,
        folder: Path,
        scratch: Path,
        *,
        cell: int | None = None,
        window: Between = Between(),
        task_key: str | None = None,
    ) -> None:
        self.said = Said()
        """What the record says of itself."""
        self._folder = folder
        self._scratch = scratch / "parts"
        self._cell = cell
        self._window = window
        self._has_key = task_key is not None
        self._key_of: KeyOf = key_finder(task_key, mask=MASK)

    def __enter__(self) -> Self:
        """Raises:
        EvidenceError: there is no record.
        """
        self._scratch.mkdir(parents=True)
        self._database = open_database(self._scratch)
        self._database.execute("SET preserve_insertion_order = false")  # parts are in no order
        self._database.execute("SET threads = 1")  # each takes memory of its own
        try:
            self._write_parts()
            for name in ("start_ts", "end_ts"):
                value = float(getattr(self._window, name))
                self._database.execute(f"CREATE TEMP MACRO {name}() AS '{value}'::DOUBLE")
            self._database.register("fault_kinds", _FAULT_KINDS)
            for name in (*PARTS, "keys"):
                self._database.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({literal(self._scratch / name)})")
            for name, query in _KEPT.items():
                self._database.execute(f"CREATE TEMP TABLE {name} AS {query}")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._database.close()
        shutil.rmtree(self._scratch)

    def parts(self, table: str) -> Iterator[pa.RecordBatch]:
        """A table of the record, in order."""
        wanted = schema(table)
        # Joined first and sorted then: the memory would not do for both at once.
        joined = literal(self._scratch / f"{table}.parquet")
        self._database.execute(f"COPY ({_TABLES[table]}) TO {joined} (FORMAT parquet)")
        tasks = Tasks(is_declared=self._has_key)
        for found in self._database.sql(f"FROM read_parquet({joined}) {_ORDERS[table]}").to_arrow_reader(BATCH_ROWS):
            batch = _told(tasks, found) if table == "messages" else found
            columns = [
                self._constant(batch.num_rows, field)
                if field.name not in batch.schema.names
                else batch.column(field.name).cast(field.type)
                for field in wanted
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=wanted)

    def _constant(self, rows: int, field: pa.Field) -> pa.Array:
        """A column that no row has: the cell's number, or what nobody knows."""
        return pa.array([self._cell if field.name == "cell" else None] * rows, field.type)

    def _write_parts(self) -> None:
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(pq.ParquetWriter(self._scratch / name, parts, compression="zstd"))
                for name, parts in PARTS.items()
            }
            keys = stack.enter_context(pq.ParquetWriter(self._scratch / "keys", _KEYS, compression="zstd"))
            for name, part in read_parts(self._folder, self.said):
                writers[name].write_batch(part)
                if name == "bodies":
                    keys.write_batch(self._keys(part))

    def _keys(self, bodies: pa.RecordBatch) -> pa.RecordBatch:
        """What the tasks of messages are told by; contents only where no key is declared."""
        texts = bodies.column("body").to_pylist()
        contents = [None if self._has_key else content_hash(text) for text in texts]
        return pa.RecordBatch.from_arrays(
            [
                bodies.column("body_sha256"),
                pa.array(map(self._key_of, texts), pa.string()),
                pa.array(contents, pa.string()),
            ],
            schema=_KEYS,
        )


def _told(tasks: Tasks, messages: pa.RecordBatch) -> pa.RecordBatch:
    """With ``parent_ids`` narrowed and ``task_key`` filled in."""
    columns = (messages.column(name).to_pylist() for name in _OF_LINEAGE)
    told = [tasks.told(Happened(**dict(zip(_OF_LINEAGE, row, strict=True)))) for row in zip(*columns, strict=True)]
    parents = pa.array([one.parent_ids for one in told], pa.list_(pa.string()))
    at = messages.schema.get_field_index("parent_ids")
    return messages.set_column(at, "parent_ids", parents).append_column(
        "task_key", pa.array([one.task_key for one in told], pa.string())
    )
