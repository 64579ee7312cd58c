"""A run on two emulators side by side ends in one run directory with one verdict."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from dlqlab import paths
from dlqlab.cli import main
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.waiting import wait_for
from tests.support.command import DLQLAB, write_small
from tests.support.recorded_counts import check_counts

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def _command(folder: Path, *options: str) -> list[str | Path]:
    scenario = write_small(folder / "small.toml", rate_per_s=8, junk_messages=2)
    return [DLQLAB, "run", scenario, "--cells", "2", "--runs", folder, *options]


def test_two_cells_share_the_tasks_and_are_judged_as_one_run(tmp_path: Path) -> None:
    """Every task is sent by exactly one cell, the merged evidence is valid, and no process is left."""
    done = subprocess.run(_command(tmp_path), cwd=paths.ROOT, capture_output=True, text=True, timeout=380, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = RunDir((tmp_path / "latest").resolve())
    verdict = json.loads(run.verdict_path.read_text())
    manifest = run.read_manifest()
    ledger, tasks = run.read("ledger"), run.read("tasks")

    assert ("valid", True) == (verdict["status"], verdict["finished"])
    assert {0: 30, 1: 30} == ledger["cell"].value_counts().to_dict()
    assert ledger["task_id"].is_unique
    assert ledger["cell"].to_list() == [int(task.rpartition("-")[2]) % 2 for task in ledger["task_id"]]
    assert ledger.set_index("task_id")["cell"].to_dict() == (
        tasks[tasks["in_table"]].set_index("task_id")["cell"].to_dict()
    )
    assert {0, 1} == set(run.read("queues")["cell"]) == set(run.read("host")["cell"])
    record = read_recording(run)
    assert record is not None
    assert [0, 1] == sorted(set(record.messages["cell"].to_pylist()))
    assert all(check_counts(RunDir(run.path / "cells" / cell)) for cell in ("0", "1"))
    assert manifest.emulator is not None
    assert manifest.emulator.ports is not None
    assert [] == [port for port in manifest.emulator.ports if _listeners(port)]


def test_interrupted_cells_leave_no_process(tmp_path: Path) -> None:
    """SIGTERM while the cells start ends all of them and their emulators; the manifest says that it did not finish."""
    run = subprocess.Popen(
        _command(tmp_path, "--no-page"), cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def serving() -> tuple[bool, int]:
        started = len(list(tmp_path.glob("*-small/cells/*/manifest.json")))
        emulators = [child for child in psutil.Process(run.pid).children(recursive=True) if "boot" in _name(child)]
        return started == 2 and len(emulators) == 2, len(emulators)

    wait_for("two emulators", serving, deadline_s=120)
    children = psutil.Process(run.pid).children(recursive=True)
    os.kill(run.pid, signal.SIGTERM)
    _, errors = run.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=10)
    (folder,) = tmp_path.glob("*-small")

    assert 4 == run.returncode
    assert b"interrupted" in errors
    assert [] == alive
    assert RunDir(folder).read_manifest().finished is False


def test_the_end_of_a_cell_ends_the_run(tmp_path: Path) -> None:
    """A cell's process is killed: the run says which one and how, the other cell ends too, and no process is left."""
    run = subprocess.Popen(
        _command(tmp_path, "--no-page"), cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    wait_for("two emulators", lambda: _serving(run.pid), deadline_s=120)
    children = psutil.Process(run.pid).children(recursive=True)
    cell = next(child.parent() for child in children if "boot" in _name(child))
    assert cell is not None
    cell.kill()
    _, errors = run.communicate(timeout=120)
    _, alive = psutil.wait_procs(children, timeout=10)
    (folder,) = tmp_path.glob("*-small")

    assert 4 == run.returncode
    assert re.search(rb"cell [01]: the process of the cell was killed by SIGKILL \(signal 9\)", errors)
    assert b"evidence: " in errors
    assert [] == alive
    broken = RunDir(folder).read_manifest().broken
    assert broken is not None
    assert "was killed by SIGKILL" in broken.reason


@pytest.mark.parametrize("options", [("--keep",), ("--target", "http://127.0.0.1:1")])
def test_cells_need_emulators_of_their_own(tmp_path: Path, options: tuple[str, ...]) -> None:
    """What only one emulator can do is refused with the reason."""
    done = CliRunner().invoke(main, [str(argument) for argument in _command(tmp_path, *options)[1:]])

    assert 3 == done.exit_code
    assert "cells start and stop emulators" in " ".join(done.stderr.split())


def _serving(pid: int) -> tuple[bool, int]:
    emulators = [child for child in psutil.Process(pid).children(recursive=True) if "boot" in _name(child)]
    return len(emulators) == 2, len(emulators)


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _listeners(port: int) -> list[int]:
    found = psutil.net_connections("tcp4")
    return [
        seen.pid or 0 for seen in found if seen.status == psutil.CONN_LISTEN and seen.laddr and seen.laddr.port == port
    ]
