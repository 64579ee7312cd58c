"""What was recorded of a run, in its directory."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.recorded_run import GAPS, read_recording, table_path, write_recording
from dlqlab.contracts.recording import TABLES, Recording, schema
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import EvidenceError

SENT = {"ts": 1.5, "queue": "arn:q", "message_id": "m", "kind": "sent", "actor_kind": "client", "parent_ids": ["p"]}


def _recording(*gaps: str) -> Recording:
    rows = {"messages": [SENT]}
    tables = {table: pa.Table.from_pylist(rows.get(table, []), schema(table)) for table in TABLES}
    return Recording(**tables, gaps=gaps, is_ended=True)


def test_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Tables with the meaning of their columns, the gaps, and whether the record had ended."""
    run = RunDir(tmp_path / "run")
    rows = write_recording(run, _recording("3 rows are missing"))

    assert {"messages": 1, "invocations": 0, "calls": 0, "bodies": 0, "faults": 0} == rows
    read = read_recording(run)
    assert _recording("3 rows are missing") == read
    file = pq.ParquetFile(table_path(run.recording_path, "messages"))
    told = {field.name: field.metadata[b"meaning"] for field in file.schema_arrow}
    assert {name: column.meaning.encode() for name, column in TABLES["messages"].items()} == told
    assert "ZSTD" == file.metadata.row_group(0).column(0).compression


def test_strikes_of_an_earlier_version_are_read_without_their_numbers(tmp_path: Path) -> None:
    """Which call of its operation, and which attempt, are null."""
    run = RunDir(tmp_path / "run")
    write_recording(run, _recording())
    path = table_path(run.recording_path, "faults")
    struck = {"ts": 1.5, "fault": "f", "kind": "call-slow", "task_key": "t"}
    pq.write_table(pa.Table.from_pylist([struck], schema("faults")).drop_columns(["nth", "attempt"]), path)

    read = read_recording(run)
    assert read is not None
    (row,) = read.faults.to_pylist()
    assert {**dict.fromkeys(TABLES["faults"]), **struck} == row


def test_run_without_a_recording_has_none(tmp_path: Path) -> None:
    """Nothing was recorded: that is not an error."""
    assert read_recording(RunDir(tmp_path)) is None


def test_recording_that_breaks_off_leaves_the_one_before(tmp_path: Path) -> None:
    """A record is there whole or not at all."""
    run = RunDir(tmp_path / "run")
    write_recording(run, _recording("first"))
    with pytest.raises(AttributeError):
        write_recording(run, None)  # type: ignore[arg-type]

    read = read_recording(run)
    assert read is not None
    assert ("first",) == read.gaps
    assert [run.recording_path] == list(run.path.iterdir())


@pytest.mark.parametrize("broken", ["messages.parquet", GAPS])
def test_recording_that_cannot_be_read_is_named(tmp_path: Path, broken: str) -> None:
    """A file that is no longer what it was is an error that names it; the run's other evidence is still had."""
    run = RunDir(tmp_path)
    write_recording(run, _recording())
    run.write_manifest(Manifest(run_id="r", scenario=Scenario(name="s")))
    (run.recording_path / broken).write_text("no")
    with pytest.raises(EvidenceError, match=broken):
        read_recording(run)

    evidence = load_evidence(run)
    assert evidence.recording is None
    assert broken in evidence.unreadable["recording"]


def test_evidence_of_a_run_has_its_recording(tmp_path: Path) -> None:
    """Whoever judges a run finds what was recorded beside the tables."""
    run = RunDir(tmp_path)
    write_recording(run, _recording("gap"))
    run.write_manifest(Manifest(run_id="r", scenario=Scenario(name="s")))

    assert _recording("gap") == load_evidence(run).recording


def test_record_of_a_version_without_faults_is_read(tmp_path: Path) -> None:
    """There were none."""
    run = RunDir(tmp_path / "run")
    write_recording(run, _recording())
    table_path(run.recording_path, "faults").unlink()

    assert _recording() == read_recording(run)
