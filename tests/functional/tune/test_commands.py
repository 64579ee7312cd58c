"""The commands what-if and tune."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli.program import main
from dlqlab.costs.prices import DEFAULT
from dlqlab.tune.store import load
from tests.support.recorded import ROOT

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine
QUICK = ("--rate", "20", "--duration", "10s", "--workers", "0")


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, list(arguments))


def answered(*arguments: str) -> dict[str, Any]:
    """The answer of what-if as JSON."""
    result = run("what-if", "default", *QUICK, "--json", *arguments)
    assert 0 == result.exit_code, result.output
    return dict(json.loads(result.stdout))


def test_what_if_answers_with_intervals() -> None:
    """DLQ volume, backlog, drain time and cost, each with its mean and interval over the seeds."""
    measures = answered("--seeds", "3")["measures"]
    low, high = measures["dead_letters"]["interval"]

    assert 3 == measures["dead_letters"]["n"]
    assert low <= measures["dead_letters"]["mean"] <= high
    assert 200 == measures["tasks"]["mean"]
    assert measures["cost_usd"]["mean"] > 0
    assert {"peak_backlog", "drain_s", "completion_s_p50", "completion_s_p95", "wasted_invocations"} <= set(measures)


def test_one_seed_is_not_enough_data() -> None:
    """One simulation has no interval, and the table says so."""
    assert answered("--seeds", "1")["measures"]["dead_letters"]["interval"] is None
    assert "not enough data: one seed" in run("what-if", "default", *QUICK, "--seeds", "1").output


def test_what_if_says_what_lint_finds() -> None:
    """A setting that AWS advises against is simulated, and named below the table."""
    output = run("what-if", "default", *QUICK, "--seeds", "1", "--visibility", "30s").output

    assert "lint warning visibility-is-ample: dlqlab-local-tasks: visibility timeout 30 s" in output


def test_what_if_takes_settings_with_units() -> None:
    """Points of failure rate, seconds of base and window, retries: they are in the scenario that was simulated."""
    given = ("--failure-rate", "20pp", "--base", "3s", "--max-retries", "1", "--batch-size", "50", "--window", "2s")
    scenario = answered("--seeds", "1", *given)["scenario"]

    assert (0.2, 3.0, 1) == (
        scenario["faults"]["failure_rate"],
        scenario["retry"]["base_s"],
        scenario["retry"]["max_retries"],
    )
    assert (50, 2) == (scenario["pipeline"]["batch_size"], scenario["pipeline"]["batch_window_s"])


def test_what_if_is_the_same_each_time() -> None:
    """Seeds decide everything."""
    assert answered("--seeds", "2") == answered("--seeds", "2")


def test_durations_can_be_those_of_a_run() -> None:
    """Calibrated from a measured run the answer names the run, and times differ from those of the target alone."""
    given = ("--seeds", "1", "--rules", "localstack")
    plain, fitted = answered(*given), answered(*given, "--calibrate", str(ROOT / "two_retries"))

    assert plain["world"]["calibrated_from"] is None
    assert str(fitted["world"]["calibrated_from"]).endswith("two_retries")
    assert plain["measures"]["completion_s_p50"]["mean"] != fitted["measures"]["completion_s_p50"]["mean"]
    assert plain["measures"]["dead_letters"]["mean"] == fitted["measures"]["dead_letters"]["mean"]


def test_no_failures_make_no_dead_letters() -> None:
    """At a failure rate of 0 nothing is dead-lettered or wasted."""
    measures = answered("--seeds", "1", "--failure-rate", "0pp")["measures"]

    assert (0, 0, 1) == tuple(
        measures[name]["mean"] for name in ("dead_letters", "wasted_invocations", "success_share")
    )


def test_own_prices_are_used(tmp_path: Path) -> None:
    """A table in which all is free makes a bill of nothing."""
    path = tmp_path / "free.toml"
    lines = ["usd = 0" if line.startswith("usd =") else line for line in DEFAULT.read_text().splitlines()]
    path.write_text("\n".join(lines))

    assert 0 == answered("--seeds", "1", "--prices", str(path))["measures"]["cost_usd"]["mean"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "-5"), "--rate"),
        (("--rate", "0"), "rate is 0: give tasks a second over 0"),
        (("--duration", "soon"), "'soon': give a duration such as 30s, 10m or 1h"),
        (("--rate", "100000", "--duration", "1h"), "360,000,000 tasks: give 10,000,000 at most"),
        (("--failure-rate", "0.3"), "give percentage points such as 1pp"),
        (("--failure-rate", "130pp"), "failure_rate is 1.3: give a ratio of 0 to 1"),
        (("--batch-size", "10001"), "pipeline.batch_size is 10001: give 1 to 10000"),
        (("--batch-size", "11"), "a batch_size over 10 needs a window of at least 1 s"),
        (("--visibility", "5s"), "Lambda refuses it"),
        (("--window", "1.5s"), "--window 1.5 s: give whole seconds"),
        (("--jitter", "some"), "give one of none, equal, full"),
        (("--rules", "moon"), "no rules 'moon': there are those of localstack"),
        (("--target", "aws"), "whose rules are simulated is --rules aws"),
        (("--seeds", "0"), "seeds is 0: give 1 to 1000"),
        (("--prices", "nowhere.toml"), "nowhere.toml: cannot be read"),
    ],
)
def test_impossible_settings_are_wrong_usage(arguments: tuple[str, ...], said: str) -> None:
    """Each is refused with the value and the rule that it breaks, exit code 3, before anything is simulated."""
    result = run("what-if", "default", *QUICK, *arguments)

    assert 3 == result.exit_code
    assert said in result.output.replace("\n", " ")


def test_tune_chooses_and_keeps_the_results(tmp_path: Path) -> None:
    """The output names the choice and why; the folder holds the sweep."""
    out = tmp_path / "sweep"
    given = ("--vary", "base_s=1,2", "--vary", "max_retries=1,3", "--seeds", "2", "--growth", "none")
    result = run("tune", "default", *QUICK, *given, "--out", str(out))

    assert 0 == result.exit_code
    assert "Choose base_s=" in result.output
    assert "Pareto front" in result.output
    assert 4 == len(load(out).settings)


def test_tune_refuses_combinations_with_their_rule(tmp_path: Path) -> None:
    """What cannot be is named, the rest is tried."""
    given = ("--vary", "batch_size=10,20", "--vary", "batch_window_s=0,1", "--seeds", "1", "--growth", "none")
    result = run("tune", "default", *QUICK, *given, "--out", str(tmp_path / "sweep"))

    assert 0 == result.exit_code
    assert "refused batch_size=20 batch_window_s=0: pipeline.batch_window_s is 0" in result.output


def test_tune_without_a_setting_that_qualifies_fails(tmp_path: Path) -> None:
    """No setting keeps the limit of time: exit code 1, and the results are kept."""
    given = ("--vary", "base_s=2,5", "--max-p95", "0.001s", "--seeds", "1", "--json", "--out", str(tmp_path / "sweep"))
    result = run("tune", "default", *QUICK, *given)

    assert 1 == result.exit_code
    assert json.loads(result.stdout)["choice"] is None
    assert load(tmp_path / "sweep").chosen is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to vary"),
        (("--vary", "base_s=-1"), "base_s=-1 is impossible in every combination"),
        (("--vary", "base_s=1", "--growth", "twice"), "give multiples such as 0.5,1,2,4"),
        (("--vary", "base_s=1", "--growth", "-1"), "give multiples over 0"),
        (("--vary", "base_s=1", "--growth", "1,1000000"), "200,000,000 tasks: give 10,000,000 at most"),
        (("--vary", "base_s=1", "--workers", "-1"), "workers is -1"),
    ],
)
def test_tune_refuses_what_it_cannot_do(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Wrong usage is exit code 3 with the remedy."""
    result = run("tune", "default", "--rate", "20", "--duration", "10s", "--out", str(tmp_path / "s"), *arguments)

    assert 3 == result.exit_code
    assert said in result.output.replace("\n", " ")
