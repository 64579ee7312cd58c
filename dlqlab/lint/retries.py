"""Rules about retries: whether they can do what they are for, within the limits of the queue."""

import math
from typing import Final

from dlqlab.lint import sources
from dlqlab.lint.queues import RETENTION_DEFAULT_S, VISIBILITY_MAX_S
from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.settings import Settings
from dlqlab.lint.waits import dies, longest_backoffs_s, longest_life_s, opens_by_chance
from taskrules.faults import FaultMode
from taskrules.retry import Jitter

FEW_DELAYS: Final = 3
NOISE_MAX: Final = 0.01


def _stays_hidden(settings: Settings) -> list[str] | None:
    if settings.retry is None:
        return None
    timeout_s, cap_s = settings.tasks.function.timeout_s, settings.retry.cap_s
    if timeout_s + cap_s <= VISIBILITY_MAX_S:
        return []
    return [f"function timeout {timeout_s} s + backoff of up to {cap_s} s, over {VISIBILITY_MAX_S} s since the receive"]


def _retention_covers_retries(settings: Settings) -> list[str] | None:
    if settings.retry is None:
        return None
    queue, function = settings.tasks.queue, settings.tasks.function
    kept_s = RETENTION_DEFAULT_S if queue.retention_s is None else queue.retention_s
    life_s = longest_life_s(
        settings.retry, timeout_s=function.timeout_s, visibility_timeout_s=queue.visibility_timeout_s, may_die=True
    )
    if life_s <= kept_s:
        return []
    return [
        f"{settings.retry.max_attempts} attempts can take {life_s:,} s, the task queue keeps a message {kept_s:,} s"
    ]


def _backoff_waits(settings: Settings) -> list[str] | None:
    if settings.retry is None:
        return None
    retry = settings.retry
    if retry.max_retries == 0 or longest_backoffs_s(retry)[0] > 0:
        return []
    return [f"a first backoff of {retry.ceiling_s(1):g} s is 0 s in SQS's whole seconds"]


def _cap_is_over_base(settings: Settings) -> list[str] | None:
    if settings.retry is None:
        return None
    retry = settings.retry
    if retry.max_retries == 0 or retry.cap_s >= retry.base_s:
        return []
    return [f"cap_s {retry.cap_s} is under base_s {retry.base_s:g}"]


def _jitter_spreads(settings: Settings) -> list[str] | None:
    if settings.retry is None:
        return None
    retry = settings.retry
    if retry.jitter is Jitter.NONE:
        return []
    bounds = [(attempt, *retry.bounds_s(attempt)) for attempt in range(1, retry.max_attempts)]
    narrow = [(attempt, low, high) for attempt, low, high in bounds if high - low + 1 <= FEW_DELAYS]
    return [
        f"{retry.jitter} jitter after attempt {attempt} has {high - low + 1} delays to choose from: {low} to {high} s"
        for attempt, low, high in narrow[:1]
    ]


def _storm_is_spread(settings: Settings) -> list[str] | None:
    if settings.retry is None or settings.faults is None:
        return None
    if settings.faults.outage_duration_s == 0 or settings.breaker or settings.retry.max_retries == 0:
        return []
    if settings.retry.jitter is not Jitter.NONE:
        return []
    return [f"an outage of {settings.faults.outage_duration_s:g} s, and jitter none"]


def _retries_outlast_outage(settings: Settings) -> list[str] | None:
    if settings.retry is None or settings.faults is None:
        return None
    outage_s, wait_s = settings.faults.outage_duration_s, sum(longest_backoffs_s(settings.retry))
    if settings.breaker or outage_s <= wait_s:
        return []
    return [f"an outage of {outage_s:g} s, and all backoffs of a task end within {wait_s} s"]


def _breaker_ignores_noise(settings: Settings) -> list[str] | None:
    if settings.faults is None:
        return None
    policy, faults = settings.breaker, settings.faults
    if policy is None or faults.mode is FaultMode.NONE:
        return []
    chance = opens_by_chance(policy, faults.failure_rate)
    if chance < NOISE_MAX:
        return []
    calls = f"{math.ceil(policy.failure_ratio * policy.min_calls)} of {policy.min_calls} calls"
    rate = f"a failure rate of {100 * faults.failure_rate:g} %"
    return [f"at {rate} {calls} fail by chance in {100 * chance:.2g} % of windows"]


def _deaths_come_back_soon(settings: Settings) -> list[str] | None:
    if settings.retry is None or settings.faults is None:
        return None
    visibility_s, backoffs_s = settings.tasks.queue.visibility_timeout_s, longest_backoffs_s(settings.retry)
    if not dies(settings.faults) or not backoffs_s or visibility_s <= backoffs_s[0]:
        return []
    return [f"after a crash or a time-out a task waits {visibility_s} s, after an error {backoffs_s[0]} s"]


def _deaths_burn_one(settings: Settings) -> list[str] | None:
    if settings.faults is None or settings.tasks.mapping is None:
        return None
    size = settings.tasks.mapping.batch_size
    if size == 1 or not dies(settings.faults):
        return []
    return [f"functions die over tasks, and a batch has up to {size} messages"]


def _work_fits(settings: Settings) -> list[str] | None:
    if settings.faults is None or settings.tasks.mapping is None:
        return None
    faults, timeout_s = settings.faults, settings.tasks.function.timeout_s
    if faults.slow_rate == 0:
        return []
    batch_s = max(1.0, settings.tasks.mapping.batch_size * faults.slow_rate) * faults.slow_s
    if batch_s < timeout_s:
        return []
    return [f"the slow tasks of a full batch take {batch_s:g} s one after the other, the function has {timeout_s} s"]


def _window_under_backoff(settings: Settings) -> list[str] | None:
    if settings.retry is None or settings.tasks.mapping is None:
        return None
    window_s, backoffs_s = settings.tasks.mapping.batch_window_s, longest_backoffs_s(settings.retry)
    if not backoffs_s or window_s <= backoffs_s[0]:
        return []
    return [f"a window of {window_s} s, and a first backoff of {backoffs_s[0]} s"]


def _drain_waits(settings: Settings) -> list[str] | None:
    if settings.retry is None or settings.faults is None or settings.drain_s is None:
        return None
    may_die = dies(settings.faults)
    visibility_s = settings.tasks.queue.visibility_timeout_s
    life_s = longest_life_s(settings.retry, timeout_s=0, visibility_timeout_s=visibility_s, may_die=may_die)
    if life_s <= settings.drain_s:
        return []
    return [f"drain.deadline_s {settings.drain_s:g}, and a task can wait {life_s} s between its attempts"]


RULES: Final = (
    Rule(
        id="total-invisibility",
        severity=Severity.ERROR,
        check=_stays_hidden,
        why="A message can be invisible for 12 h after one receive; SQS refuses to hide it longer.",
        source=sources.SQS_VISIBILITY,
        remedy="Lower retry.cap_s or the function's timeout.",
    ),
    Rule(
        id="retention-covers-retries",
        severity=Severity.ERROR,
        check=_retention_covers_retries,
        why="SQS deletes the message when its retention ends, whatever attempts are left: the task is lost.",
        source=sources.SQS_ATTRIBUTES,
        remedy="Raise the task queue's MessageRetentionPeriod (up to 14 days), or retry less often or sooner.",
    ),
    Rule(
        id="backoff-waits",
        severity=Severity.WARNING,
        check=_backoff_waits,
        why="Retries follow at once: whatever made the task fail is still there, and all attempts are used up.",
        source=sources.SQS_VISIBILITY,
        remedy="Set retry.base_s to 1 or more.",
    ),
    Rule(
        id="cap-over-base",
        severity=Severity.WARNING,
        check=_cap_is_over_base,
        why="Every backoff is the cap: base and factor do nothing.",
        source=sources.APP_STRATEGY,
        remedy="Raise retry.cap_s over retry.base_s, or set base_s to what is meant and factor to 1.",
    ),
    Rule(
        id="jitter-spreads",
        severity=Severity.INFO,
        check=_jitter_spreads,
        why="SQS takes whole seconds only, so that tasks that failed together still come back in a few bursts.",
        source=sources.SQS_VISIBILITY,
        remedy="Raise retry.base_s to 4 s or more where retries should be spread.",
    ),
    Rule(
        id="storm-is-spread",
        severity=Severity.WARNING,
        check=_storm_is_spread,
        why="Tasks that fail together in an outage come back together, in bursts that can bring the dependency down.",
        source=sources.BACKOFF_ARTICLE,
        remedy="Set retry.jitter to full or equal, or breaker.enabled to true.",
    ),
    Rule(
        id="retries-outlast-outage",
        severity=Severity.WARNING,
        check=_retries_outlast_outage,
        why="Tasks that are due early in the outage use up all attempts in it and are dead-lettered.",
        source=sources.APP_STRATEGY,
        remedy="Set breaker.enabled to true, or give more retries or a longer backoff.",
    ),
    Rule(
        id="breaker-ignores-noise",
        severity=Severity.WARNING,
        check=_breaker_ignores_noise,
        why="The breaker opens although nothing is down, and holds every task back for its cool-down.",
        source=sources.APP_STRATEGY,
        remedy="Raise breaker.min_calls or breaker.failure_ratio.",
    ),
    Rule(
        id="deaths-come-back-soon",
        severity=Severity.INFO,
        check=_deaths_come_back_soon,
        why="A function that dies sets no backoff: its messages stay hidden for the queue's visibility timeout.",
        source=sources.SQS_VISIBILITY_GUIDE,
        remedy="Lower function timeout and visibility timeout together where such tasks must come back sooner.",
    ),
    Rule(
        id="deaths-burn-one",
        severity=Severity.WARNING,
        check=_deaths_burn_one,
        why="A function that dies burns a receive of its whole batch: tasks are dead-lettered with attempts left.",
        source=sources.MAPPING_ERRORS,
        remedy="Set pipeline.batch_size to 1 where functions die often, or raise maxReceiveCount.",
    ),
    Rule(
        id="work-fits-timeout",
        severity=Severity.WARNING,
        check=_work_fits,
        why="The rest of the batch is given back unworked, which burns a receive of each of its messages.",
        source=sources.MAPPING_CONFIGURE,
        remedy="Raise pipeline.function_timeout_s, or lower pipeline.batch_size.",
    ),
    Rule(
        id="window-under-backoff",
        severity=Severity.WARNING,
        check=_window_under_backoff,
        why="A retry that is due waits for its batch to fill, longer than its backoff was.",
        source=sources.MAPPING_API,
        remedy="Lower pipeline.batch_window_s, or raise retry.base_s.",
    ),
    Rule(
        id="drain-waits",
        severity=Severity.WARNING,
        check=_drain_waits,
        why="The run ends before its last tasks have: the verdict is unknown.",
        source="docs/verdict.md",
        remedy="Raise drain.deadline_s, or lower retry.cap_s or retry.max_retries.",
    ),
)
