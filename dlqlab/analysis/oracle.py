"""The oracle: what the fault plan and the retry policy make of every task, known before the run.

The prediction is made by the same code that the app runs (``taskrules.faults``, ``taskrules.retry``), so a difference
is the pipeline's doing: a delivery that did not happen, one too many, a fault nobody declared, a lost record.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from dlqlab.analysis.frames import sure
from taskrules.faults import (
    DRAWN,
    MESSAGE_ALWAYS_FAILS,
    MESSAGE_NEVER_FAILS,
    Fault,
    FaultMode,
    FaultPlan,
)
from taskrules.retry import RetryPolicy

COMPLETED, DEAD_LETTERED = "completed", "dead_lettered"


@dataclass(frozen=True, slots=True)
class PredictedAttempt:
    """One attempt to come; ``delay_s`` is the backoff asked for after it, None where no report asks for one."""

    attempt: int
    fault: Fault
    delay_s: int | None


@dataclass(frozen=True, slots=True)
class Fate:
    """The whole life of one generation of a task."""

    attempts: tuple[PredictedAttempt, ...]
    terminal: str


Clock = Mapping[tuple[str, int, int], float]
"""(Task id, generation, attempt) -> seconds from the start of the run to that of the attempt, as far as it was seen."""
NO_CLOCK: Clock = MappingProxyType({})


def predict(
    plan: FaultPlan,
    policy: RetryPolicy,
    task_id: str,
    *,
    message: str | None = None,
    generation: int = 1,
    clock: Clock = NO_CLOCK,
) -> Fate:
    """The fate of one task; ``message`` is its payload where that is a text.

    An outage strikes by the clock, so that its part of a fate is known once it is known when each attempt began.
    """
    attempts: list[PredictedAttempt] = []
    for attempt in range(1, policy.max_attempts + 1):
        run_s = clock.get((task_id, generation, attempt))
        fault = plan.decide(task_id, attempt, message=message, generation=generation, run_s=run_s).fault
        # The function itself asks for the backoff, so only where it reports the failure.
        asks = fault.is_reported and fault.is_retried
        delay_s = policy.delay_s(task_id, attempt, generation) if asks else None
        attempts.append(PredictedAttempt(attempt, fault, delay_s))
        if not fault.is_retried:
            return Fate(tuple(attempts), DEAD_LETTERED if fault.is_reported else COMPLETED)
    return Fate(tuple(attempts), DEAD_LETTERED)


def predicted_attempts(
    plan: FaultPlan,
    policy: RetryPolicy,
    lives: Iterable[tuple[str, int]],
    messages: Mapping[str, str],
    clock: Clock = NO_CLOCK,
) -> pd.DataFrame:
    """Predictions for (task id, generation) pairs, one row for each attempt to come.

    Columns: task_id, generation, attempt, fault, delay_s, terminal (of the generation), last (flag). ``messages`` maps
    a task id to its payload where that is a text.
    """
    rows = [
        (task_id, generation, step.attempt, str(step.fault), step.delay_s, fate.terminal, step is fate.attempts[-1])
        for task_id, generation in lives
        for fate in (predict(plan, policy, task_id, message=messages.get(task_id), generation=generation, clock=clock),)
        for step in fate.attempts
    ]
    columns = ["task_id", "generation", "attempt", "fault", "delay_s", "terminal", "last"]
    types = ["string", "Int64", "Int64", "string", "Int64", "string", "bool"]
    return pd.DataFrame(rows, columns=columns).astype(dict(zip(columns, types, strict=True)))


def text_messages(*payload_tables: pd.DataFrame) -> dict[str, str]:
    """Task id -> payload, for the payloads that are a text; tables with columns task_id and payload (JSON).

    Where two rows know a task the first decides: a later submission with another payload was refused.
    """
    found: dict[str, str] = {}
    for table in payload_tables:
        is_text = sure(table["payload"].str.startswith('"')) & table["task_id"].notna()
        for task_id, payload in table.loc[is_text, ["task_id", "payload"]].itertuples(index=False):
            found.setdefault(task_id, _text(payload))
    return found


def scripted(plan: FaultPlan, task_ids: pd.Series, messages: Mapping[str, str]) -> "pd.Series[bool]":
    """Which tasks do not follow the drawn rates: their message or the suffix of their id decides."""
    decided = {task for task, text in messages.items() if text in (MESSAGE_ALWAYS_FAILS, MESSAGE_NEVER_FAILS)}
    chosen = task_ids.isin(decided)
    if plan.permanent_suffix:
        chosen |= sure(task_ids.str.endswith(plan.permanent_suffix))
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the rates of a plan mean on average, over tasks that follow the drawn faults. Ratios of 0 to 1."""

    attempt_failure_rate: float  # share of attempts after which the task is still to be done
    task_failure_rate: float  # share of tasks that fail for good
    dlq_share: float  # share of tasks that end in the dead-letter queue
    attempts_per_task: float


def expectation(plan: FaultPlan, policy: RetryPolicy) -> Expectation:
    """Closed forms. r: share of attempts that fail and are retried, p: permanent, m: attempts at most.

    Per attempt, independent draws: DLQ share ``r^m + p (1 - r^m) / (1 - r)``, attempts ``(1 - r^m) / (1 - r)``. Per
    task, one draw for all attempts: DLQ share ``r + p``, attempts ``1 + r (m - 1)``.
    """
    if plan.mode is FaultMode.NONE:
        return Expectation(
            attempt_failure_rate=0.0,
            task_failure_rate=0.0,
            dlq_share=0.0,
            attempts_per_task=1.0,
        )
    m = policy.max_attempts
    r = plan.share(*(fault for fault in DRAWN if fault.is_retried))
    p = plan.share(*(fault for fault in DRAWN if fault.is_reported and not fault.is_retried))
    if plan.mode is FaultMode.PER_TASK:
        attempts = 1 + r * (m - 1)
        dlq_share = r + p
        failing = (r * m + p) / attempts
    else:
        attempts = sum(r**k for k in range(m))
        dlq_share = r**m + p * attempts
        failing = r + p
    return Expectation(
        attempt_failure_rate=failing,
        task_failure_rate=dlq_share,
        dlq_share=dlq_share,
        attempts_per_task=attempts,
    )


def _text(payload: str) -> str:
    try:
        value = json.loads(payload)
    except ValueError:
        return payload
    return value if isinstance(value, str) else payload
