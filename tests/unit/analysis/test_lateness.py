"""Who makes a retry late: parts that are measured, inferred, or honestly unexplained."""

import dataclasses
from typing import Any

import pandas as pd
import pytest

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import PARTS, attributed_retries, attribution, pollers
from dlqlab.contracts.scenario import Pipeline, Scenario
from dlqlab.contracts.tables import frame
from taskrules.faults import FaultPlan
from tests.support.reports import facts, small
from tests.support.rows import Rows, acked, evidence, failed, started, succeeded

SCENARIO = Scenario(name="tiny", faults=FaultPlan(failure_rate=0.5), pipeline=Pipeline(max_concurrency=2))
PROBE = {"n": 20, "median_s": 0.01, "p95_s": 0.02, "backoff_s": 1}


def retried(n: int, *, at: float, **fields: Any) -> Rows:
    """A task that failed at 1 s with a backoff of 2 s, so that its retry is due at 3 s, and started at this time."""
    return (
        *acked(n),
        *started(n, at=0.9, request_id=f"first-{n}"),
        *failed(n, at=1.0, request_id=f"first-{n}"),
        *started(n, 2, at=at, **fields),
        *succeeded(n, 2, at=at + 0.1, **fields),
    )


def work(n: int, *, since: float, until: float) -> Rows:
    """Another batch of one task."""
    request = f"work-{n}"
    return (*acked(n), *started(n, at=since, request_id=request), *succeeded(n, at=until, request_id=request))


def parts(run: Facts) -> dict[str, float]:
    """The split of the only retry, rounded."""
    (row,) = attributed_retries(run)[list(PARTS)].round(6).to_dict("records")
    return {str(name): float(value) for name, value in row.items() if value}


def test_wait_for_a_poller_is_busy_time() -> None:
    """Two pollers at work from before the retry was due until 3.5 s: half a second is theirs, the rest unexplained."""
    run = evidence(
        *(retried(1, at=3.6, request_id="b"), work(2, since=2.5, until=3.5), work(3, since=2.0, until=4.0)),
        scenario=SCENARIO,
        retry_probe=PROBE,
    )

    assert {"busy_s": 0.5, "emulator_s": 0.01, "unexplained_s": 0.09} == parts(Facts(run))


def test_one_of_two_pollers_free_is_not_busy() -> None:
    """While a poller is free its wait is no excuse."""
    run = evidence(retried(1, at=3.6, request_id="b"), work(2, since=2.5, until=3.5), scenario=SCENARIO)

    assert {"unexplained_s": 0.6} == parts(Facts(run))


def test_turn_in_the_batch_is_measured() -> None:
    """A batch mate that starts first keeps the retry waiting."""
    mate = (*acked(2), *started(2, at=3.1, request_id="b"), *succeeded(2, at=3.5, request_id="b"))
    run = evidence(retried(1, at=3.6, request_id="b"), mate, scenario=SCENARIO)

    assert {"batch_s": 0.5, "unexplained_s": 0.1} == parts(Facts(run))


def test_cold_start_is_its_init_duration() -> None:
    """The REPORT line of the retry's invocation says how long its environment took to start."""
    run = evidence(retried(1, at=3.6, request_id="b", cold_start=True), scenario=SCENARIO)
    report = frame("invocations", [{"request_id": "b", "init_duration_ms": 400.0}])
    run = dataclasses.replace(run, tables={**run.tables, "invocations": report})

    assert {"cold_s": 0.4, "unexplained_s": 0.2} == parts(Facts(run))


def test_early_retry_has_no_parts() -> None:
    """What is not late needs no explanation."""
    assert {} == parts(Facts(evidence(retried(1, at=2.9, request_id="b"), scenario=SCENARIO)))


def test_more_batches_than_the_setting_count_as_pollers() -> None:
    """A mapping that was seen to run more batches than it starts with is busy at that number."""
    crowd = [work(n, since=1.5, until=2.5) for n in range(2, 10)]

    assert 8 == pollers(Facts(evidence(*crowd)))


def test_parts_add_up_to_the_lateness_of_a_run() -> None:
    """In each row of a whole run the parts sum to the mean lateness, and the last row counts every retry."""
    run = facts(small())
    table = attribution(run)

    assert table[list(PARTS)].sum(axis=1).to_numpy() == pytest.approx(table["lateness_s"].to_numpy())
    assert (0, int(table["n"].iloc[:-1].sum())) == (int(table["attempt"].iloc[-1]), int(table["n"].iloc[-1]))


def test_run_without_retries_has_no_attribution() -> None:
    """Nothing was retried: an empty table with its columns."""
    table = attribution(Facts(evidence(work(1, since=0.1, until=0.2))))

    assert isinstance(table, pd.DataFrame)
    assert ["attempt", "n", "lateness_s", *PARTS] == list(table.columns)
    assert 0 == len(table)
