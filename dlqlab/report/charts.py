"""The charts of a run: evidence in, figure out. Evidence that cannot be read becomes a chart that says why."""

from collections.abc import Callable
from functools import wraps

import numpy as np
import pandas as pd
from chalicelib.faults import FaultMode
from scipy.stats import binom

from dlqlab import figures
from dlqlab.analysis.statistics import binomial_band, wilson
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.errors import EvidenceError
from dlqlab.figures.style import by_attempt
from dlqlab.report import frames

_TAIL = 1e-5
_BAR_MAX = 2000
type Draw = Callable[[RunEvidence], figures.Chart]


def _charted(subject: str) -> Callable[[Draw], Draw]:
    """A chart of the evidence, or where the evidence is missing one that says so."""

    def decorate(draw: Draw) -> Draw:
        @wraps(draw)
        def inner(evidence: RunEvidence) -> figures.Chart:
            try:
                return draw(evidence)
            except EvidenceError as error:
                return figures.no_data(subject, str(error))

        return inner

    return decorate


@_charted("Failure rate")
def failure_rate(evidence: RunEvidence) -> figures.Chart:
    """Failure rate by attempt against the target, with Wilson intervals."""
    scenario = evidence.manifest.scenario
    rows = frames.attempts(evidence)
    per_task = scenario.faults.mode is FaultMode.PER_TASK
    confidence = scenario.judge.confidence
    counted = rows[rows["failed"].notna()]
    if per_task:
        counted = counted[counted["attempt"] == 1]
    groups = [(figures.ALL, counted), *([] if per_task else by_attempt(counted))]
    rates = [_rate(number, part, confidence) for number, part in groups if len(part)]
    columns = ["attempt", "n", "failed", "rate", "low", "high"]
    return figures.failure_rate(
        pd.DataFrame(rates, columns=columns),
        target=target_rate(evidence),
        confidence=confidence,
        counted="tasks" if per_task else "attempts",
    )


def target_rate(evidence: RunEvidence) -> float:
    """What the attempts shall fail at: the scenario's target, or what its fault plan draws."""
    scenario = evidence.manifest.scenario
    target = scenario.judge.target_failure_rate
    if target is not None:
        return target
    return 0.0 if scenario.faults.mode is FaultMode.NONE else scenario.faults.failure_rate


def _rate(number: int, part: pd.DataFrame, confidence: float) -> tuple[int, int, int, float, float, float]:
    failed = int(part["failed"].astype("bool").sum())
    interval = wilson(failed, len(part), confidence)
    return number, len(part), failed, interval.estimate, interval.low, interval.high


@_charted("Retry gaps")
def retry_gaps(evidence: RunEvidence) -> figures.Chart:
    """The wait before each retry against the configured backoff."""
    policy = evidence.manifest.scenario.retry_policy()
    bounds = [policy.bounds_s(attempt) for attempt in range(1, policy.max_attempts)]
    return figures.retry_gaps(frames.retries(evidence), bounds_s=bounds)


@_charted("Retry lateness")
def retry_lateness(evidence: RunEvidence) -> figures.Chart:
    """How late retries start, and the emulator's share of it."""
    probe = evidence.manifest.retry_probe
    return figures.retry_lateness(
        frames.retries(evidence),
        limit_s=evidence.manifest.scenario.judge.max_median_lateness_s,
        probe=None if probe is None else figures.Probe(median_s=probe.median_s, p95_s=probe.p95_s, n=probe.n),
    )


@_charted("Lateness over time")
def lateness_over_time(evidence: RunEvidence) -> figures.Chart:
    """Whether lateness grows while the run goes on."""
    return figures.lateness_over_time(
        frames.retries(evidence),
        start_ts=frames.start_ts(evidence),
        limit_s=evidence.manifest.scenario.judge.max_median_lateness_s,
    )


@_charted("Dead-letter volume")
def dlq_volume(evidence: RunEvidence) -> figures.Chart:
    """Dead-lettered tasks against the band that the fault plan predicts."""
    scenario = evidence.manifest.scenario
    ledger = evidence.table("ledger")
    n = int(ledger.loc[ledger["outcome"] == "acknowledged", "task_id"].nunique())
    share = dlq_share(evidence)
    confidence = scenario.judge.confidence
    low, high = (int(binom.ppf(tail, n, share)) for tail in (_TAIL, 1 - _TAIL))
    measured = int(frames.dead_letters(evidence)["task_id"].nunique())
    numbers = np.unique(np.linspace(max(0, low - 1), high + 1, _BAR_MAX).round().astype("int64"))
    pmf = pd.DataFrame({"dead_letters": numbers, "probability": binom.pmf(numbers, n, share)})
    return figures.dlq_volume(
        measured=measured,
        n=n,
        predicted_share=share,
        pmf=pmf,
        band=binomial_band(n, share, confidence),
        confidence=confidence,
    )


def dlq_share(evidence: RunEvidence) -> float:
    """The expected ratio of tasks that are dead-lettered."""
    faults, policy = evidence.manifest.scenario.faults, evidence.manifest.scenario.retry_policy()
    if faults.mode is FaultMode.NONE:
        return 0.0
    per_task = faults.mode is FaultMode.PER_TASK
    return faults.failure_rate if per_task else float(faults.failure_rate**policy.max_attempts)


@_charted("Queue depths")
def queue_depths(evidence: RunEvidence) -> figures.Chart:
    """Messages in both queues over time."""
    return figures.queue_depths(evidence.table("queues"), phases=_phases(evidence))


@_charted("Throughput")
def throughput(evidence: RunEvidence) -> figures.Chart:
    """Tasks accepted, completed and dead-lettered a second."""
    offered_per_s = evidence.manifest.scenario.load.rate_per_s
    return figures.throughput(frames.throughput(evidence), phases=_phases(evidence), offered_per_s=offered_per_s)


@_charted("Latency")
def latency(evidence: RunEvidence) -> figures.Chart:
    """How long clients wait for an answer, and tasks for their completion."""
    return figures.latency(
        frames.over_time(frames.answers(evidence)),
        frames.over_time(frames.completions(evidence)),
        medians_s=(frames.median_s(frames.answers(evidence)), frames.median_s(frames.completions(evidence))),
        phases=_phases(evidence),
    )


@_charted("Where attempts ended")
def attempt_fates(evidence: RunEvidence) -> figures.Chart:
    """What followed each attempt."""
    return figures.attempt_fates(frames.fates(evidence))


@_charted("Host load")
def host_load(evidence: RunEvidence) -> figures.Chart:
    """CPU and memory of emulator, functions, load generator and harness."""
    cores = evidence.manifest.raw.get("cores")
    return figures.host_load(evidence.table("host"), phases=_phases(evidence), cores=cores)


@_charted("Causes of dead letters")
def causes(evidence: RunEvidence) -> figures.Chart:
    """Dead letters by reason and error."""
    return figures.causes(frames.dead_letters(evidence))


@_charted("Time to the dead-letter queue")
def dead_letter_ages(evidence: RunEvidence) -> figures.Chart:
    """How long tasks took from acceptance to the dead-letter record."""
    policy = evidence.manifest.scenario.retry_policy()
    least_s = float(sum(policy.bounds_s(attempt)[0] for attempt in range(1, policy.max_attempts)))
    return figures.dead_letter_ages(frames.dead_letters(evidence)["age_s"], least_s=least_s)


@_charted("Timelines")
def slowest_tasks(evidence: RunEvidence) -> figures.Chart:
    """The tasks that took longest, attempt by attempt."""
    return figures.task_timelines(frames.timelines(evidence))


def _phases(evidence: RunEvidence) -> figures.Phases:
    manifest = evidence.manifest
    return figures.Phases(
        load_started_ts=frames.start_ts(evidence),
        load_ended_ts=manifest.load_ended_ts,
        drain_ended_ts=manifest.drain_ended_ts,
    )
