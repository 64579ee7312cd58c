"""What-if of a run: the run as it was comes first, and what the model does not play is not answered."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli.program import main
from dlqlab.contracts.recorded_run import write_recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.costs.prices import load_prices
from dlqlab.tune.forecast import Trust, compare, forecast
from dlqlab.twin.pipeline.calibrate import calibrate, model_of
from dlqlab.twin.pipeline.changes import Changes
from tests.support.flows import Story, evidence, facts
from tests.support.pipelines import TOPOLOGY, retried

SEEDS = 4


def stored(folder: Path, story: Story) -> RunDir:
    """A run directory with that record."""
    run, found = RunDir(folder), evidence(story)
    assert found.recording is not None
    run.write_manifest(found.manifest)
    run.write_topology(TOPOLOGY)
    write_recording(run, found.recording)
    return run


def asked(run: RunDir, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["what-if", "--from", str(run.path), "--seeds", str(SEEDS), *arguments])


@pytest.mark.parametrize(
    ("known", "values", "trust"),
    [
        (1.0, [1.03, 1.04, 1.03], Trust.AGREES),  # within 5 %
        (1.0, [1.2, 1.2, 1.2], Trust.OFF),
        (1.0, [1.0, 1.4, 1.8], Trust.IN_BAND),  # single runs differ by more than that
        (1.0, [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0], Trust.IN_BAND),  # one of the seeds is as the run
        (math.nan, [1.0, 1.0, 1.0], Trust.UNKNOWN),
    ],
)
def test_figure_agrees_within_its_tolerance_or_the_spread_of_runs(
    known: float, values: list[float], trust: Trust
) -> None:
    """Deliveries per message: 5 %, or the band of single runs."""
    assert trust == compare("deliveries", known, values).trust


def test_run_as_it_was_is_played_and_changes_are_answered(tmp_path: Path) -> None:
    """A fifth of the attempts fail; with none of them failing every message is received once."""
    run = stored(tmp_path, retried(100, 20))
    found = json.loads(asked(run, "--fail", "proc=0", "--json").stdout)

    assert "agrees" == found["as_it_was"]["deliveries"]["trust"]
    assert 1.2 == found["as_it_was"]["deliveries"]["measured"]
    assert (1.0, [1.0, 1.0]) == (found["answer"]["deliveries"]["mean"], found["answer"]["deliveries"]["interval"])
    assert found["answer"]["cost_usd"]["mean"] > 0
    assert any("function" in one for one in found["left_out"])


def test_twice_the_load_costs_twice(tmp_path: Path) -> None:
    """In requests and messages; per message nothing changes where there is capacity."""
    run = stored(tmp_path, retried(100, 0))
    once, twice = (
        json.loads(asked(run, "--duration", f"{seconds}s", "--json").stdout)["answer"] for seconds in (99, 198)
    )

    assert (99, 198) == tuple(round(one["entered"]["mean"]) for one in (once, twice))
    assert once["end_s_p50"]["mean"] == pytest.approx(twice["end_s_p50"]["mean"])


def test_receives_that_nobody_saw_are_answered_by_a_range(tmp_path: Path) -> None:
    """2 of 10 fail at the second receive, too. A third may help as often as the second did, or nobody at all."""
    story = retried(100, 10)
    for place in range(10):
        name = f"z{place}"
        story.sent(name, place)
        for at in (place, place + 30):
            story.received(name, at).invoked(name, at=at, failed=[name]).back(name, at + 30)
        story.moved(name, place + 60)
    run = stored(tmp_path, story)
    result = asked(run, "--max-receive-count", "3")
    found = json.loads(asked(run, "--max-receive-count", "3", "--json").stdout)

    assert found["answer_if_unseen_receives_fail"]["dead_letters"]["mean"] > found["answer"]["dead_letters"]["mean"]
    assert found["answer_if_unseen_receives_fail"]["dead_letters"]["mean"] == pytest.approx(10, abs=5)
    assert "the truth lies between the two columns" in result.output
    assert json.loads(asked(run, "--rate", "2", "--json").stdout)["answer_if_unseen_receives_fail"] is None


def test_settings_are_those_that_were_deployed(tmp_path: Path) -> None:
    """What was declared need not say them."""
    run = stored(tmp_path, retried(20, 0))
    silent = replace(TOPOLOGY, queues=tuple(replace(one, max_receive_count=None) for one in TOPOLOGY.queues))
    run.write_topology(silent, deployed=TOPOLOGY)

    assert 2 == calibrate(run, pollers_max=10).pipeline.queues["tasks"].max_receive_count


def test_figure_that_is_off_is_not_answered(tmp_path: Path) -> None:
    """Messages wait 20 s although pollers are free: no rule that is simulated explains it, so no times are answered."""
    story = Story()
    for place in range(60):
        story.sent(f"m{place}", place).tried(f"m{place}", at=place + 20).deleted(f"m{place}", place + 21)
    run = stored(tmp_path, story)
    result = asked(run, "--rate", "2")
    found = json.loads(asked(run, "--rate", "2", "--json").stdout)

    assert 0 == result.exit_code
    assert "not answered: off in the run as it was" in result.output
    assert "end_s_p50" not in found["answer"]
    assert 1.0 == found["answer"]["deliveries"]["mean"]


def test_model_that_misses_what_matters_answers_nothing(tmp_path: Path) -> None:
    """Every message was received twice before its function saw it: nothing of that is in the model."""
    story = Story()
    for place in range(60):
        story.sent(f"m{place}", place).received(f"m{place}", place).back(f"m{place}", place + 30)
        story.tried(f"m{place}", at=place + 30).deleted(f"m{place}", place + 31)
    run = stored(tmp_path, story)
    result, found = asked(run, "--rate", "2"), json.loads(asked(run, "--rate", "2", "--json").stdout)

    assert 1 == result.exit_code
    assert (False, None, {}) == (found["is_believed"], found["answer"], found["cost_usd_by_service"])
    assert "The model does not play this run: deliveries per message 2 measured, 1 simulated" in result.output
    assert "with the changes" not in result.output


def test_without_a_change_only_the_comparison_is_shown(tmp_path: Path) -> None:
    """Measured against simulated, and how the model came about."""
    result = asked(stored(tmp_path, retried(50, 10)))

    assert 0 == result.exit_code
    assert "100 messages" not in result.output
    assert "50 messages enter, 1 a second, evenly" in result.output
    assert "fails 20 % of 50 at receive 1, 0 % of 10 at receive 2" in result.output
    assert "batches of 1 at the mean, 10 at most, 2 at once at most" in result.output
    assert "retries: tasks: 29.5 s by visibility timeout of the queue" in result.output
    assert "with the changes" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", "2s"), "--base is about scenarios: with --from there are --rate"),
        (("--workers", "2"), "--workers is about scenarios"),
        (("--rules", "localstack-stock"), "--rules localstack-stock: with --from there are localstack"),
        (("--fail", "nope=1"), "--fail: no function 'nope' is simulated: there are mailer, processor"),
        (("--fail", "processor=x"), "'x': give a chance such as 0.3 or 30%"),
        (("--fail", "=0.1"), "'=0.1': give a name before the =, or the value alone"),
        (("--seeds", "1"), "--seeds is 1: give 2 to 1000"),
        (("default",), "--from asks of a run, default is a scenario"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 3, the option, the value and what there is."""
    result = asked(stored(tmp_path, retried(10, 0)), *arguments)

    assert 3 == result.exit_code, result.output
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fail", "0.1"), "--fail is about the pipeline of a recorded run: give --from RUN"),
        (("--visibility", "tasks=30"), "--visibility tasks=...: a scenario has one of it"),
        (("--batch-size", "3", "--batch-size", "4"), "--batch-size is given 2 times: a scenario has one of it"),
    ],
)
def test_scenario_has_no_named_parts(arguments: tuple[str, ...], said: str) -> None:
    """What is asked of runs only is refused, and so are names."""
    result = CliRunner().invoke(main, ["what-if", "default", *arguments])

    assert 3 == result.exit_code
    assert said in result.stderr


@pytest.mark.parametrize(
    ("gone", "said"),
    [("recording", "has no record of its messages"), ("topology.json", "does not say what its pipeline consists of")],
)
def test_run_that_does_not_say_enough_is_refused(tmp_path: Path, gone: str, said: str) -> None:
    """Without the recorder, or without a topology: which of the two, in one line."""
    run = stored(tmp_path / "run", retried(10, 0))
    (run.path / gone).rename(tmp_path / "gone")
    result = asked(run)

    assert 3 == result.exit_code
    assert said in result.stderr


def test_more_pollers_are_a_change() -> None:
    """The rules of AWS let a mapping grow further than an emulator on this machine."""
    found = model_of(facts(retried(20, 0), topology=TOPOLOGY).flow, TOPOLOGY, run_id="r", pollers_max=10)
    answers = [
        forecast(found, Changes(), load_prices(), seeds=2, memory_mb=256, pollers_max=most) for most in (10, 1250)
    ]

    assert [True, False] == [one.figures is None for one in answers]
