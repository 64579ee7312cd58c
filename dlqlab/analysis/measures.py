"""What two runs are compared by: counts and times, of tasks where the pipeline tells of them, else of messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, ids
from dlqlab.analysis.frames import sure
from dlqlab.analysis.lateness import judged_retries
from dlqlab.analysis.message_checks.backlog import completion_times_s
from dlqlab.analysis.message_checks.failure_rates import trials_of
from dlqlab.analysis.rates import sample
from dlqlab.analysis.series import completions
from dlqlab.contracts.outcomes import UNKNOWN

type Share = tuple[int, int]
"""How many of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The measures of one run.

    ``trial`` is what fails, an attempt or a task; ``unit`` what is dead-lettered, a task or a message.
    """

    trial: str
    unit: str
    failures: Share
    dead: Share
    unanswered: Share
    retry_lateness_s: "pd.Series[float]"
    completion_s: "pd.Series[float]"
    answers_ms: "pd.Series[float]"


def measures(facts: Facts) -> Measures:
    """The measures of a run.

    A retry of a message is late by the time from when it could be received again until it was. A run whose clients kept
    no ledger has no answers.

    Raises:
        EvidenceError: a table that is needed, or the record, cannot be read.
    """
    return _of_tasks(facts) if facts.tells_of_tasks else _of_messages(facts)


def _of_tasks(facts: Facts) -> Measures:
    found = sample(facts)
    dead, done = (int(sure(facts.items["status"] == status).sum()) for status in ("FAILED", "COMPLETED"))
    return Measures(
        trial=found.trial,
        unit="task",
        failures=(found.failures, found.n),
        dead=(dead, dead + done),
        unanswered=_unanswered(facts.ledger),
        retry_lateness_s=judged_retries(facts)["lateness_s"],
        completion_s=completions(facts)["latency_s"],
        answers_ms=facts.ledger["latency_ms"],
    )


def _of_messages(facts: Facts) -> Measures:
    flow, trials = facts.flow, trials_of(facts.flow)
    entered = set(ids(flow.work))
    has_ledger = "ledger" in facts.run.tables
    return Measures(
        trial="attempt",
        unit="message",
        failures=(sum(n for (_, _, bad), n in trials.items() if bad), sum(trials.values())),
        dead=(len(entered & flow.moved_from.keys()), len(entered)),
        unanswered=_unanswered(facts.ledger) if has_ledger else (0, 0),
        retry_lateness_s=pd.Series(list(_lateness_s(flow)), dtype="float64"),
        completion_s=pd.Series(list(completion_times_s(flow).values()), dtype="float64"),
        answers_ms=facts.ledger["latency_ms"] if has_ledger else pd.Series(dtype="float64"),
    )


def _lateness_s(flow: Flow) -> Iterator[float]:
    for stay in flow.work:
        for before, after in pairwise(stay.deliveries):
            if before.ended_ts is not None:
                yield max(0.0, after.received_ts - before.ended_ts)


def _unanswered(ledger: pd.DataFrame) -> Share:
    silent = ledger["outcome"].isna() | sure(ledger["outcome"] == UNKNOWN)
    return int(silent.sum()), len(ledger)
