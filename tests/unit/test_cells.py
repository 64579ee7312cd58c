"""Cells of a run: which tasks are whose, samples added up, evidence put together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.cell_samples import whole
from dlqlab.contracts.cells import ALONE, Cell
from dlqlab.contracts.manifest import (
    CardEntry,
    Collected,
    DrainReport,
    EmulatorSettings,
    Latency,
    LatencyProbe,
    LoadReport,
    Manifest,
    RetryProbe,
)
from dlqlab.contracts.recorded_run import read_recording, table_path, write_recording
from dlqlab.contracts.recording import TABLES as RECORDED
from dlqlab.contracts.recording import Recording, schema
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.tables import TABLES, frame
from dlqlab.errors import EvidenceError
from dlqlab.run.cells import _progress
from dlqlab.run.merge import merge_manifests, merge_tables


@given(st.integers(1, 1000), st.integers(1, 64), st.integers(1, 100))
def test_cells_share_all_tasks_and_keep_a_client_each(tasks: int, cells: int, users: int) -> None:
    """The shares of the cells are all tasks of the run; no cell is without a client."""
    parts = [Cell(number, cells) for number in range(cells)]

    assert tasks == sum(part.share(tasks) for part in parts)
    assert max(users, cells) == sum(part.users(users) for part in parts)


def test_one_emulator_has_everything() -> None:
    """A run that is not split is a single cell."""
    assert (7, 3) == (ALONE.share(7), ALONE.users(3))


def _queues(*rows: tuple[float, str, int, int | None]) -> pd.DataFrame:
    keys = ("ts", "queue", "visible", "cell")
    return frame("queues", [dict(zip(keys, row, strict=True)) | {"in_flight": 1, "delayed": 0} for row in rows])


def test_samples_of_a_second_are_added_up() -> None:
    """Two cells' samples of one queue in one second are one sample of the run; other queues stay apart."""
    data = _queues((10.2, "tasks", 3, 0), (10.4, "tasks", 4, 1), (10.5, "dead-letters", 1, 0), (11.1, "tasks", 5, 0))
    found = whole("queues", pd.concat([data, _queues((10.6, "dead-letters", 1, 1), (11.3, "tasks", 6, 1))]))
    rows = found[["ts", "queue", "visible", "in_flight"]].to_dict("records")

    expected = [
        {"ts": 10.55, "queue": "dead-letters", "visible": 2, "in_flight": 2},
        {"ts": 10.3, "queue": "tasks", "visible": 7, "in_flight": 2},
        {"ts": 11.2, "queue": "tasks", "visible": 11, "in_flight": 2},
    ]
    assert expected == [row | {"ts": round(row["ts"], 6)} for row in rows]
    assert found["cell"].isna().all()


def test_second_without_a_sample_of_every_cell_is_left_out() -> None:
    """A sum over only some of the cells would look as if messages had gone."""
    first = _queues((10.2, "tasks", 3, 0), (11.2, "tasks", 3, 0), (12.2, "tasks", 2, 0))
    second = _queues((10.4, "tasks", 4, 1), (12.4, "tasks", 1, 1))

    assert [7, 3] == whole("queues", pd.concat([first, second]))["visible"].to_list()


def test_queue_of_a_cell_that_has_ended_is_as_its_last_sample_says() -> None:
    """Cells drain one after another: the run's last sample is the last one's, not that of when the first ended."""
    first = _queues((10.2, "tasks", 0, 0), (10.3, "dead-letters", 0, 0))
    second = _queues((10.4, "tasks", 4, 1), (11.4, "tasks", 2, 1), (12.4, "tasks", 0, 1), (12.5, "dead-letters", 1, 1))
    found = whole("queues", pd.concat([first, second]))

    assert [4, 2, 0] == found.loc[found["queue"] == "tasks", "visible"].to_list()
    assert [1] == found.loc[found["queue"] == "dead-letters", "visible"].to_list()


def test_run_on_one_emulator_keeps_its_samples() -> None:
    """Without cells nothing is added up, two samples in one second neither."""
    data = _queues((10.2, "tasks", 3, None), (10.4, "tasks", 4, None))

    pd.testing.assert_frame_equal(data, whole("queues", data))


def _write(path: Path, task: str) -> RunDir:
    run = RunDir(path)
    for table in TABLES:
        run.write(table, frame(table, [{"task_id": task}] if "task_id" in TABLES[table] else []))
    (path / "bad_lines.jsonl").write_text(f'{{"of": "{task}"}}\n')
    return run


def test_merged_tables_say_which_cell_a_row_is_from(tmp_path: Path) -> None:
    """Rows of all cells are there, each with its cell; empty tables stay empty; odd lines are kept."""
    cells = [_write(tmp_path / "0", "a"), _write(tmp_path / "1", "b")]
    run = RunDir(tmp_path)
    merge_tables(run, cells)

    assert [("a", 0), ("b", 1)] == list(run.read("ledger")[["task_id", "cell"]].itertuples(index=False, name=None))
    assert 0 == len(run.read("metrics"))
    assert '{"of": "a"}\n{"of": "b"}\n' == (tmp_path / "bad_lines.jsonl").read_text()


def test_missing_table_of_a_cell_is_an_error(tmp_path: Path) -> None:
    """A cell without its evidence must not be overlooked."""
    with pytest.raises(EvidenceError, match=r"ledger\.parquet: is not there"):
        merge_tables(RunDir(tmp_path), [RunDir(tmp_path / "0")])


def _record(run: RunDir, *gaps: str, ts: float, body: str) -> None:
    """A message that was sent, and its body."""
    sent = {"ts": ts, "queue": "q", "message_id": body, "kind": "sent", "actor_kind": "client", "body_sha256": body}
    rows = {"messages": [sent]}
    bodies = [
        {"body_sha256": sha256, "body": "", "body_bytes": 0, "is_redacted": False, "is_cut": False}
        for sha256 in ("shared", body)
    ]
    tables = {name: pa.Table.from_pylist({**rows, "bodies": bodies}.get(name, []), schema(name)) for name in RECORDED}
    write_recording(run, Recording(**tables, gaps=gaps, is_ended=False))


def test_merged_recordings_are_in_order_of_time(tmp_path: Path) -> None:
    """Rows of all cells with their cell, each body once, and each cell's gaps; a cell without a record is a gap."""
    cells = [_write(tmp_path / str(number), "t") for number in range(3)]
    _record(cells[0], "torn", ts=2, body="a")
    _record(cells[1], ts=1, body="b")
    run = RunDir(tmp_path)
    recorded = merge_tables(run, cells)
    record = read_recording(run)

    assert record is not None
    assert [("b", 1), ("a", 0)] == [(row["message_id"], row["cell"]) for row in record.messages.to_pylist()]
    assert ["shared", "a", "b"] == record.bodies["body_sha256"].to_pylist()
    assert ("cell 0: torn", "cell 2: it has no record") == record.gaps
    assert {"messages": 2, "invocations": 0, "calls": 0, "bodies": 3, "faults": 0} == recorded.rows
    first = _manifest(0, not_measured={"recording": "not in this cell", "host": "nobody"})
    whole = merge_manifests(WHOLE, [first, _manifest(1)], recorded)
    assert {"host": "nobody"} == whole.not_measured
    assert whole.collected is not None
    assert recorded.rows == whole.collected.recorded


def test_recording_of_a_cell_that_cannot_be_read_breaks_nothing(tmp_path: Path) -> None:
    """The run has its tables; its manifest says why it has no record."""
    cells = [_write(tmp_path / str(number), "t") for number in range(2)]
    _record(cells[1], ts=1, body="b")
    table_path(cells[1].recording_path, "calls").write_text("no")
    run = RunDir(tmp_path)
    recorded = merge_tables(run, cells)

    assert read_recording(run) is None
    assert "calls.parquet" in merge_manifests(WHOLE, [_manifest(0), _manifest(1)], recorded).not_measured["recording"]


def test_cells_without_a_recorder_have_no_recording(tmp_path: Path) -> None:
    """What their manifests say of it holds for the run."""
    cells = [_write(tmp_path / str(number), "t") for number in range(2)]
    recorded = merge_tables(RunDir(tmp_path), cells)
    manifests = [_manifest(number, not_measured={"recording": "switched off"}) for number in range(2)]

    assert read_recording(RunDir(tmp_path)) is None
    assert {"recording": "switched off"} == merge_manifests(WHOLE, manifests, recorded).not_measured


WHOLE = Manifest(run_id="r", scenario=Scenario(name="small"), cells=2)


def _manifest(number: int, **changes: Any) -> Manifest:
    found = Manifest(
        run_id="r",
        scenario=Scenario(name="small"),
        finished=True,
        drained=True,
        run_started_ts=5.0,
        load_started_ts=10.0 + number,
        load_ended_ts=20.0 + number,
        drain_ended_ts=30.0 + number,
        emulator=EmulatorSettings(patches=("p",), port=4000 + number),
        fidelity=(CardEntry(name="emulator", ok=True, statement="LocalStack"),),
        retry_probe=RetryProbe(n=20, median_s=0.01 * (number + 1), p95_s=0.1 * (number + 1), backoff_s=1),
        latency_probe=LatencyProbe(
            before=Latency(api_ms=10.0 + number, processor_ms=4.0),
            after=Latency(api_ms=10.0 + number, processor_ms=4.0),
        ),
        load=LoadReport(planned=10, sent=10 * (number + 1), late_mean_s=0.3 * number),
        drain=DrainReport(waited_s=1.0 + number, reason="drained"),
        collected=Collected(rows=dict.fromkeys(TABLES, 2), logs_settled=True, foreign_items=number),
    )
    changed: Manifest = replace(found, **changes)
    return changed


def test_merged_manifest_spans_all_cells() -> None:
    """The run lasts from the first cell's start to the last one's end, and its counts are sums."""
    found = merge_manifests(WHOLE, [_manifest(0, junk_message_ids=("m",)), _manifest(1)])

    assert (10.0, 21.0, 31.0) == (found.load_started_ts, found.load_ended_ts, found.drain_ended_ts)
    assert RetryProbe(n=40, median_s=0.015, p95_s=0.2, backoff_s=1) == found.retry_probe
    assert found.load is not None
    assert (20, 30) == (found.load.planned, found.load.sent)
    assert found.load.late_mean_s == pytest.approx(0.2)
    assert DrainReport(waited_s=2.0, reason="drained") == found.drain
    assert found.collected is not None
    assert (4, 1, ("m",), 2) == (
        found.collected.rows["ledger"],
        found.collected.foreign_items,
        found.junk_message_ids,
        found.cells,
    )
    assert LatencyProbe(
        before=Latency(api_ms=10.5, processor_ms=4.0), after=Latency(api_ms=10.5, processor_ms=4.0)
    ) == (found.latency_probe)
    assert EmulatorSettings(patches=("p",), port=None, ports=(4000, 4001)) == found.emulator


@pytest.mark.parametrize("claim", ["finished", "drained"])
def test_claim_holds_only_if_it_holds_for_every_cell(claim: str) -> None:
    """One cell that did not drain, or did not finish, decides for the run."""
    assert getattr(merge_manifests(WHOLE, [_manifest(0), _manifest(1, **{claim: False})]), claim) is False


def test_progress_counts_cells_by_the_last_phase_that_each_has_ended() -> None:
    """The furthest first; who has ended none is starting."""
    assert "1 past load, 2 past start, 1 starting" == _progress([1, 0, 4, 1])
