"""The whole command on a small run: real emulator, real deployment, real load, real report."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from dlqlab import paths
from dlqlab.cli import main
from dlqlab.contracts.rundir import RunDir
from dlqlab.waiting import wait_for
from tests.support.command import DLQLAB, write_small
from tests.support.recorded_counts import check_counts

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def _run(scenario: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DLQLAB, "run", str(scenario), "--port", "auto", "--runs", str(scenario.parent), *options],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def _run_dir(output: str) -> Path:
    line = next(line for line in output.splitlines() if line.startswith("report: "))
    return (paths.ROOT / line.removeprefix("report: ")).parent


def test_small_run_ends_in_a_valid_verdict_and_a_report(tmp_path: Path) -> None:
    """One command gives exit code 0, a run directory that explains itself, in which whatever was recorded is what
    everybody else counted, and leaves no process behind.
    """
    scenario = write_small(tmp_path / "small.toml", junk_messages=3)
    done = _run(scenario)
    assert done.returncode == 0, done.stdout + done.stderr
    run = _run_dir(done.stdout)
    verdict = json.loads((run / "verdict.json").read_text())
    manifest = json.loads((run / "manifest.json").read_text())
    checks = {check["name"]: check for check in verdict["checks"]}
    conservation, witness = checks["conservation"], checks["witness"]

    assert ("valid", True) == (verdict["status"], verdict["finished"])
    assert 60 == len(conservation["members"]["acknowledged"])
    assert [] == conservation["members"]["lost"] == conservation["members"]["duplicated"]
    assert 3 == len(conservation["members"]["junk"])
    assert 60 <= witness["n"] == witness["measured"]
    assert {"run_id", "scenario", "seed", "versions", "git", "command", "emulator", "fidelity"} <= set(manifest)
    assert 60 < check_counts(RunDir(run))["NumberOfMessagesReceived QueueName=dlqlab-local-tasks"]
    assert "Valid" in (run / "report.html").read_text()
    assert (run / "report.ipynb").exists()
    assert [] == _processes_of(manifest["emulator"]["port"])


def test_interrupted_run_leaves_no_process_and_says_so(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the load ends everything; the manifest says that the run did not finish."""
    scenario = write_small(tmp_path / "interrupted.toml", junk_messages=3)
    run = subprocess.Popen(
        [DLQLAB, "run", str(scenario), "--port", "auto", "--runs", str(tmp_path), "--no-page"],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def loading() -> tuple[bool, list[Path]]:
        found = [path.parent for path in tmp_path.glob("*-interrupted/ledger") if any(path.iterdir())]
        return bool(found), found

    folder = wait_for("the load", loading, deadline_s=120)[-1]
    children = psutil.Process(run.pid).children(recursive=True)
    os.kill(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)

    assert 4 == run.returncode
    assert b"interrupted" in errors
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(children) > 2
    assert [] == [child.pid for child in children if child.is_running()]
    assert [] == _processes_of(manifest["emulator"]["port"])
    assert manifest["finished"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "no-such-scenario"), "no scenario 'no-such-scenario': there are "),
        (("run", "--seed", "-1"), "seed is -1"),
        (("run", "--port", "70000"), "is not a port"),
        (("load", "--port", "1"), "no emulator of this project runs on port 1"),
        (("load", "--users", "0", "--port", "1"), "load.users is 0"),
        (("url", "--port", "1"), "no emulator of this project runs on port 1"),
        (("report", "no-such-run"), "no run 'no-such-run'"),
        (("up", "--without-patch", "nope"), "there is no such patch"),
        (("no-such-command",), "No such command"),
    ],
)
def test_wrong_usage_is_exit_code_3_with_a_remedy(arguments: tuple[str, ...], message: str) -> None:
    """What the user got wrong is one message and exit code 3, without a traceback."""
    done = CliRunner().invoke(main, arguments)

    assert isinstance(done.exception, SystemExit), done.exc_info
    assert 3 == done.exit_code
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_process_ends_as_its_command_does() -> None:
    """Wrong usage again, in a process of its own."""
    done = subprocess.run([DLQLAB, "run", "--seed", "-1"], capture_output=True, text=True, timeout=60, check=False)

    assert 3 == done.returncode
    assert "seed is -1" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def _processes_of(port: int) -> list[int]:
    """Emulator and function processes of the emulator that had this port."""
    state = f"{paths.STATE}{os.sep}emulator-{port}"
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        seen = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        if any(state in text for text in seen):
            found.append(process.pid)
    return found
