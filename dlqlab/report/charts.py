"""The charts of a run: its facts in, figure out. Evidence that cannot be read becomes a chart that says why."""

from collections.abc import Callable, Sequence
from functools import wraps

import numpy as np
import pandas as pd
from scipy.stats import binom

from dlqlab import figures
from dlqlab.analysis import series
from dlqlab.analysis.checks.dlq_volume import dlq_volume_check
from dlqlab.analysis.checks.failure_rate import failure_rate_check
from dlqlab.analysis.dead_letters import dead_letter_times
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import PARTS, attribution, judged_retries, lateness_by_attempt, pollers
from dlqlab.analysis.rates import failure_rate_by_attempt
from dlqlab.errors import EvidenceError

_TAIL = 1e-5
_POINTS_MAX = 2000
type Draw = Callable[[Facts], figures.Chart]


def _charted(subject: str, *, needs: Sequence[str] = ()) -> Callable[[Draw], Draw]:
    """A chart of the facts, or where the evidence for it is missing one that says so.

    ``needs`` names the fidelity probes that its source rests on: one that failed is written below the chart.
    """

    def decorate(draw: Draw) -> Draw:
        @wraps(draw)
        def inner(facts: Facts) -> figures.Chart:
            try:
                return figures.annotated(draw(facts), _caveats(facts, needs))
            except EvidenceError as error:
                return figures.no_data(subject, str(error))

        return inner

    return decorate


def _caveats(facts: Facts, needs: Sequence[str]) -> list[str]:
    """What the probes found that is not as on AWS, as far as the chart needs it."""
    entries = facts.manifest.raw.get("fidelity") or []
    return [str(entry["statement"]) for entry in entries if entry["name"] in needs and not entry["ok"]]


@_charted("Failure rate")
def failure_rate(facts: Facts) -> figures.Chart:
    """Failure rate against the target, with Wilson intervals: by attempt, or by task where the fault mode is sticky."""
    check = failure_rate_check(facts)
    trial = str(check.details["trial"])
    parts = failure_rate_by_attempt(facts) if trial == "attempt" else pd.DataFrame()
    whole = []
    if check.measured is not None and check.interval is not None:
        low, high = check.interval
        whole = [{"attempt": figures.ALL, "n": check.n, "rate": check.measured, "low": low, "high": high}]
    rates = pd.concat([parts, pd.DataFrame(whole)]).reindex(columns=["attempt", "n", "rate", "low", "high"])
    confidence = facts.scenario.judge.confidence
    alike = check.details["independence"] if trial == "attempt" else None
    return figures.failure_rate(
        rates,
        target=check.expected,
        confidence=confidence,
        counted=f"{trial}s",
        alike=None if alike is None else (alike["p_value"], alike["method"]),
    )


@_charted("Where attempts ended")
def attempt_fates(facts: Facts) -> figures.Chart:
    """What followed each attempt."""
    return figures.attempt_fates(series.fates(facts))


@_charted("Retry gaps", needs=["visibility_tick"])
def retry_gaps(facts: Facts) -> figures.Chart:
    """The wait before each retry against the configured backoff."""
    bounds = [facts.policy.bounds_s(attempt) for attempt in range(1, min(facts.policy.max_attempts, 100))]
    return figures.retry_gaps(judged_retries(facts), bounds_s=bounds)


@_charted("Retry lateness", needs=["visibility_tick"])
def retry_lateness(facts: Facts) -> figures.Chart:
    """How late retries start, and the emulator's share of it."""
    limit_s = facts.scenario.judge.max_median_lateness_s
    return figures.retry_lateness(judged_retries(facts), limit_s=limit_s, probe=_probe(facts))


@_charted("Lateness by retry", needs=["visibility_tick"])
def lateness_quantiles(facts: Facts) -> figures.Chart:
    """Lateness of each retry beside what the emulator alone adds."""
    return figures.lateness_quantiles(lateness_by_attempt(facts), probe=_probe(facts))


@_charted("Who makes retries late", needs=["visibility_tick"])
def lateness_parts(facts: Facts) -> figures.Chart:
    """Mean lateness of each retry, split by what the evidence shows."""
    return figures.lateness_parts(attribution(facts), parts=PARTS, pollers=pollers(facts))


@_charted("Lateness over time", needs=["visibility_tick"])
def lateness_over_time(facts: Facts) -> figures.Chart:
    """Whether lateness grows while the run goes on."""
    limit_s = facts.scenario.judge.max_median_lateness_s
    return figures.lateness_over_time(judged_retries(facts), start_ts=series.origin_ts(facts), limit_s=limit_s)


@_charted("Dead-letter volume")
def dlq_volume(facts: Facts) -> figures.Chart:
    """Dead-lettered tasks against the band that the fault plan predicts."""
    check = dlq_volume_check(facts)
    if check.n is None or check.expected is None:
        return figures.no_data("Dead-letter volume", check.statement)
    n, share = check.n, check.expected
    low, high = (int(binom.ppf(tail, n, share)) for tail in (_TAIL, 1 - _TAIL))
    numbers = np.unique(np.linspace(max(0, low - 1), high + 1, _POINTS_MAX).round().astype("int64"))
    return figures.dlq_volume(
        measured=int(check.details["count"]),
        n=n,
        predicted_share=share,
        pmf=pd.DataFrame({"dead_letters": numbers, "probability": binom.pmf(numbers, n, share)}),
        band=(int(check.details["band"][0]), int(check.details["band"][1])),
        confidence=facts.scenario.judge.confidence,
        seed_predicts=int(check.details["seed_predicts"]),
    )


@_charted("Queue depths")
def queue_depths(facts: Facts) -> figures.Chart:
    """Messages in both queues over time."""
    return figures.queue_depths(series.queue_depths(facts), phases=_phases(facts))


@_charted("Throughput")
def throughput(facts: Facts) -> figures.Chart:
    """Tasks accepted, completed and dead-lettered a second."""
    step_s = series.bucket_s(facts)
    return figures.throughput(
        series.throughput(facts, bucket_s=step_s),
        phases=_phases(facts),
        offered_per_s=facts.scenario.load.rate_per_s,
        bucket_s=step_s,
    )


@_charted("Latency", needs=["clock_skew"])
def latency(facts: Facts) -> figures.Chart:
    """How long clients wait for an answer, and tasks for their completion."""
    step_s = series.bucket_s(facts)
    return figures.latency(
        series.submission_latency(facts, bucket_s=step_s),
        series.completion_latency(facts, bucket_s=step_s),
        medians=(float(facts.ledger["latency_ms"].median()), float(series.completions(facts)["latency_s"].median())),
        phases=_phases(facts),
    )


@_charted("Host load")
def host_load(facts: Facts) -> figures.Chart:
    """CPU and memory of emulator, functions, load generator and harness."""
    host = facts.run.table("host")
    host = host.assign(t_s=host["ts"] - series.origin_ts(facts))
    return figures.host_load(host, phases=_phases(facts), cores=facts.manifest.raw.get("cores"))


@_charted("Causes of dead letters")
def causes(facts: Facts) -> figures.Chart:
    """Dead letters by reason and error."""
    return figures.causes(dead_letter_times(facts))


@_charted("Time to the dead-letter queue")
def dead_letter_ages(facts: Facts) -> figures.Chart:
    """How long tasks took from acceptance to the dead-letter record."""
    least_s = float(sum(facts.policy.bounds_s(attempt)[0] for attempt in range(1, facts.policy.max_attempts)))
    return figures.dead_letter_ages(dead_letter_times(facts)["age_s"], least_s=least_s)


@_charted("Timelines of dead letters")
def slowest_dead_letters(facts: Facts) -> figures.Chart:
    """The dead-lettered tasks that took longest, attempt by attempt."""
    return figures.task_timelines(series.timelines(facts, among=set(dead_letter_times(facts)["task_id"])))


def _probe(facts: Facts) -> figures.Probe | None:
    probe = facts.manifest.retry_probe
    return None if probe is None else figures.Probe(median_s=probe.median_s, p95_s=probe.p95_s, n=probe.n)


def _phases(facts: Facts) -> figures.Phases:
    manifest = facts.manifest
    start_ts = series.origin_ts(facts)
    return figures.Phases(
        load_s=None if manifest.load_ended_ts is None else manifest.load_ended_ts - start_ts,
        drained_s=None if manifest.drain_ended_ts is None else manifest.drain_ended_ts - start_ts,
    )
