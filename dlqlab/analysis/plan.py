"""How much a run must send before its rates are known to a given precision."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.measures import measures
from dlqlab.analysis.oracle import expectation
from dlqlab.analysis.statistics import half_width, plan_tasks, trials_for
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.errors import EvidenceError
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
    return _plan(
        rates,
        load=scenario.load,
        precision=precision,
        confidence=confidence,
        wait_s=sum(policy.bounds_s(attempt)[1] for attempt in range(1, policy.max_attempts)),
    )


def plan_from(run: RunEvidence, load: Load, promise: Promise, *, precision: float, confidence: float) -> Plan:
    """The same for a pipeline whose faults nobody plans: its rates are the promised ones, else those of a run of it.

    Args:
        run: a run, for attempts a message, the rates that are not promised and the longest wait.
        load: that is to be sent.
        promise: of its owner.
        precision: half the width of the intervals, a ratio.
        confidence: their level, a ratio.

    Raises:
        ValueError: as above.
        EvidenceError: nothing was recorded of the run, or no message was tried.
    """
    if not 0 < precision < 1:
        raise ValueError(f"precision is {precision}: give a ratio in (0, 1)")
    facts = Facts(run)
    found = measures(facts)
    (failed, attempts), (dead, entered) = found.failures, found.dead
    if not attempts or not entered:
        raise EvidenceError(f"{run.manifest.run_id}: no message was tried, so its rates are not known")
    rates = (
        ("failure rate", _known(promise.failure_rate, failed, attempts), "attempt", attempts / entered),
        ("DLQ share", _known(promise.dead_letter_rate, dead, entered), "message", 1.0),
    )
    longest_s = max(found.completion_s.dropna(), default=0.0)
    return _plan(rates, load=load, precision=precision, confidence=confidence, wait_s=math.ceil(longest_s))


type _Rate = tuple[str, float, str, float]
"""Name, rate, what a trial is, and how many of them a task brings."""


def _known(promised: float | None, n: int, of: int) -> float:
    return n / of if promised is None else promised


def _plan(rates: Iterable[_Rate], *, load: Load, precision: float, confidence: float, wait_s: int) -> Plan:
    needs = []
    for name, rate, trial, per_task in rates:
        trials = trials_for(half_width=precision, confidence=confidence, rate=rate)
        now = half_width(rate, max(1, round(load.tasks * per_task)), confidence)
        tasks = plan_tasks(precision=precision, confidence=confidence, rate=rate, trials_per_task=per_task)
        needs.append(Need(name=name, rate=rate, trial=trial, trials=trials, tasks=tasks, half_width_now=now))
    rate_per_s = load.rate_per_s
    return Plan(
        precision=precision,
        confidence=confidence,
        needs=tuple(needs),
        tasks=needs[0].tasks,
        load_s=needs[0].tasks / rate_per_s if rate_per_s else None,
        wait_s=wait_s,
    )
