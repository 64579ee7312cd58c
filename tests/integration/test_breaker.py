"""The circuit breaker on the deployed pipeline, through a real outage of the simulated dependency."""

import time
import uuid
from typing import Any

import pytest

from dlqlab.contracts.names import log_group
from dlqlab.contracts.scenario import Breaker, Scenario
from dlqlab.deploy import pipeline
from taskrules.events import parse_line
from taskrules.faults import FaultPlan
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration
RUN_ID = "breaker"
OUTAGE_S = 15
SCENARIO = Scenario(
    name="breaker",
    seed=7,
    faults=FaultPlan(failure_rate=0.0, outage_duration_s=OUTAGE_S),
    retry=QUICK.retry,
    breaker=Breaker(enabled=True, min_calls=3, window_s=5, cool_down_s=3),
    pipeline=QUICK.pipeline,
)


def _events(deployed: Deployed) -> list[dict[str, Any]]:
    """The processor's events of this run, in order."""
    group = log_group(deployed.target.topology.function("processor").name)
    pages = deployed.target.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    lines = [event["message"] for page in pages for event in page["events"]]
    events = [event for line in lines if (event := parse_line(line)) is not None and event["runId"] == RUN_ID]
    return sorted(events, key=lambda event: event["ts"])


def test_outage_costs_no_task_its_life(deployed: Deployed) -> None:
    """An outage far longer than all retries: the breaker opens, tries, closes; every task completes, none is buried.

    With 1 s between attempts each of these tasks would have used up its attempts in 3 s.
    """
    started_ts = time.time()
    pipeline.configure(deployed.target, SCENARIO, RUN_ID, run_started_ts=started_ts)
    task_ids = [f"b-{uuid.uuid4().hex}" for _ in range(20)]
    for task_id in task_ids:
        assert 202 == deployed.submit(task_id, {"n": 1})
    tasks = deployed.wait_terminal(task_ids, deadline_s=90)
    events = _events(deployed)
    letters = {letter.get("taskId") for letter in deployed.archive()}
    pipeline.configure(deployed.target, QUICK, "integration")
    moves = [event["event"] for event in events if event["event"].startswith("breaker.")]
    failed = [event for event in events if event["event"] == "attempt.failed"]
    put_off = [event for event in events if event.get("reason") == "breaker open"]

    assert {"COMPLETED"} == {task["status"] for task in tasks.values()}
    assert set() == letters & set(task_ids)
    assert ("breaker.opened", "breaker.closed") == (moves[0], moves[-1])
    assert moves[1:-1].count("breaker.half_opened") == moves.count("breaker.opened")
    assert (True, True) == (len(failed) <= 20, all(event["errorType"] == "DependencyUnavailable" for event in failed))
    # A message that failed twice, once as a trial, may be put off on its third delivery; a fourth would be too late.
    assert (True, True) == (len(put_off) >= 20, all(event["receiveCount"] <= 3 for event in put_off))
    assert all(event["ts"] >= started_ts + OUTAGE_S for event in events if event["event"] == "attempt.succeeded")
