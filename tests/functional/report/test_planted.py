"""Defects planted in a recorded run of the emulator: each has its verdict and is named on page and terminal."""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from rich.console import Console

from dlqlab.analysis.judge import judge
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Judge, Load, Scenario
from dlqlab.contracts.tables import TABLES
from dlqlab.contracts.verdict import Status, Verdict
from dlqlab.report.html import page
from dlqlab.report.terminal import print_verdict
from taskrules.faults import FaultPlan
from tests.support import defects
from tests.support.histories import Simulated, simulate
from tests.support.recorded import ROOT

EMPTY_NOTEBOOK: dict[str, Any] = {"cells": []}


@pytest.fixture(scope="module")
def recording() -> Simulated:
    """The recorded run as tables that can be changed."""
    run = RunDir(ROOT / "two_retries")
    return Simulated(run.read_manifest().to_json(), {name: run.read(name) for name in TABLES})


def shown(verdict: Verdict, manifest: dict[str, Any]) -> tuple[str, str]:
    """The page, and what the terminal prints."""
    target = io.StringIO()
    print_verdict(verdict, Console(file=target, width=80))
    return page(EMPTY_NOTEBOOK, verdict, Manifest.from_json(manifest)), target.getvalue()


@pytest.mark.parametrize(
    ("plant", "of", "status", "members"),
    [
        (defects.lose, "COMPLETED", Status.INVALID, "lost"),
        (defects.repeat_effect, "COMPLETED", Status.INVALID, "duplicated"),
        (defects.bury_completed, "COMPLETED", Status.INVALID, "zombie"),
        (partial(defects.start_early, by_s=0.05), "FAILED", Status.INVALID, "early"),
        (defects.drop_error_message, "FAILED", Status.INVALID, "without_error_message"),
        (defects.leave_in_flight, "FAILED", Status.UNKNOWN, "in_flight"),
        (defects.log_other_payload, "FAILED", Status.INVALID, "line_payload"),
        (defects.store_other_payload, "COMPLETED", Status.INVALID, "item_payload"),
        (defects.archive_other_payload, "FAILED", Status.INVALID, "archive_payload"),
    ],
    ids=[
        "lost",
        "double effect",
        "zombie",
        "early retry",
        "no error message",
        "undrained",
        "other payload logged",
        "other payload stored",
        "other payload archived",
    ],
)
def test_planted_defect_is_named(
    recording: Simulated, plant: Callable[[Simulated, str], Simulated], of: str, status: Status, members: str
) -> None:
    """The verdict is the defect's; its set and the task stand on the page and in the terminal."""
    task = defects.ids(recording, of)[2]
    verdict = judge(plant(recording, task).evidence())
    html, printed = shown(verdict, recording.manifest)

    assert status is verdict.status
    assert f"<summary>{members}: 1</summary><code>{task}</code>" in html
    assert f", {members} (1): {task}" in printed


@pytest.mark.parametrize(
    ("tasks", "status", "said"),
    [(6000, Status.INVALID, "against 30 %: p under 0.0001"), (400, Status.UNKNOWN, "not enough data")],
    ids=["enough data", "not enough data"],
)
def test_wrong_failure_rate_is_said(tasks: int, status: Status, said: str) -> None:
    """33 % instead of 30 % is refused where there is enough data, and unknown where there is not."""
    scenario = Scenario(
        name="worse",
        seed=5,
        faults=FaultPlan(failure_rate=0.33),
        load=Load(tasks=tasks, rate_per_s=200, duration_s=60),
        judge=Judge(target_failure_rate=0.3),
    )
    run = simulate(scenario)
    verdict = judge(run.evidence())
    html, printed = shown(verdict, run.manifest)
    check = next(check for check in verdict.checks if check.name == "failure_rate")

    assert status is check.status
    assert status is verdict.status
    assert said in check.statement
    assert check.statement in html
    assert check.statement in printed
