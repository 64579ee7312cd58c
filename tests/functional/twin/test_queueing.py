"""The engine against closed forms, and the limits that a target sets."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from dlqlab.twin.arrivals import constant, poisson
from dlqlab.twin.engine.layout import Event
from dlqlab.twin.parameters import AWS, LOCALSTACK, STOCK, Parameters, exponential, fixed
from dlqlab.twin.simulate import simulate
from tests.support.twin import ZERO, scenario

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine
NO_FAULTS = {"mode": "none"}


def pure_queue(pollers: int, **durations: Any) -> Parameters:
    """So many servers and nothing that takes time but what is named."""
    own = {**ZERO, **durations}
    return Parameters(
        name="pure",
        pollers_start=pollers,
        pollers_max=pollers,
        warm_environments=10**6,
        **own,
    )


def erlang_c(servers: int, offered: float) -> float:
    """Probability that an arrival has to wait (Erlang 1917; offered load below the number of servers)."""
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(terms) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (5, 0.8), (20, 0.9)])
def test_waiting_times_of_m_m_c(servers: int, load: float) -> None:
    """Mean wait and the share that waits at all, within 5 % of Erlang C over 400,000 exponential services."""
    mean_s = 0.1
    rate = load * servers / mean_s
    chosen = scenario(faults=NO_FAULTS, pipeline={"batch_size": 1})

    result = simulate(
        chosen, parameters=pure_queue(servers, success_s=exponential(mean_s)), arrivals=poisson(rate, 400_000, seed=3)
    )

    waiting_s = result.waiting_s()
    share = erlang_c(servers, load * servers)
    assert float((waiting_s > 1e-9).mean()) == pytest.approx(share, rel=0.05)
    assert float(waiting_s.mean()) == pytest.approx(share * mean_s / (servers * (1 - load)), rel=0.05)


def test_in_flight_limit_holds_messages_back() -> None:
    """Never more in flight than the target allows, retries in backoff among them; all are done in the end."""
    target = dataclasses.replace(LOCALSTACK, in_flight_max=40)
    chosen = scenario(faults={"failure_rate": 0.5}, retry={"base_s": 5.0})

    totals = simulate(chosen, parameters=target, arrivals=constant(500.0, 2000)).totals

    assert totals.peak_in_flight <= 40
    assert (0, True) == (totals.open, totals.drained)


def test_concurrency_limit_throttles_and_burns_receives() -> None:
    """With one environment for five pollers batches are throttled, and tasks reach the DLQ without an attempt."""
    target = dataclasses.replace(LOCALSTACK, concurrency_max=1, warm_environments=1)
    chosen = scenario(faults=NO_FAULTS, pipeline={"batch_size": 1, "visibility_timeout_s": 10})

    totals = simulate(chosen, parameters=target, arrivals=constant(300.0, 2000)).totals

    assert totals.throttles > 0
    assert totals.dead_lettered > 0
    assert totals.attempts + totals.dead_lettered == totals.tasks


def test_retention_drops_what_waits_too_long() -> None:
    """A message older than the queue's retention is never delivered, and its task stays open."""
    target = dataclasses.replace(pure_queue(1, success_s=fixed(1.0)), retention_s=60.0)
    chosen = scenario(faults=NO_FAULTS, pipeline={"batch_size": 1})

    totals = simulate(chosen, parameters=target, arrivals=constant(10.0, 600)).totals

    assert totals.expired > 0
    assert (totals.expired, 600) == (totals.open, totals.open + totals.completed)


@pytest.mark.parametrize(("is_any_handle_good", "expected"), [(False, -1.0), (True, 2.0)])
def test_backoff_is_not_asked_for_a_message_that_is_visible_again(is_any_handle_good: bool, expected: float) -> None:
    """An attempt that outlasts the visibility timeout cannot hide its message; stock LocalStack says that it has."""
    target = pure_queue(1, deliver_s=fixed(0.5), failure_s=fixed(4.7))
    target = dataclasses.replace(target, stale_handle_deletes=is_any_handle_good)
    chosen = scenario(
        faults={"failure_rate": 1.0},
        retry={"max_retries": 2, "base_s": 2.0, "factor": 1.0},
        pipeline={"batch_size": 1, "function_timeout_s": 5, "visibility_timeout_s": 5},
    )

    log = simulate(chosen, parameters=target, arrivals=constant(1.0, 1), sample=1).log

    assert expected == log["value"][log["event"] == Event.FAILED_ATTEMPT][0]


def test_aws_adds_pollers_while_there_is_a_backlog() -> None:
    """5 batches at once at first, 300 a minute more, never over MaximumConcurrency."""
    slow = dataclasses.replace(AWS, **{**ZERO, "success_s": fixed(1.0)})
    arrivals = constant(1000.0, 20_000)
    free = simulate(scenario(faults=NO_FAULTS, pipeline={"batch_size": 1}), parameters=slow, arrivals=arrivals)
    own = {"batch_size": 1, "max_concurrency": 20}
    capped = simulate(scenario(faults=NO_FAULTS, pipeline=own), parameters=slow, arrivals=arrivals)

    started = free.series["started"].to_numpy()
    assert 5 == started[0]
    assert np.all(np.diff(started[:60]) <= 6)
    assert started[40] == pytest.approx(5 + 40 * 5, abs=10)
    assert 20 == capped.series["started"].max()


def test_window_fills_batches() -> None:
    """With a window of 2 s a slow stream comes in batches instead of one by one."""
    arrivals = constant(10.0, 1000)
    alone = simulate(scenario(faults=NO_FAULTS), arrivals=arrivals).totals
    together = simulate(scenario(faults=NO_FAULTS, pipeline={"batch_window_s": 2}), arrivals=arrivals).totals

    assert alone.invocations > 900
    assert together.invocations <= 110


def test_stock_localstack_is_late_by_its_clock_and_its_pauses() -> None:
    """Same scenario: the emulator as it is sold needs longer for retries than with this project's patches."""
    chosen = scenario(faults={"failure_rate": 0.3})
    arrivals = constant(2.0, 100)

    patched, stock = (
        float(np.quantile(simulate(chosen, parameters=one, arrivals=arrivals).completion_s(), 0.95))
        for one in (LOCALSTACK, STOCK)
    )

    assert patched + 1.0 < stock


def test_breaker_keeps_an_outage_from_burning_attempts() -> None:
    """While it is open messages wait as new ones: no task dies of the outage, with it or after it."""
    faults = {"failure_rate": 0.0, "outage_start_s": 10.0, "outage_duration_s": 60.0}
    bare = scenario(faults=faults)
    guarded = dataclasses.replace(
        bare, breaker=dataclasses.replace(bare.breaker, enabled=True, min_calls=5, window_s=5, cool_down_s=4)
    )
    arrivals = constant(10.0, 1000)

    assert simulate(bare, arrivals=arrivals).totals.dead_lettered > 100
    totals = simulate(guarded, arrivals=arrivals).totals
    assert totals.put_off > 0
    assert totals.dead_lettered <= 5


def test_cold_starts_after_each_death() -> None:
    """A crash replaces the environment: one cold start for each, and the batch comes back after its timeout."""
    chosen = scenario(
        faults={"failure_rate": 0.0, "crash_before_rate": 0.1},
        pipeline={"batch_size": 1, "function_timeout_s": 2, "visibility_timeout_s": 6},
    )

    totals = simulate(chosen, arrivals=constant(5.0, 500)).totals

    assert totals.crashes > 20
    assert totals.crashes - 5 <= totals.cold_starts <= totals.crashes


def test_horizon_ends_the_simulation() -> None:
    """Stopped early it says that it has not drained, and what is open."""
    totals = simulate(scenario(faults={"failure_rate": 0.9}, retry={"max_retries": 9}), horizon_s=1.0).totals

    assert not totals.drained
    assert totals.open > 0
    assert totals.drained_s <= 1.0
