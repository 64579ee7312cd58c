"""How much a run must send before its rates are known to a given precision."""

from dataclasses import dataclass
from typing import Any

from dlqlab.analysis.oracle import expectation
from dlqlab.analysis.statistics import half_width, plan_tasks, trials_for
from dlqlab.contracts.scenario import Scenario
from taskrules.faults import FaultMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one rate needs: ``trials`` observations of ``trial`` (attempt or task), which ``tasks`` tasks bring."""

    name: str
    rate: float
    trial: str
    trials: int
    tasks: int
    half_width_now: float  # what the scenario's own number of tasks gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The needs of a scenario's rates at one precision; ``load_s`` is None where the scenario names no rate."""

    precision: float
    confidence: float
    needs: tuple[Need, ...]
    tasks: int  # of the failure rate, which is the one that is judged by its width
    load_s: float | None
    wait_s: int  # the longest a task can wait in backoffs after the load

    def to_json(self) -> dict[str, Any]:
        return {
            "precision": self.precision,
            "confidence": self.confidence,
            "tasks": self.tasks,
            "load_s": self.load_s,
            "wait_s": self.wait_s,
            "needs": [
                {"name": need.name, "rate": need.rate, "trial": need.trial, "trials": need.trials, "tasks": need.tasks}
                for need in self.needs
            ],
        }


def plan(scenario: Scenario, *, precision: float, confidence: float) -> Plan:
    """Tasks and time until failure rate and DLQ share are known to +- precision; ratios of 0 to 1.

    Attempts are independent draws only where the fault mode is per attempt; a sticky task counts once, however often it
    is tried.

    Raises:
        ValueError: the precision is not within (0, 1), or out of reach.
    """
    if not 0 < precision < 1:
        raise ValueError(f"precision is {precision}: give a ratio in (0, 1)")
    faults, policy = scenario.faults, scenario.retry
    expected = expectation(faults, policy)
    sticky = faults.mode is FaultMode.PER_TASK
    rates = (
        ("failure rate", expected.task_failure_rate, "task", 1.0)
        if sticky
        else ("failure rate", expected.attempt_failure_rate, "attempt", expected.attempts_per_task),
        ("DLQ share", expected.dlq_share, "task", 1.0),
    )
    needs = []
    for name, rate, trial, per_task in rates:
        trials = trials_for(half_width=precision, confidence=confidence, rate=rate)
        now = half_width(rate, max(1, round(scenario.load.tasks * per_task)), confidence)
        tasks = plan_tasks(precision=precision, confidence=confidence, rate=rate, trials_per_task=per_task)
        needs.append(Need(name=name, rate=rate, trial=trial, trials=trials, tasks=tasks, half_width_now=now))
    rate_per_s = scenario.load.rate_per_s
    return Plan(
        precision=precision,
        confidence=confidence,
        needs=tuple(needs),
        tasks=needs[0].tasks,
        load_s=needs[0].tasks / rate_per_s if rate_per_s else None,
        wait_s=sum(policy.bounds_s(attempt)[1] for attempt in range(1, policy.max_attempts)),
    )
