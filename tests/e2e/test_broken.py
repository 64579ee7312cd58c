"""Whatever a run rests on is killed, in each phase: the run stops at once and says what ended, how, and what there is.

All runs go on side by side, because each mostly waits.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from dlqlab import paths
from dlqlab.waiting import wait_for
from tests.support.command import DLQLAB, write_small

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

AT_A_TIME = 2
NOTICED_MAX_S = 60
"""On whatever machine; half of what a drain waits for that nobody stops."""
KILLS = {
    "deploy": ("start", "dlqlab.emulator.boot"),
    "preflight": ("deploy", "dlqlab.emulator.boot"),
    "load": ("preflight", "dlqlab.emulator.boot"),
    "drain": ("load", "dlqlab.emulator.boot"),
    "locust": ("preflight", "locustfile.py"),
}
"""By name: the phase after whose end somebody kills, and whom."""


@dataclass(frozen=True)
class Broken:
    """A run of which something was killed."""

    code: int
    printed: str
    noticed_s: float
    left: list[psutil.Process]
    folder: Path

    def facts(self) -> dict[str, object]:
        return dict(json.loads((self.folder / "manifest.json").read_text()))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Broken]:
    """Every run of ``KILLS``."""
    root = tmp_path_factory.mktemp("broken")
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        runs = {name: pool.submit(_break, root / name, *kill) for name, kill in KILLS.items()}
        return {name: run.result() for name, run in runs.items()}


@pytest.mark.parametrize("phase", ["deploy", "preflight", "load", "drain"])
def test_the_end_of_the_emulator_ends_the_run(broken: dict[str, Broken], phase: str) -> None:
    """In each phase: exit code 4, one message, no check mark for the phase, and no process is left."""
    run = broken[phase]
    words = f"the emulator was killed by SIGKILL (signal 9), in phase {phase} at 20"

    assert run.code == 4
    assert run.printed.count("dlqlab:") == 1
    assert f"dlqlab: {words}" in run.printed
    assert "emulator.log:" in run.printed
    assert f"✗ {phase}" in run.printed
    assert f"✓ {phase}" not in run.printed
    assert [] == run.left
    assert str(run.facts()["broken"]).startswith(f"{{'phase': '{phase}', 'reason': '{words}")
    assert run.noticed_s < NOTICED_MAX_S


@pytest.mark.parametrize("name", ["load", "locust"])
def test_what_there_is_is_named_and_judged_unknown(broken: dict[str, Broken], name: str) -> None:
    """The message names the run directory and what it holds; its report is never valid."""
    run = broken[name]
    judged = subprocess.run(
        [DLQLAB, "report", "--no-page", run.folder], capture_output=True, text=True, timeout=60, check=False
    )

    assert f"evidence: {run.folder} holds manifest, ledger (" in run.printed
    assert f"dlqlab report {run.folder} judges it" in run.printed
    assert judged.returncode == 2
    assert "was killed by SIGKILL" in judged.stdout


def test_the_end_of_locust_ends_the_run(broken: dict[str, Broken]) -> None:
    """The load generator likewise, with the end of its own log."""
    run = broken["locust"]

    assert run.code == 4
    assert "dlqlab: locust was killed by SIGKILL (signal 9), in phase load at 20" in run.printed
    assert f"{run.folder / 'locust.log'}:" in run.printed
    assert "✓ load" not in run.printed
    assert [] == run.left


def _break(folder: Path, after: str, program: str) -> Broken:
    """A run, until the phase ``after`` is over; then its child that runs ``program`` is killed."""
    folder.mkdir()
    scenario = write_small(folder / "small.toml", rate_per_s=8, tasks=40, base_s=5)
    run = subprocess.Popen(
        [DLQLAB, "run", scenario, "--port", "auto", "--runs", folder, "--no-page"],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert run.stdout is not None
    printed: list[str] = []
    for line in run.stdout:
        printed.append(line)
        if line.startswith(f"✓ {after}"):
            break
    if after == "preflight":
        wait_for("the load", lambda: (_sent(folder), None), deadline_s=60)
    children = psutil.Process(run.pid).children(recursive=True)
    (victim,) = (child for child in children if program in " ".join(_safely(child.cmdline)))
    victim.kill()
    killed = time.monotonic()
    rest = run.communicate(timeout=180)[0]
    noticed_s = time.monotonic() - killed
    _, left = psutil.wait_procs(children, timeout=10)
    (made,) = folder.glob("*-small")
    return Broken(run.returncode, "".join(printed) + rest, noticed_s, left, made)


def _sent(folder: Path) -> bool:
    return any(path.stat().st_size for path in folder.glob("*-small/ledger/*.jsonl"))


def _safely(look: Callable[[], list[str]]) -> list[str]:
    try:
        return look()
    except psutil.Error:  # it ended since it was listed
        return []
