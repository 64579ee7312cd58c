"""What two sources say about one thing: a contradiction is named, and a run with one is never valid.

Each of the other checks rests on one source at a time: the table for effects, the log for attempts, the samples or the
run itself for the drain. Here each is held against a second one. Which of the two is wrong cannot be told from them, so
a contradiction is unknown, not invalid. A source that could not be read is the finished check's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import among, names, sure
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

CLOCK_S = 1.0
"""Clocks of one host, time stamps rounded to a millisecond, and the moments between a request and its note."""
LATE_MAX_S = 900.0
"""Lambda's longest time-out: what an invocation writes is stored by its end."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing of which two sources tell. ``needs``: tables without which there is nothing to compare."""

    claim: str
    needs: tuple[str, ...]
    contradictions: Callable[[Facts], Iterable[str]]


def _still_queued(facts: Facts) -> Iterable[str]:
    """The run says drained, the last samples of the queues show messages."""
    return facts.left_in_queues if facts.manifest.drained else ()


def _cut_tables(facts: Facts) -> Iterable[str]:
    """The collection counted its rows when it wrote them."""
    collected = facts.manifest.collected
    for name, rows in (collected.rows if collected else {}).items():
        table = facts.run.tables.get(name)
        if table is None or (name in _SUMMED and facts.manifest.cells is not None):
            continue  # samples of several cells are one sample
        if len(table) != rows:
            yield f"{name}: {rows:,} rows collected, {len(table):,} there"


def _unlike_load(facts: Facts) -> Iterable[str]:
    """The load generator's own count and times against its journals."""
    manifest, sent_ts = facts.manifest, facts.ledger["sent_ts"].dropna()
    load, is_sampled = manifest.load, manifest.simulation is not None and manifest.simulation.is_sampled
    if load is not None and not is_sampled and load.sent != len(facts.ledger):
        yield f"{load.sent:,} requests by the load generator's count, {len(facts.ledger):,} in the ledger"
    begin_ts, end_ts = manifest.load_started_ts, manifest.load_ended_ts
    if begin_ts is not None and end_ts is not None:
        outside = int((~sent_ts.between(begin_ts - CLOCK_S, end_ts + CLOCK_S)).sum())
        if outside:
            yield f"{count(outside, 'request')} outside of the load's time"


def _unlike_table(facts: Facts) -> Iterable[str]:
    """Tasks whose end in the log is another one than in the table, for their latest generation."""
    events, status = facts.events, facts.items["status"]
    latest = sure(events["generation"].fillna(1) == events["task_id"].map(facts.generations))
    succeeded = names(events.loc[latest & sure(events["event"] == "attempt.succeeded"), "task_id"])
    buried = names(events.loc[latest & sure(events["event"] == "task.dead_lettered"), "task_id"])
    stated = {str(task): None if pd.isna(said) else str(said) for task, said in status.items()}
    for task in succeeded & stated.keys():
        if stated[task] != "COMPLETED":
            yield f"{task} (succeeded by the log, {stated[task]} by the table)"
    for task in (buried - succeeded) & stated.keys():
        if stated[task] not in {"FAILED", "COMPLETED"}:
            yield f"{task} (dead-lettered by the log, {stated[task]} by the table)"


def _more_attempts(facts: Facts) -> Iterable[str]:
    """Attempts of the latest generation: the table counts them as they are claimed, the log as they begin."""
    attempts = facts.attempts[facts.attempts["started_ts"].notna()]
    latest = sure(attempts["generation"] == attempts["task_id"].map(facts.generations))
    logged = attempts[latest].groupby("task_id")["attempt"].nunique()
    counted = facts.items["attempts"].reindex(logged.index)
    for task in logged.index[sure(logged > counted)]:
        yield f"{task} ({logged[task]} attempts in the log, {counted[task]} in the table)"


def _unknown_invocations(facts: Facts) -> Iterable[str]:
    """An invocation that wrote events of a task has its REPORT line; a simulation has none of the API, nor of junk."""
    invocations, events = facts.run.table("invocations"), facts.events[facts.events["task_id"].notna()]
    reported = events["request_id"].notna() & events["function"].isin(names(invocations["function"]))
    asked = events.loc[reported, "request_id"]
    return names(asked[~among(asked, names(invocations["request_id"]))])


def _wrong_clock(facts: Facts) -> Iterable[str]:
    """The functions' clock, which all timing rests on, against the log store's."""
    events = facts.events.dropna(subset=["ts", "stored_ts"])
    lag_s = events["stored_ts"] - events["ts"]
    wrong = ~lag_s.between(-CLOCK_S, LATE_MAX_S)
    for task, event, lag in zip(events.loc[wrong, "task_id"], events.loc[wrong, "event"], lag_s[wrong], strict=True):
        yield f"{task} ({event} stored {lag:+.3f} s after its own time)"


COMPARISONS: Mapping[str, Comparison] = {
    "still_queued": Comparison(
        "the run says that the queues drained, their last samples show messages", ("queues",), _still_queued
    ),
    "cut_tables": Comparison("tables have other rows than were collected", (), _cut_tables),
    "unlike_load": Comparison("the ledger is not what the load generator says", ("ledger",), _unlike_load),
    "unlike_table": Comparison("log and task table name different ends", ("events", "tasks", "ledger"), _unlike_table),
    "more_attempts": Comparison(
        "the log has more attempts than the task table", ("events", "tasks", "ledger"), _more_attempts
    ),
    "unknown_invocations": Comparison(
        "log events of invocations that Lambda does not report", ("events", "invocations"), _unknown_invocations
    ),
    "wrong_clock": Comparison("the functions' clock is not the log store's", ("events",), _wrong_clock),
}
"""By the set of what contradicts itself."""
_SUMMED = frozenset({"queues", "host"})


@check(
    "sources",
    "Sources that tell of the same agree",
    place=20,
    sets=[NamedSet(name, SetKind.OPEN, f"{one.claim[0].upper()}{one.claim[1:]}.") for name, one in COMPARISONS.items()],
)
def sources_check(facts: Facts) -> Judgement:
    """Every comparison whose tables are there.

    Raises:
        EvidenceError: there is no ledger.
    """
    if facts.ledger.empty:
        text = "no client sent anything, so there is nothing to compare"
        return Judgement(status=Status.UNKNOWN, statement=text)
    made = {
        name: sorted(comparison.contradictions(facts))
        for name, comparison in COMPARISONS.items()
        if all(table in facts.run.tables for table in comparison.needs)
    }
    wrong = [f"{COMPARISONS[name].claim}: {examples(found)}" for name, found in made.items() if found]
    statement = "; ".join(wrong) or f"{count(len(made), 'comparison')} of two sources each, no contradiction"
    return Judgement(
        status=Status.UNKNOWN if wrong else Status.VALID,
        statement=statement,
        measured=float(sum(not found for found in made.values())),
        expected=float(len(made)),
        unit="comparisons",
        n=len(made),
        members={name: tuple(found) for name, found in made.items()},
        details={"claims": {name: COMPARISONS[name].claim for name in made}},
    )
