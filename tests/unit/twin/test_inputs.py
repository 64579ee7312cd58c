"""Arrivals and parameters: what they are, and what is refused with the rule that it breaks."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from dlqlab.cli.actions.twin import with_load
from dlqlab.contracts.scenario import Load
from dlqlab.errors import UsageError
from dlqlab.twin import arrivals
from dlqlab.twin.arrivals import Arrivals
from dlqlab.twin.parameters import (
    AWS,
    GRID,
    RULES,
    DistributionKind,
    Duration,
    Parameters,
    empirical,
    explain,
    exponential,
    fixed,
    lognormal,
    parameters_of,
)
from tests.support.twin import scenario


def rate_of(found: Arrivals, since_s: float, until_s: float) -> float:
    return float(((found.due_s >= since_s) & (found.due_s < until_s)).sum()) / (until_s - since_s)


def test_constant_arrivals_keep_their_distance() -> None:
    """One each 1 / rate seconds."""
    assert [0.0, 0.25, 0.5] == arrivals.constant(4.0, 3).due_s.tolist()


def test_poisson_arrivals_have_exponential_gaps() -> None:
    """Mean and standard deviation of the gaps are 1 / rate, within 2 % over 100,000."""
    gaps = np.diff(arrivals.poisson(50.0, 100_000, seed=1).due_s)

    assert float(gaps.mean()) == pytest.approx(0.02, rel=0.02)
    assert float(gaps.std()) == pytest.approx(0.02, rel=0.02)


def test_ramp_goes_from_one_rate_to_the_other() -> None:
    """10 to 50 a second: 3,000 tasks last 100 s, and the middle sees 30 a second."""
    found = arrivals.ramp(10.0, 50.0, 3000)

    assert float(found.due_s[-1]) == pytest.approx(100.0, abs=0.1)
    assert rate_of(found, 45.0, 55.0) == pytest.approx(30.0, abs=0.5)
    assert rate_of(arrivals.ramp(20.0, 20.0, 400), 5.0, 15.0) == pytest.approx(20.0, abs=0.2)
    assert np.all(np.diff(arrivals.ramp(0.0, 10.0, 50).due_s) >= 0)


def test_burst_alternates() -> None:
    """100 a second for 2 s out of each 10 s, 5 a second in between; or nothing in between."""
    found = arrivals.burst(5.0, 100.0, 1200, every_s=10.0, lasts_s=2.0)

    assert rate_of(found, 10.0, 12.0) == pytest.approx(100.0, abs=1)
    assert rate_of(found, 13.0, 20.0) == pytest.approx(5.0, abs=0.3)
    silent = arrivals.burst(0.0, 100.0, 500, every_s=10.0, lasts_s=1.0)
    assert 0 == rate_of(silent, 1.5, 10.0)


def test_load_is_paced_as_the_generator_does() -> None:
    """Task k is due at k / rate, all at once for rate 0, none at or after the end."""
    paced = arrivals.of_load(Load(rate_per_s=10.0, tasks=100, duration_s=2.0, users=3))

    assert (20, 3, 2.0) == (len(paced.due_s), paced.users, paced.ends_s)
    assert [0.0] * 5 == arrivals.of_load(Load(rate_per_s=0.0, tasks=5)).due_s.tolist()


def test_ledger_becomes_a_trace() -> None:
    """New tasks only, in the order sent, counted from the start of the load."""
    ledger = pd.DataFrame(
        {
            "task_id": ["b", "a", "c", "a", None],
            "sent_ts": [102.0, 101.0, 103.0, 104.0, 105.0],
            "outcome": ["acknowledged", "unknown", "rejected", "replayed", "acknowledged"],
            "payload": ["{}", '"ERROR"', "{}", "{}", "{}"],
        }
    )

    found = arrivals.of_ledger(ledger, 100.0)

    assert ([1.0, 2.0], ("a", "b"), ('"ERROR"', "{}")) == (found.due_s.tolist(), found.task_ids, found.payloads)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: arrivals.trace(np.array([0.0, 2.0, 1.5])), "goes back in time: arrival 3 is at 1.5"),
        (lambda: arrivals.trace(np.array([0.0, np.nan])), "finite"),
        (lambda: arrivals.trace(np.array([-1.0])), "0 or more"),
        (lambda: arrivals.trace(np.array([])), "0 arrivals: give 1"),
        (lambda: arrivals.trace(np.array([0.0, 1.0]), task_ids=("a",)), "1 task_ids for 2 arrivals"),
        (lambda: arrivals.constant(-5.0, 10), "rate_per_s is -5.0: give a number over 0"),
        (lambda: arrivals.constant(5.0, 0), "tasks is 0"),
        (lambda: arrivals.poisson(0.0, 10), "rate_per_s is 0.0"),
        (lambda: arrivals.ramp(-1.0, 5.0, 10), "from_per_s is -1.0"),
        (lambda: arrivals.ramp(0.0, 0.0, 10), "from_per_s + to_per_s is 0.0"),
        (lambda: arrivals.burst(1.0, 5.0, 10, every_s=10, lasts_s=11), "lasts_s is 11"),
        (lambda: parameters_of("azure"), "no rules 'azure': there are those of localstack, localstack-stock, aws"),
        (lambda: fixed(-1.0), "finite numbers of 0 or more"),
        (lambda: Duration(DistributionKind.LOGNORMAL, (1.0,)), "give 2 finite numbers"),
        (lambda: empirical([1.0] * GRID + [0.5]), "must not fall"),
        (lambda: dataclasses.replace(AWS, pollers_max=0), "pollers_max is 0"),
        (lambda: dataclasses.replace(AWS, retention_s=0.0), "retention_s is 0.0"),
        (lambda: Parameters(pollers_per_min=-1.0), "pollers_per_min is -1.0"),
        (lambda: with_load(scenario(), 10_000_000, 10.0), "give --rate of 116 or more"),
    ],
)
def test_what_is_impossible_is_refused(make: "object", said: str) -> None:
    """The message names the setting, its value and the rule."""
    with pytest.raises(UsageError) as refused:
        make()  # type: ignore[operator]

    assert said in str(refused.value)


def test_with_load_makes_time_for_its_tasks() -> None:
    """More tasks at the same rate last longer; a rate alone keeps the duration."""
    own = scenario(load={"rate_per_s": 10.0, "tasks": 100, "duration_s": 10.0})

    assert 500 / 10 < with_load(own, 500, None).load.duration_s < 60
    assert (200, 20.0) == (with_load(own, None, 20.0).load.tasks, with_load(own, None, 20.0).load.rate_per_s)
    assert own is with_load(own, None, None)


def test_every_parameter_names_unit_and_source() -> None:
    """Of every target: nothing is a number without an origin."""
    for target in RULES.values():
        rows = explain(target)

        assert len(dataclasses.fields(target)) - 1 == len(rows)
        assert [] == [row["name"] for row in rows if not row["source"] or not row["value"]]


def test_means_and_quantiles_of_durations() -> None:
    """Closed forms; of an empirical one the mean of its straight lines."""
    line = empirical([k / GRID for k in range(GRID + 1)])

    assert line.mean_s == pytest.approx(0.5)
    assert line.quantile_s(0.95) == pytest.approx(0.95)
    assert exponential(2.0).quantile_s(0.5) == pytest.approx(2 * np.log(2))
    assert lognormal(3.0, 0.5).mean_s == pytest.approx(3 * np.exp(0.125))
    assert (3.0, 1.5) == (lognormal(3.0, 0.5).quantile_s(0.5), fixed(1.5).quantile_s(0.3))
