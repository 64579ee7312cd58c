"""trace and why on run directories: what they print, and what they refuse."""

import json
from pathlib import Path

import pytest

from dlqlab.cli.actions.trace import trace, why
from dlqlab.contracts.lookup import MANIFEST
from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.tables import frame
from dlqlab.errors import UsageError
from tests.support.lives import BATCH, body, completed, dead_lettered, submitted
from tests.support.recordings import T0, recording


def run_of(tmp_path: Path, record: Recording | None) -> str:
    """The folder of a run that holds this record."""
    run = RunDir(tmp_path / "a-run")
    write_json(run.manifest_path, {})
    assert run.manifest_path.name == MANIFEST
    if record is not None:
        write_recording(run, record)
    return str(run.path)


def events(run: str, *rows: dict[str, object]) -> None:
    """Log events of a run, and no REPORT lines."""
    RunDir(Path(run)).write("events", frame("events", rows))
    RunDir(Path(run)).write("invocations", frame("invocations", []))


def test_life_from_a_run_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace("t-1", None, run_of(tmp_path, completed()), None, as_json=False)

    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "t-1: it is in the keys of items of items; it is in the body of 1 message, as taskId"
    assert "receive 1: done, deleted by the mapping" in "\n".join(printed)


def test_life_as_json_has_spans_and_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace("m1", None, run_of(tmp_path, completed()), None, as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert [span["label"] for span in told["spans"]] == ["request POST /tasks", "message in tasks"]
    assert told["stays"][0]["deliveries"][0]["attempts"][0]["request_id"] == "p1"


def test_page_is_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing goes to standard output, so that a script may still ask for JSON."""
    file = tmp_path / "life.html"

    trace("m1", None, run_of(tmp_path, completed()), file, as_json=False)

    assert "The life of m1" in file.read_text()
    assert capsys.readouterr().out == ""


def test_page_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--html .*no-folder/x.html: cannot be written: No such file or directory"):
        trace("m1", None, run_of(tmp_path, completed()), tmp_path / "no-folder" / "x.html", as_json=False)


def test_why_has_the_lines_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The event of the failed attempt is found by its request id."""
    run = run_of(tmp_path, dead_lettered())
    failed = {"event": "attempt.failed", "request_id": "p1", "message_id": "m1", "error_type": "E", "ts": T0 + 0.2}
    events(run, failed | {"stored_ts": T0 + 0.2, "function": "processor", "log_stream": "x[$LATEST]e1"})

    why("m1", None, run, as_json=True)

    [message] = json.loads(capsys.readouterr().out)["messages"]
    assert message["last_request_id"] == "p1"
    assert [json.loads(line)["event"] for line in message["last_lines"]] == ["attempt.failed"]


def test_why_has_the_limit_of_the_runs_topology(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As deployed, before what was declared."""
    run = run_of(tmp_path, dead_lettered())
    declared = {"queues": [{"name": "tasks", "max_receive_count": 5}, {"name": "other", "max_receive_count": None}]}
    deployed = {"queues": [{"name": "tasks", "max_receive_count": 3}]}
    write_json(RunDir(Path(run)).topology_path, {"declared": declared, "deployed": deployed})

    why("m1", None, run, as_json=False)

    assert "in tasks (maxReceiveCount 3): received 3 times, tried once" in capsys.readouterr().out


def test_task_id_from_the_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in the record has the id; the ledger knows the client's request."""
    run = run_of(tmp_path, recording(messages=[submitted(request_id="r1") | {"actor_kind": "client"}]))
    RunDir(Path(run)).write("ledger", frame("ledger", [{"task_id": "t-1", "request_id": "r1"}]))

    why("t-1", None, run, as_json=False)

    assert capsys.readouterr().out.startswith("message m1 is in tasks")


def test_several_tasks_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = recording(messages=BATCH, bodies=[body("t-1", runId="run-9"), body("t-2", runId="run-9")])

    why("run-9", None, run_of(tmp_path, record), as_json=False)

    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["run-9:", "m1", "m2"]


def test_unknown_key_says_what_was_searched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing has the key 'x y': searched .*2 invocations"):
        trace("x y", None, run_of(tmp_path, completed()), None, as_json=False)


def test_run_without_a_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run a-run holds no recording"):
        trace("m1", None, run_of(tmp_path, None), None, as_json=False)


def test_run_and_port_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--run and --port are given"):
        trace("m1", 4566, run_of(tmp_path, completed()), None, as_json=False)


def test_why_of_one_of_two_messages_names_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked by a message id, only that message is explained."""
    record = recording(messages=[submitted(), submitted(message_id="m2", at=0.01)], bodies=[body()])

    why("m2", None, run_of(tmp_path, record), as_json=False)

    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["message m2 is in tasks", "in tasks: never received"]
    assert printed[-1] == "note: to the same task belongs also m1"


def test_key_that_is_known_and_names_no_task(tmp_path: Path) -> None:
    """An item that hundreds of invocations share, and no message has its key."""
    calls = [{"request_id": f"p{n}", "operation": "UpdateItem", "item_key": '{"n": {"S": "all"}}'} for n in range(600)]

    with pytest.raises(UsageError, match=r"'all' names no task: it is in the keys of items .* 600 requests"):
        trace("all", None, run_of(tmp_path, recording(calls=calls)), None, as_json=False)
