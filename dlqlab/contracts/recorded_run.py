"""What the emulator recorded of a run, in its run directory.

``recording/`` holds a Parquet file for each table of ``recording`` and ``gaps.json``: ``gaps``, why the record does not
have everything, in sentences, and ``is_ended``, whether the emulator had ended when the record was collected. A run
without a recorder has no such folder; its manifest says why, under ``not_measured``.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dlqlab.contracts.recording import TABLES, Recording, schema
from dlqlab.contracts.rundir import RunDir, read_json, write_json
from dlqlab.errors import EvidenceError

GAPS = "gaps.json"
_LATER = frozenset({"faults"})
"""Tables that an earlier version did not write yet: it had nothing to say in them."""
NOT_MEASURED = "recording"
"""The subject of ``not_measured`` in a manifest."""


def read_recording(run: RunDir) -> Recording | None:
    """What was recorded of a run; None where nothing was.

    Raises:
        EvidenceError: there is a record, and it cannot be read; names the file.
    """
    folder = run.recording_path
    if not folder.is_dir():
        return None
    gaps, is_ended = read_gaps(folder)
    tables = {table: _read(table_path(folder, table), table) for table in TABLES}
    return Recording(**tables, gaps=gaps, is_ended=is_ended)


def read_gaps(folder: Path) -> tuple[tuple[str, ...], bool]:
    """Why a record does not have everything, and whether it had ended.

    Raises:
        EvidenceError: the file cannot be read.
    """
    said = read_json(folder / GAPS)
    return tuple(map(str, said.get("gaps", ()))), said.get("is_ended") is True


def table_path(folder: Path, table: str) -> Path:
    """The file of a table in a folder of ``RunDir.recording_path``."""
    return folder / f"{table}.parquet"


@contextmanager
def new_recording(run: RunDir) -> Iterator[Path]:
    """A folder to be filled by ``write_table`` and ``write_gaps``. It becomes the run's when the block ends well, in
    place of any that was there; when it does not, that one stays.
    """
    partial = run.recording_path.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(run.recording_path, ignore_errors=True)
        partial.replace(run.recording_path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_table(folder: Path, table: str, parts: Iterable[pa.Table | pa.RecordBatch]) -> int:
    """A table of its parts, each of which has its columns; one part is in memory at a time. Its number of rows."""
    rows, wanted = 0, schema(table)
    with pq.ParquetWriter(table_path(folder, table), wanted, compression="zstd") as writer:
        for part in parts:
            writer.write(part.select(wanted.names).cast(wanted))
            rows += part.num_rows
    return rows


def write_gaps(folder: Path, gaps: Sequence[str], *, is_ended: bool) -> None:
    write_json(folder / GAPS, {"gaps": list(gaps), "is_ended": is_ended})


def write_recording(run: RunDir, recording: Recording) -> Mapping[str, int]:
    """A record that is in memory, into a run; its rows by table."""
    with new_recording(run) as folder:
        rows = {table: write_table(folder, table, [getattr(recording, table)]) for table in TABLES}
        write_gaps(folder, recording.gaps, is_ended=recording.is_ended)
    return rows


def _read(path: Path, table: str) -> pa.Table:
    if table in _LATER and not path.exists():
        return schema(table).empty_table()
    try:
        return _with_later_columns(pq.read_table(path), schema(table))
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise EvidenceError(f"{path}: cannot be read as table {table} of the recorder: {reason}") from error


def _with_later_columns(found: pa.Table, wanted: pa.Schema) -> pa.Table:
    """The columns that are wanted; one that an earlier version did not write yet, and that may be null, is null."""
    for field in wanted:
        if field.nullable and field.name not in found.column_names:
            found = found.append_column(field.name, pa.nulls(found.num_rows, field.type))
    return found.select(wanted.names).cast(wanted)
