"""What a run says about each queue and function of its pipeline, in lines short enough to stand on a picture of it."""

from collections.abc import Iterator

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow_tables import End, invocations_table, stays_table
from dlqlab.analysis.message_checks.failure_rates import trials_of
from dlqlab.contracts.recorded import Outcome
from dlqlab.durations import duration
from dlqlab.wording import count, percent

_P95 = 0.95


def node_numbers(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Lines by the keys of the picture's nodes: ``queue ROLE``, ``function ROLE``.

    Raises:
        EvidenceError: there is no record, or no topology.
    """
    stays, invocations = stays_table(facts.flow), invocations_table(facts)
    topology = facts.topology
    found = {f"queue {role}": _queue(stays[stays["queue"] == name]) for role, name in topology.queue_names.items()}
    tried: dict[str, tuple[int, int]] = {}
    for (function, _, bad), number in trials_of(facts.flow).items():
        failed, n = tried.get(function, (0, 0))
        tried[function] = (failed + number * bad, n + number)
    for role, name in topology.function_names.items():
        lines = _function(invocations[invocations["function"] == name], *tried.get(name, (0, 0)))
        found[f"function {role}"] = tuple(lines)
    return found


def _queue(stays: pd.DataFrame) -> tuple[str, ...]:
    """``100 entered, 90 done``, ``7 dead-lettered, 3 lost``: each end that there is, two a line."""
    ends = stays["end"].value_counts()
    said = [f"{len(stays):,} entered", *(f"{ends[end]:,} {end}" for end in End if end in ends)]
    lines = [", ".join(said[at : at + 2]) for at in range(0, len(said), 2)]
    took_s = (stays["left_ts"] - stays["entered_ts"]).dropna()
    return (*lines, f"95 % left within {duration(float(took_s.quantile(_P95)))}") if len(took_s) else tuple(lines)


def _function(invocations: pd.DataFrame, failed: int, tried: int) -> Iterator[str]:
    ended = invocations["outcome"].dropna()
    wrong = int((ended != Outcome.OK).sum())
    yield f"{count(len(invocations), 'invocation')}, {wrong:,} with an error"
    if tried:
        yield f"{percent(failed / tried)} of {count(tried, 'attempt')} failed"
    took_s = invocations["duration_s"].dropna()
    if len(took_s):
        yield f"95 % took {duration(float(took_s.quantile(_P95)))} or less"
