"""Evidence from a run directory: whole, torn and incomplete."""

from pathlib import Path

import pytest

from dlqlab.analysis.judge import judge
from dlqlab.contracts.evidence import BAD_LINES, load_evidence
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.contracts.tables import TABLES
from dlqlab.contracts.verdict import Status
from dlqlab.errors import EvidenceError
from tests.support.histories import simulate, simulate_run

SCENARIO = Scenario(name="small", load=Load(tasks=30))
MANIFEST = simulate(SCENARIO).manifest


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return simulate_run(SCENARIO, root=tmp_path)


def test_written_run_reads_back_as_simulated(run: RunDir) -> None:
    """Every table and the scenario survive the directory, and so does the verdict."""
    read, simulated = load_evidence(run), simulate(SCENARIO).evidence()

    assert (set(TABLES), {}, ()) == (set(read.tables), read.unreadable, read.bad_lines)
    assert SCENARIO == read.manifest.scenario
    assert judge(simulated).to_json() == judge(read).to_json()


def test_analysis_leaves_the_directory_alone(run: RunDir) -> None:
    """Judging writes nothing and changes no file."""
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.path.iterdir()}
    judge(load_evidence(run))

    assert before == {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.path.iterdir()}


def test_torn_table_is_kept_with_its_reason(run: RunDir) -> None:
    """A file that is not Parquet is unreadable, not an error, and its checks are unknown."""
    run.table_path("events").write_bytes(b"torn")
    read = load_evidence(run)

    assert ["events"] == list(read.unreadable)
    assert "events.parquet" in read.unreadable["events"]
    assert Status.UNKNOWN is judge(read).status
    with pytest.raises(EvidenceError, match=r"events\.parquet"):
        read.table("events")


def test_interrupted_run_says_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    """After Ctrl-C in the load: one sentence, and nothing about a deadline of a drain that never began."""
    run = RunDir(tmp_path / "run")
    reached = {"finished": False, "drained": False, "load_ended_ts": None, "drain_ended_ts": None}
    run.write_manifest(Manifest.from_json({**MANIFEST, **reached}))
    (run.path / "ledger").mkdir()
    (run.path / "ledger" / "w1.jsonl").write_text("{}\n")
    (run.path / "queues.jsonl").write_text("{}\n")
    verdict = judge(load_evidence(run))

    assert Status.UNKNOWN is verdict.status
    assert (
        "the run did not come to its end; it did not come to the drain; tables that are there: none (raw: ledger/ (1), "
        f"queues.jsonl); that are not: {', '.join(TABLES)}"
    ) == verdict.checks[0].statement


def test_bad_lines_are_read(run: RunDir) -> None:
    """Lines that broke the schema are part of the evidence."""
    (run.path / BAD_LINES).write_text('{"event":"x"}\n\n')

    assert ('{"event":"x"}',) == load_evidence(run).bad_lines


def test_missing_manifest_is_an_error(run: RunDir) -> None:
    """Without the manifest nothing can be said at all."""
    run.manifest_path.unlink()

    with pytest.raises(EvidenceError, match=r"manifest\.json"):
        load_evidence(run)
