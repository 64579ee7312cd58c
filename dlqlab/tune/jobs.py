"""One simulation as a job: plain values in, plain values out, the same wherever it is done."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pandas as pd

from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.costs.prices import DEFAULT, Prices, load_prices
from dlqlab.errors import UsageError
from dlqlab.tune.measures import measure, storm_begins_s
from dlqlab.twin import arrivals
from dlqlab.twin.contract import Simulation
from dlqlab.twin.parameters import Parameters, parameters_of
from dlqlab.wording import number

TASKS_MAX: Final = 10_000_000


class Pace(StrEnum):
    """How tasks arrive. They do not wait for answers: what is late does not slow the clients down."""

    CONSTANT = "constant"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is the same for all jobs: whose rules apply, how tasks arrive, what AWS charges."""

    parameters: Parameters
    prices: Prices
    pace: Pace = Pace.CONSTANT
    memory_mb: int = 256
    calibrated_from: str | None = None  # the run whose durations these are

    def to_json(self) -> dict[str, Any]:
        return {
            "rules": self.parameters.name,
            "calibrated_from": self.calibrated_from,
            "warm_up_s": self.parameters.warm_up_s,
            "pace": str(self.pace),
            "memory_mb": self.memory_mb,
            "prices": self.prices.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One setting with one seed; ``scenario`` as its plain values."""

    setting: int
    seed: int
    scenario: Mapping[str, Any]


def at_rate(scenario: Scenario, *, rate_per_s: float | None = None, duration_s: float | None = None) -> Scenario:
    """The scenario with another load: its tasks are those that the rate brings in the duration.

    Without either its own load stands.

    Raises:
        UsageError: the scenario names no rate and none is given, or there are too many tasks.
        ScenarioError: a value is out of range.
    """
    load = scenario.load
    rate = load.rate_per_s if rate_per_s is None else rate_per_s
    if not rate > 0:
        raise UsageError(f"rate is {rate:g}: give tasks a second over 0 (--rate); a simulation has no fastest speed")
    lasts_s = load.duration_s if duration_s is None else duration_s
    tasks = round(rate * lasts_s)
    if rate_per_s is None and duration_s is None:
        tasks = min(tasks, load.tasks)
    if tasks > TASKS_MAX:
        raise UsageError(
            f"{number(rate)} tasks/s for {number(lasts_s)} s are {tasks:,} tasks: give {TASKS_MAX:,} at most"
        )
    plain = scenario.to_dict()
    plain["load"] |= {"rate_per_s": float(rate), "duration_s": float(lasts_s), "tasks": max(1, tasks)}
    return from_dict(plain, source="the load")


def play(scenario: Scenario, world: World, seed: int) -> Simulation:
    """The scenario with this seed for fates, timings and arrivals alike.

    Settings are compared on the same seeds: with one seed, a task meets the same faults under each of them.
    """
    from dlqlab.twin.simulate import simulate  # noqa: PLC0415  (takes the compiler in)

    load = scenario.load
    if world.pace is Pace.POISSON:
        due = arrivals.poisson(load.rate_per_s, load.tasks, seed)
    else:
        due = arrivals.constant(load.rate_per_s, load.tasks)
    seeded = dataclasses.replace(scenario, seed=seed)
    return simulate(seeded, parameters=world.parameters, arrivals=due, seed=seed)


def perform(job: Job, world: World) -> dict[str, float]:
    """The measures of one job, with its setting and seed."""
    simulation = play(from_dict(dict(job.scenario), source=f"setting {job.setting}"), world, job.seed)
    found = measure(simulation, world.prices, memory_mb=world.memory_mb)
    return {"setting": job.setting, "seed": job.seed, **found}


def received_per_s(scenario: Scenario, world: World, seed: int) -> pd.DataFrame:
    """``t_s``, ``accepted`` and ``received`` a second of one simulation, and in each row ``storm_begins_s``."""
    simulation = play(scenario, world, seed)
    seconds = simulation.series[["t_s", "accepted", "received"]].copy()
    seconds["storm_begins_s"] = storm_begins_s(simulation)
    return seconds


def world_of(
    rules: str | Parameters,
    *,
    prices: Path | None,
    pace: Pace = Pace.CONSTANT,
    memory_mb: int = 256,
    calibrated_from: str | None = None,
) -> World:
    """The world of these rules, by their name or as parameters.

    Raises:
        UsageError: there are no such rules, or the price table cannot be used.
    """
    return World(
        parameters=parameters_of(rules) if isinstance(rules, str) else rules,
        prices=load_prices(prices or DEFAULT),
        pace=pace,
        memory_mb=memory_mb,
        calibrated_from=calibrated_from,
    )
