"""Dead letters looked at and redriven by the command, on the deployed pipeline."""

import json
import uuid
from typing import Any

import pytest
from click.testing import CliRunner

from dlqlab.cli import dlq
from dlqlab.cli.actions import targets
from dlqlab.contracts.names import log_group
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import pipeline
from dlqlab.dlq.letters import select
from dlqlab.dlq.redrive import execute, plan_redrive
from dlqlab.dlq.stage import StageDeadLetters
from dlqlab.emulator.host.lifecycle import Emulator
from taskrules.events import parse_line
from taskrules.faults import FaultPlan
from tests.integration.conftest import QUICK, Deployed

pytestmark = pytest.mark.integration
RUN_ID = "redrive"


def _with(faults: FaultPlan) -> Scenario:
    return Scenario(name="redrive", seed=QUICK.seed, faults=faults, retry=QUICK.retry, pipeline=QUICK.pipeline)


def _events(deployed: Deployed, name: str) -> list[dict[str, Any]]:
    pages = deployed.target.client("logs").get_paginator("filter_log_events")
    group = log_group(deployed.target.topology.function("monitor").name)
    lines = [event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]]
    return [event for line in lines if (event := parse_line(line)) is not None and event["event"] == name]


def test_dead_letters_are_redriven_and_complete(deployed: Deployed) -> None:
    """Failed tasks, redriven after the fault is mended, complete in generation 2; each is logged and on record."""
    task_ids = [f"r-{uuid.uuid4().hex}" for _ in range(6)]
    pipeline.configure(deployed.target, _with(FaultPlan(failure_rate=1.0)), RUN_ID)
    for task_id in task_ids:
        deployed.submit(task_id, {"n": 1, "password": "secret"})
    failed = deployed.wait_terminal(task_ids)
    pipeline.configure(deployed.target, _with(FaultPlan(failure_rate=0.0)), RUN_ID)
    stage = StageDeadLetters(deployed.target)
    steps = plan_redrive(select(stage.letters(), ids=task_ids), stage.store.get)
    with stage.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
        first = execute(steps, requeuer, rate_per_s=50)
        again = execute(steps, requeuer, rate_per_s=50)
    done = deployed.wait_terminal(task_ids)
    requeued = [event for event in _events(deployed, "task.requeued") if event["taskId"] in task_ids]
    pipeline.configure(deployed.target, QUICK, "integration")

    assert {"FAILED"} == {task["status"] for task in failed.values()}
    assert (sorted(task_ids), ()) == (sorted(first.redriven), again.redriven)
    assert {("COMPLETED", 2, 1)} == {
        (task["status"], task["generation"], task["attemptCount"]) for task in done.values()
    }
    assert {(4, 1)} == {(len(task["attempts"]), len(task["redrives"])) for task in done.values()}
    assert sorted(task_ids) == sorted(event["taskId"] for event in requeued)
    assert {("redrive", 2, RUN_ID)} == {(event["reason"], event["generation"], event["runId"]) for event in requeued}


def test_task_that_fails_again_has_a_letter_for_each_generation(deployed: Deployed) -> None:
    """A redrive that does not help ends in the archive a second time."""
    task_id = f"r-{uuid.uuid4().hex}"
    deployed.submit(task_id, "ERROR")
    deployed.wait_terminal([task_id])
    stage = StageDeadLetters(deployed.target)
    with stage.requeuer(f"redrive-{uuid.uuid4().hex}") as requeuer:
        execute(plan_redrive(select(stage.letters(), ids=[task_id]), stage.store.get), requeuer, rate_per_s=50)
    task = deployed.wait_terminal([task_id])[task_id]
    kept = [letter.archive_id for letter in select(stage.letters(), ids=[task_id])]

    assert ("FAILED", 2, 6) == (task["status"], task["generation"], len(task["attempts"]))
    assert [f"{task_id}#1", f"{task_id}#2"] == kept


def test_command_lists_shows_and_redrives(
    deployed: Deployed, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``dlqlab dlq``: list and show find the letter, a dry run does nothing, redrive does it once."""
    task_id = f"r-{uuid.uuid4().hex}"
    monkeypatch.setattr(targets, "running", lambda _port: emulator)
    pipeline.configure(deployed.target, _with(FaultPlan(failure_rate=1.0)), RUN_ID)
    deployed.submit(task_id, {"n": 1})
    deployed.wait_terminal([task_id])
    # From here on it succeeds: else it could be a dead letter again by the second redrive.
    pipeline.configure(deployed.target, _with(FaultPlan(failure_rate=0.0)), RUN_ID)
    listed = _invoke("list", "--json")
    shown = json.loads(_invoke("show", task_id))
    dry = _invoke("redrive", task_id, "--dry-run")
    before = deployed.task(task_id)["generation"]
    redriven = _invoke("redrive", task_id, "--rate", "50")
    again = _invoke("redrive", task_id)
    deployed.wait_terminal([task_id])
    pipeline.configure(deployed.target, QUICK, "integration")

    assert task_id in {json.loads(line)["task_id"] for line in listed.splitlines()}
    assert "retries exhausted" in _invoke("list", "--cause", "TransientFault")
    assert ([task_id], "FAILED") == (
        [letter["task_id"] for letter in shown["deadLetters"]],
        shown["tasks"][0]["status"],
    )
    assert (f"would redrive  {task_id}", 1) == (dry[: len("would redrive  ") + len(task_id)], before)
    assert "1 redriven, 0 skipped, 0 failed" in redriven
    assert "0 redriven, 1 skipped, 0 failed" in again


def _invoke(*arguments: str) -> str:
    result = CliRunner().invoke(dlq.dlq, arguments)
    assert 0 == result.exit_code, result.output
    return result.output
