"""The tasks of a run that are shown by themselves: of a simulated run, with and without its recording."""

from pathlib import Path

import pytest

from dlqlab.analysis.chosen_tasks import DEAD_LETTER, SLOW, SLOWEST
from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.verdict import Check, NamedSet, SetKind, Status, Verdict
from dlqlab.paths import NOTEBOOKS
from dlqlab.report.render import execute
from dlqlab.report.tasks.gather import NO_RECORDING, NOTHING_KNOWN, Tasks, gather
from dlqlab.report.verdicts import verdict_of
from tests.support.recordings import recording
from tests.support.reports import small

LOST = "t-1-00000000"
VERDICT = Verdict(
    run_id="small-run",
    finished=True,
    checks=(
        Check(
            name="c", title="Nothing lost", status=Status.INVALID, statement="",
            members={"lost": (LOST, "t-never")}, sets=(NamedSet("lost", SetKind.VIOLATION, ""),),
        ),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded_run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    simulated = small()
    assert simulated.recording is not None
    run = simulated.write(tmp_path_factory.mktemp("recorded"))
    write_recording(run, simulated.recording)
    return run


@pytest.fixture(scope="module")
def told_run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return small().write(tmp_path_factory.mktemp("told"))


def letters(run: RunDir) -> set[str]:
    events = run.read("events")
    return set(events.loc[events["event"] == "task.dead_lettered", "task_id"])


def by_reason(found: Tasks, reason: str) -> list[str]:
    return [task.row.key for task in found.tasks if reason in task.row.why]


@pytest.mark.parametrize("kind", ["recorded_run", "told_run"])
def test_dead_letters_named_and_slow_tasks_are_there(kind: str, request: pytest.FixtureRequest) -> None:
    """All dead letters, as the app counts them; the members of the check; what is known of none is said."""
    run: RunDir = request.getfixturevalue(kind)
    found = gather(run, VERDICT)

    assert set(by_reason(found, DEAD_LETTER)) == letters(run)
    assert by_reason(found, "Nothing lost: lost") == [LOST]
    assert len(by_reason(found, SLOW)) == SLOWEST
    assert "Checks name 1 thing of which no life is known: verdict.json has them." in found.notes
    assert (NO_RECORDING in found.notes) == (kind == "told_run")


def test_autopsy_groups_dead_letters_and_leads_to_their_lives(recorded_run: RunDir, tmp_path: Path) -> None:
    """As many as there are; each example is a link into the page of tasks."""
    parameters = {"run_dir": str(recorded_run.path)}
    executed = execute(NOTEBOOKS / "dlq_autopsy.ipynb", tmp_path / "out.ipynb", parameters, folder=tmp_path)
    outputs = [output for cell in executed["cells"] for output in cell.get("outputs", ())]

    assert any(f"{len(letters(recorded_run)):,} dead letters" in output.get("text", "") for output in outputs)
    assert any("tasks.html#t-1-" in output.get("data", {}).get("text/html", "") for output in outputs)


def test_message_chains_of_a_pipeline_that_tells_nothing(tmp_path: Path) -> None:
    """No events, no ledger: dead letters by message id, a message and what came of it in one row."""
    sent = {"kind": "sent", "message_id": "m1", "body_sha256": "h"}
    sent_on = {
        "kind": "sent",
        "message_id": "m2",
        "body_sha256": "h2",
        "parent_ids": ["m1"],
        "actor_kind": "invocation",
    }
    moved = [{"kind": "moved", "message_id": each, "ts": 1_800_000_009.0} for each in ("m2", "m1")]
    run = small().write(tmp_path)
    for table in ("events", "ledger", "tasks", "invocations"):
        run.table_path(table).unlink()
    run.topology_path.unlink()
    write_recording(run, recording(messages=[sent, sent_on, *moved]))
    [task] = gather(run, Verdict(run_id="r", finished=True, checks=())).tasks

    assert (task.row.key, task.row.ids, task.row.outcome) == ("m2", ("m1",), "dead-lettered")


def test_run_without_any_source_says_so(tmp_path: Path) -> None:
    run = small().write(tmp_path)
    for table in ("events", "ledger"):
        run.table_path(table).unlink()

    assert gather(run, Verdict(run_id="r", finished=True, checks=())) == Tasks((), (NOTHING_KNOWN,), {})


def test_broken_recording_is_told_and_the_app_is_asked(recorded_run: RunDir, tmp_path: Path) -> None:
    run = small().write(tmp_path)
    run.recording_path.mkdir()
    found = gather(run, verdict_of(recorded_run))

    assert set(by_reason(found, DEAD_LETTER)) == letters(run)
    assert any("gaps.json" in note for note in found.notes)
