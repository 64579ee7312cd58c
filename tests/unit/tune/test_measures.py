"""Measures follow from a simulation's totals, tasks and seconds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.costs.prices import load_prices
from dlqlab.tune.intervals import mean_of
from dlqlab.tune.measures import COST_OF, MEASURES, measure, storm_per_s
from dlqlab.tune.whatif import NOT_ENOUGH, amount, shown
from dlqlab.twin.contract import Simulation
from dlqlab.twin.engine.layout import CLIENT, TASK, Status
from dlqlab.twin.parameters import AWS
from taskrules.faults import FaultPlan
from tests.unit.twin.test_usage import TEN

PRICES = load_prices()


def simulated(*, received: list[int], accepted: list[int] | None = None, faults: FaultPlan | None = None) -> Simulation:
    """Ten tasks, nine completed within 1 to 9 s and one dead; so many messages received in each second."""
    clients, tasks = np.zeros(10, CLIENT), np.zeros(10, TASK)
    tasks["status"] = [Status.COMPLETED] * 9 + [Status.FAILED]
    tasks["updated"] = np.arange(1, 11)
    series = pd.DataFrame(
        {
            "t_s": np.arange(len(received), dtype=float),
            "accepted": accepted or [1] * len(received),
            "received": received,
            "visible": [2.0 * second for second in range(len(received))],
        }
    )
    empty: Any = np.zeros(0)
    return Simulation(
        scenario=Scenario(name="s", load=Load(tasks=10), faults=faults or FaultPlan()),
        parameters=AWS,
        totals=replace(TEN, completed=9, dead_lettered=1, invocations=4, wasted_invocations=1, peak_visible=3),
        series=series,
        clients=clients,
        tasks=tasks,
        log=empty,
        invocations=empty,
        sampled=empty,
    )


def test_measures_of_a_simulation() -> None:
    """Shares are of all tasks sent, quantiles of those that completed."""
    found = measure(simulated(received=[5, 6]), PRICES, memory_mb=256)

    assert (0.9, 1.0, 0.1) == (found["success_share"], found["dead_letters"], found["dead_letter_share"])
    assert (5.0, 8.6) == pytest.approx((found["completion_s_p50"], found["completion_s_p95"]))
    assert (1.0, 0.25, 3.0) == (found["wasted_invocations"], found["wasted_share"], found["peak_backlog"])


def test_cost_is_the_sum_of_its_parts() -> None:
    """Each service has its part."""
    found = measure(simulated(received=[5]), PRICES, memory_mb=256)
    parts = {name: value for name, value in found.items() if name.startswith(COST_OF)}

    assert {f"{COST_OF}SQS", f"{COST_OF}Lambda", f"{COST_OF}DynamoDB"} <= set(parts)
    assert sum(parts.values()) == pytest.approx(found["cost_usd"])
    assert set(MEASURES) | set(parts) == set(found)


def test_nothing_completed_has_no_time_to_completion() -> None:
    """NaN, which no front and no limit lets through."""
    simulation = simulated(received=[1])
    simulation.tasks["status"] = Status.FAILED

    assert np.isnan(measure(simulation, PRICES, memory_mb=256)["completion_s_p95"])


def test_load_that_never_drains_says_so() -> None:
    """Not drained at the horizon: infinity, not the time at which nobody looked any longer."""
    simulation = simulated(received=[1])
    found = measure(replace(simulation, totals=replace(simulation.totals, drained=False)), PRICES, memory_mb=256)

    assert np.inf == found["drain_s"]


def test_backlog_is_told_in_arrivals() -> None:
    """Ten tasks in 2.5 s are 4 a second; the 4 that wait in the last second of the load are those of 1 s."""
    simulation = simulated(received=[1, 1, 1, 1, 1])
    loaded = replace(simulation, totals=replace(simulation.totals, load_s=2.5))

    assert 1.0 == measure(loaded, PRICES, memory_mb=256)["backlog_end_s"]


def test_storm_is_looked_for_once_the_outage_is_over() -> None:
    """The outage ends 17 s after the configuration, 10 s into the load: the peak at 3 s is none of its recovery."""
    outage = FaultPlan(outage_start_s=12, outage_duration_s=5)
    received = [1, 1, 1, 90, 1, 1, 1, 1, 1, 1, 40, 7]

    assert 40 == storm_per_s(simulated(received=received, faults=outage))


def test_storm_without_an_outage_follows_the_peak_of_arrivals() -> None:
    """What was received before the arrivals' peak is not a retry storm of theirs."""
    assert 30 == storm_per_s(simulated(received=[50, 20, 30, 9], accepted=[1, 8, 2, 0]))


def test_storm_of_nothing_is_none() -> None:
    """No second, no peak."""
    assert 0 == storm_per_s(simulated(received=[]))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.97, "ratio", "97 %"),
        (0.02704, "ratio", "2.7 %"),
        (6.2, "s", "6.2 s"),
        (600.0, "s", "600 s (10.0 min)"),
        (9_000.0, "s", "9,000 s (2.5 h)"),
        (97_326.4, "", "97,326"),
        (3.6e6, "", "3,600,000"),
        (4.33, "", "4.33"),
        (45.6, "USD", "45.60 USD"),
        (0.0424, "USD", "0.0424 USD"),
        (1_446.0, "1/s", "1,446 1/s"),
        (float("inf"), "s", "never"),
        (float("nan"), "s", "none"),
    ],
)
def test_amounts_are_readable(value: float, unit: str, text: str) -> None:
    """With the unit, and with no more digits than matter."""
    assert text == amount(value, unit)


def test_means_are_shown_with_their_interval() -> None:
    """Shares in points, one seed and what is not a number with the reason why there is no interval."""
    assert ("97 %", "± 1.3 pp") == shown(mean_of([0.969, 0.971]), "ratio")
    assert ("7", NOT_ENOUGH) == shown(mean_of([7.0]), "")
    assert ("never", "no interval: not a number in every seed") == shown(mean_of([1.0, np.inf]), "s")
