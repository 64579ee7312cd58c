"""Everything after the load, on recorded runs of the real emulator, with no emulator anywhere."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dlqlab.analysis.judge import judge
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.contracts.verdict import Status
from dlqlab.paths import NOTEBOOKS
from dlqlab.report.comparison import compare_runs
from dlqlab.report.render import execute, render
from tests.support.recorded import NAMES, ROOT, recorded

SIZE_MAX = 300_000


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDir]:
    """Copies of both recordings."""
    root = tmp_path_factory.mktemp("recorded")
    return {name: recorded(name, root) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_recorded_run_is_valid(name: str) -> None:
    """Each check of the recording is valid; it was not simulated."""
    run = load_evidence(RunDir(ROOT / name))
    verdict = judge(run)

    assert not run.manifest.simulated
    assert {} == {check.name: check.statement for check in verdict.checks if check.status is not Status.VALID}


@pytest.mark.parametrize("name", NAMES)
def test_recording_is_small_and_names_no_machine(name: str) -> None:
    """It stays below 300 kB, and its manifest holds no path or address of the machine that it was made on."""
    files = [path for path in (ROOT / name).iterdir() if path.is_file()]
    manifest = json.loads((ROOT / name / "manifest.json").read_text())
    said = json.dumps({key: value for key, value in manifest.items() if key != "fidelity"})

    assert sum(path.stat().st_size for path in files) < SIZE_MAX
    assert [] == re.findall(r'"/|://|localhost|127\.0', said)


def test_report_of_a_recorded_run(runs: dict[str, RunDir]) -> None:
    """The page has all its charts with data, and the card with what the probes measured; the notebook's check holds."""
    run = runs["two_retries"]
    text = render(run, parameters={"require_valid": True}).read_text()
    executed = read_json(run.notebook_path)

    assert "no data" not in text + json.dumps(executed)
    assert "✓ Valid" in text
    assert "a hidden message returns" in text
    assert "valid" in printed(executed)


@pytest.mark.parametrize("notebook", ["retry_timing", "dlq_autopsy"])
def test_notebook_executes_on_a_recorded_run(runs: dict[str, RunDir], tmp_path: Path, notebook: str) -> None:
    """The notebook comes to its end and its check is valid."""
    parameters = {"run_dir": str(runs["two_retries"].path), "require_valid": True}

    executed = execute(NOTEBOOKS / f"{notebook}.ipynb", tmp_path / "out.ipynb", parameters, folder=tmp_path)

    assert "valid" in printed(executed)
    assert "no data" not in json.dumps(executed)


def test_comparison_executes_on_recorded_runs(runs: dict[str, RunDir], tmp_path: Path) -> None:
    """One retry less: the notebook draws four charts and says which measures differ."""
    parameters = {"first_dir": str(runs["two_retries"].path), "second_dir": str(runs["one_retry"].path)}

    executed = execute(NOTEBOOKS / "compare_runs.ipynb", tmp_path / "out.ipynb", parameters, folder=tmp_path)

    assert "measures differ" in printed(executed)
    assert 4 == json.dumps(executed).count('"image/png": "')


def test_gate_stops_the_policy_with_one_retry(runs: dict[str, RunDir]) -> None:
    """With 200 tasks each the data tell that one retry makes more dead letters, and no more than that."""
    limits = {0.0: Status.INVALID, 0.02: Status.UNKNOWN, 0.2: Status.VALID}
    found = {
        limit: compare_runs(runs["two_retries"], runs["one_retry"], {"dlq_share": limit}).verdict.status
        for limit in limits
    }

    assert limits == found


def printed(notebook: Any) -> str:
    """What the last cell printed."""
    return "".join("".join(output.get("text", "")) for output in notebook["cells"][-1]["outputs"])
