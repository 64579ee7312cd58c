"""Pulled windows to tables: what ``windows`` left on disk becomes one file of the run directory each."""

import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from dlqlab.collect.windows import finished_files, schema_of
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import frame


def combine_events(parts: Path, run: RunDir) -> int:
    """The EVENTS table, one window in memory at a time; its number of rows. Rows are by function, then by time."""
    schema = schema_of("events")
    target = run.table_path("events")
    partial = target.with_suffix(".partial")
    rows = 0
    with pq.ParquetWriter(partial, schema) as writer:
        for path in finished_files(parts, "events.parquet"):
            data = pq.read_table(path)
            writer.write_table(data.cast(schema))
            rows += data.num_rows
    partial.replace(target)
    return rows


def combine_invocations(parts: Path, run: RunDir) -> int:
    """The INVOCATIONS table; its number of rows.

    A line that says how an invocation ended badly and the REPORT line of the same invocation become one row.
    """
    frames = [pd.read_parquet(path) for path in finished_files(parts, "invocations.parquet")]
    data = pd.concat(frames, ignore_index=True) if frames else frame("invocations", [])
    joined = join_marks(data)
    run.write("invocations", joined)
    return len(joined)


def join_marks(rows: pd.DataFrame) -> pd.DataFrame:
    """REPORT rows with the status of their marks; a mark without a REPORT row stays a row without a duration."""
    key = ["function", "log_stream", "request_id"]
    is_mark = rows["duration_ms"].isna()
    marks = rows[is_mark].drop_duplicates(key, keep="first")
    reports = rows[~is_mark].merge(marks[[*key, "status"]], on=key, how="left", suffixes=("", "_mark"))
    reports["status"] = reports["status_mark"].fillna(reports["status"])
    known = pd.MultiIndex.from_frame(reports[key])
    alone = marks[~pd.MultiIndex.from_frame(marks[key]).isin(known)]
    joined = pd.concat([reports.drop(columns="status_mark"), alone], ignore_index=True)
    return joined.sort_values("stored_ts", kind="stable", ignore_index=True)


def combine_lines(parts: Path, target: Path) -> None:
    """Kept lines as one file of JSON lines; empty where there are none."""
    with target.open("wb") as file:
        for path in finished_files(parts, target.name):
            with path.open("rb") as part:
                shutil.copyfileobj(part, file)
