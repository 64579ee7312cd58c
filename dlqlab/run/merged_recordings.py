"""What the emulators of a run's cells recorded, as one record: in order of time, each row with its cell."""

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from dlqlab.contracts.database import literal, open_database
from dlqlab.contracts.recorded_run import new_recording, read_gaps, table_path, write_gaps, write_table
from dlqlab.contracts.recording import TABLES
from dlqlab.contracts.rundir import RunDir
from dlqlab.run.recordings import NO_RECORD, Recorded, not_collected

BATCH_ROWS = 16_384


def merge_recordings(run: RunDir, cells: Sequence[RunDir]) -> Recorded:
    """The cells' records, one part in memory at a time; none where no cell has one, which their manifests explain."""
    if not any(cell.recording_path.is_dir() for cell in cells):
        return NO_RECORD
    try:
        return Recorded(rows=_merge(run, cells))
    except Exception as error:  # noqa: BLE001  (as in collect_recording)
        return not_collected(error)


def _merge(run: RunDir, cells: Sequence[RunDir]) -> Mapping[str, int]:
    having = {number: cell for number, cell in enumerate(cells) if cell.recording_path.is_dir()}
    said = {number: read_gaps(cell.recording_path) for number, cell in having.items()}
    gaps = [f"cell {number}: {gap}" for number, (gaps, _) in said.items() for gap in gaps]
    gaps += [f"cell {number}: it has no record" for number in range(len(cells)) if number not in having]
    with new_recording(run) as folder, open_database(folder / "scratch") as database:
        rows = {table: write_table(folder, table, _merged(database, table, having)) for table in TABLES}
        write_gaps(folder, gaps, is_ended=all(is_ended for _, is_ended in said.values()))
    return rows


def _merged(database: duckdb.DuckDBPyConnection, table: str, cells: Mapping[int, RunDir]) -> Iterator[pa.RecordBatch]:
    if "cell" not in TABLES[table]:
        return _once_each(database, table, cells)
    time = next(name for name in TABLES[table] if name.endswith("ts"))
    parts = (
        f"SELECT * REPLACE ({number} AS cell) FROM {_file(table, cell)}"  # noqa: S608  (numbers and our own files)
        for number, cell in cells.items()
    )
    query = f"{' UNION ALL '.join(parts)} ORDER BY {time}, cell, file_row_number"
    return _batches(database, query)


def _once_each(
    database: duckdb.DuckDBPyConnection, table: str, cells: Mapping[int, RunDir]
) -> Iterator[pa.RecordBatch]:
    """Rows that are of no cell: each once, by the first column, whichever cell has it."""
    key = next(iter(TABLES[table]))
    known: set[str] = set()
    for cell in cells.values():
        for batch in _batches(database, f"FROM {_file(table, cell)}"):
            keys = batch.column(key).to_pylist()
            yield batch.filter(pa.array([one not in known for one in keys]))
            known.update(keys)


def _file(table: str, cell: RunDir) -> str:
    return f"read_parquet({literal(table_path(cell.recording_path, table))}, file_row_number = true)"


def _batches(database: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    yield from database.sql(query).to_arrow_reader(BATCH_ROWS)
