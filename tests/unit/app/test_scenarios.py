"""The scenarios that come with the project: each can be used, says what it does, and is small but for the main job."""

import dataclasses
from pathlib import Path

import pytest

from dlqlab.analysis.oracle import expectation
from dlqlab.contracts.scenario import Scenario, load_scenario
from taskrules.faults import FaultMode, FaultPlan

FOLDER = Path(__file__).parents[3] / "scenarios"
FILES = sorted(FOLDER.glob("*.toml"))
SMALL = [path for path in FILES if path.stem != "default"]


def scenario_id(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", FILES, ids=scenario_id)
def test_scenario_describes_itself_in_one_line(path: Path) -> None:
    """A scenario loads, has the name of its file and one line that says what it does."""
    scenario = load_scenario(path)

    assert path.stem == scenario.name
    assert 1 == len(scenario.description.splitlines())


@pytest.mark.parametrize("path", SMALL, ids=scenario_id)
def test_scenario_of_one_fault_is_small(path: Path) -> None:
    """A scenario of a single fault mode costs a minute: few tasks, a short load."""
    load = load_scenario(path).load

    assert 60 <= load.tasks <= 200
    assert load.tasks / load.rate_per_s <= 30


def test_deaths_are_tried_with_one_message_to_a_batch() -> None:
    """A function that dies burns a delivery of its whole batch, which no seed predicts."""
    deadly = [scenario for path in FILES if dies(scenario := load_scenario(path))]

    assert [1] * len(deadly) == [scenario.pipeline.batch_size for scenario in deadly]
    assert len(deadly) >= 3


def test_every_fault_mode_has_its_scenario() -> None:
    """Each field of the fault plan, and each kind of load, is used by some scenario."""
    every = [load_scenario(path) for path in SMALL]
    plans = [scenario.faults for scenario in every]
    rates = [field.name for field in dataclasses.fields(FaultPlan) if field.name.endswith("_rate")]

    assert set(FaultMode) == {plan.mode for plan in plans}
    assert [] == [name for name in (*rates, "permanent_suffix") if not any(getattr(plan, name) for plan in plans)]
    assert any(scenario.load.junk_messages for scenario in every)
    assert any(scenario.load.scripted_rate for scenario in every)
    assert all(0 <= expectation(scenario.faults, scenario.retry).dlq_share <= 1 for scenario in every)


def dies(scenario: Scenario) -> bool:
    faults = scenario.faults
    return bool(faults.timeout_rate or faults.crash_before_rate or faults.crash_after_rate)
