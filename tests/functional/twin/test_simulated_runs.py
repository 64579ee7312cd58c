"""A simulated run is a run: evidence, verdict, report and comparison work on it as on a measured one."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from dlqlab import paths
from dlqlab.analysis.judge import judge
from dlqlab.cli.program import main
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.contracts.scenario import load_scenario
from dlqlab.contracts.verdict import Status
from dlqlab.errors import UsageError
from dlqlab.report.comparison import compare_runs
from dlqlab.report.render import execute
from dlqlab.report.verdicts import verdict_of
from dlqlab.twin.calibrate import calibrate
from dlqlab.twin.parameters import AWS, LOCALSTACK
from dlqlab.twin.record import AGGREGATES, SERIES, record
from dlqlab.twin.validate import validate
from tests.support.recorded import ROOT
from tests.support.twin import scenario

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine
SCENARIOS = sorted(paths.SCENARIOS.glob("*.toml"))


def dlqlab(*arguments: str) -> Result:
    """The command, in this process."""
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_verdict_of_every_scenario_is_valid(path: Path, tmp_path: Path) -> None:
    """All checks of the simulated run, crashes, outages, junk and duplicates included."""
    run, _ = record(load_scenario(path), root=tmp_path)

    verdict = verdict_of(run, anew=True)

    assert {} == {check.name: check.statement for check in verdict.checks if check.status is not Status.VALID}
    assert run.read_manifest().simulated
    assert () == run.missing()


def test_sampled_run_says_what_it_has_seen(tmp_path: Path) -> None:
    """Whole tasks are sampled, the aggregates count all, and the verdict names both numbers."""
    chosen = scenario(load={"tasks": 3000, "rate_per_s": 100.0}, faults={"failure_rate": 0.3})

    run, result = record(chosen, root=tmp_path, sample=400)

    evidence, counted = load_evidence(run), read_json(run.path / AGGREGATES)
    finished = judge(evidence).checks[0]
    started = evidence.table("events").query("event == 'attempt.started'").groupby("task_id").size()
    assert "every number below is about 400 of 3,000 simulated tasks" in finished.statement
    assert (400, 400) == (len(evidence.table("tasks")), len(evidence.table("ledger")))
    assert (
        evidence.table("tasks")
        .set_index("task_id")["attempts"]
        .astype(int)
        .equals(started.reindex(evidence.table("tasks")["task_id"]).astype(int).rename("attempts"))
    )
    assert 3000 == counted["tasks"] == sum(counted["tasks_by_attempts"].values())
    assert result.totals.dead_lettered == counted["totals"]["dead_lettered"]
    assert result.totals.attempts == int(pd.read_parquet(run.path / SERIES)["started"].sum())


def test_load_that_does_not_drain_is_unknown(tmp_path: Path) -> None:
    """Past the drain's deadline the simulation stops, and the verdict is not valid."""
    chosen = scenario(faults={"failure_rate": 0.9}, retry={"max_retries": 5, "base_s": 60.0}, drain={"deadline_s": 5})

    run, _ = record(chosen, root=tmp_path)

    assert verdict_of(run, anew=True).status is Status.UNKNOWN


def test_simulated_runs_compare(tmp_path: Path) -> None:
    """One retry less in simulated time: the comparison finds more dead letters."""
    two, one = (
        record(scenario(retry={"max_retries": retries}), root=tmp_path, run_id=f"retries-{retries}")[0]
        for retries in (2, 1)
    )

    assert compare_runs(two, one, {"dlq_share": 0.02}).verdict.status is Status.INVALID


def test_calibration_takes_durations_of_a_run() -> None:
    """Quantiles of what the recording shows; what it shows too little of keeps the target's default."""
    found = calibrate(RunDir(ROOT / "two_retries"), LOCALSTACK)

    fits = {fit.name: fit for fit in found.fits}
    assert "measured quantiles" == fits["success_s"].how
    assert found.parameters.success_s.quantile_s(0.5) == pytest.approx(fits["success_s"].measured["p50"], rel=0.02)
    assert fits["success_s"].residual < 0.05
    assert ("default kept", LOCALSTACK.settle_s) == (fits["settle_s"].how, found.parameters.settle_s)
    assert found.to_json()["run_id"] == "2026-11-22T08-29-59Z-two_retries"


def test_simulated_run_is_no_calibration(tmp_path: Path) -> None:
    """A simulation fitted to a simulation would only repeat itself."""
    run, _ = record(scenario(load={"tasks": 20}), root=tmp_path)

    with pytest.raises(UsageError, match="was simulated"):
        calibrate(run)


def test_recorded_run_is_predicted_from_another() -> None:
    """Counts exactly, throughput within 10 %, completion within 15 %, by the durations of the other recording."""
    found = validate(RunDir(ROOT / "one_retry"), RunDir(ROOT / "two_retries"))

    table = found.table().set_index("measure")
    assert [0.0, 0.0, 0.0] == table.loc[["tasks", "dead letters", "attempts"], "off"].tolist()
    assert {} == table.loc[~table["within"], "off"].to_dict()
    assert "valid: all 6 measures" in found.statement()


def test_slower_machine_explains_what_is_off() -> None:
    """The other way round the median is off, because that recording was slower; counts still agree exactly."""
    found = validate(RunDir(ROOT / "two_retries"), RunDir(ROOT / "one_retry"))

    table = found.table().set_index("measure")
    slower, own = ({fit.name: fit.measured["p50"] for fit in one.fits if fit.measured} for one in found.calibrations)
    assert {0.0} == set(table.loc[["tasks", "dead letters", "attempts"], "off"])
    off, own_off = table["off"].astype(float).abs(), table["own_off"].astype(float).abs()
    assert off["completion p95"] <= 0.15
    assert slower["success_s"] > own["success_s"]
    assert own_off["completion p50"] < off["completion p50"]


def test_notebook_executes_on_recorded_runs(tmp_path: Path) -> None:
    """Three charts, the fits, and a valid answer."""
    parameters = {
        "run_dir": str(ROOT / "one_retry"), "calibrated_from": str(ROOT / "two_retries"), "require_valid": True,
    }  # fmt: skip

    executed = execute(
        paths.NOTEBOOKS / "simulation_vs_measured.ipynb", tmp_path / "out.ipynb", parameters, folder=tmp_path
    )

    text = json.dumps(executed)
    assert 3 == text.count('"image/png": "')
    assert "no data" not in text
    assert "valid: all 6 measures" in text


def test_command_writes_a_run(tmp_path: Path) -> None:
    """Dlqlab simulate: totals, verdict, sampling, and the exit code of the verdict."""
    done = dlqlab("simulate", "default", "--tasks", "300", "--rules", "aws", "--no-page", "--runs", str(tmp_path))

    (run,) = [path for path in tmp_path.iterdir() if not path.is_symlink()]
    assert "default on aws, simulated: 300 tasks" in done.output
    assert "all 300 tasks are in the evidence" in done.output
    assert done.exit_code in (0, 2)  # 300 tasks may be too few for the rate's interval
    assert read_json(run / "manifest.json")["target"] == AWS.name


def test_command_takes_trace_and_calibration_of_a_run(tmp_path: Path) -> None:
    """The recorded clients and durations: its own dead letters, attempt by attempt."""
    source = ROOT / "two_retries"

    done = dlqlab(
        "simulate", f"{source}.toml", "--trace", str(source), "--calibrate", str(source), "--no-page", "--runs",
        str(tmp_path),
    )  # fmt: skip

    (run,) = [RunDir(path) for path in tmp_path.iterdir() if not path.is_symlink()]
    measured = RunDir(source).read("tasks").set_index("task_id")["attempts"].sort_index()
    assert 0 == done.exit_code
    assert measured.equals(run.read("tasks").set_index("task_id")["attempts"].sort_index())
    assert "2026-11-22T08-29-59Z-two_retries" == read_json(run.manifest_path)["simulation"]["calibration"]["run_id"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rules", "azure"], "no rules 'azure'"),
        (["--target", "aws"], "whose rules are simulated is --rules aws"),
        (["--arrivals", "ramp"], "--arrivals ramp needs --to-rate"),
        (["--tasks", "10000000", "--rate", "10"], "give --rate of 116 or more"),
        (["--arrivals", "constant", "--rate", "0"], "rate_per_s is 0.0: give a number over 0"),
        (["--calibrate", "nothing-of-that-name"], "no run 'nothing-of-that-name'"),
    ],
)
def test_command_refuses_the_impossible(arguments: list[str], said: str, tmp_path: Path) -> None:
    """Exit code 3, and nothing is written."""
    done = dlqlab("simulate", "default", "--runs", str(tmp_path), *arguments)

    assert (3, []) == (done.exit_code, list(tmp_path.iterdir()))
    assert said in " ".join(done.output.split())


def test_no_other_command_loads_the_compiler() -> None:
    """Numba takes seconds to import: only who simulates pays for it."""
    code = "import sys; from dlqlab.cli.program import main; main(['--help'], standalone_mode=False)"
    check = f"{code}; print(sorted(name for name in ('numba', 'llvmlite') if name in sys.modules))"

    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=paths.ROOT)

    assert "[]" == done.stdout.splitlines()[-1]
