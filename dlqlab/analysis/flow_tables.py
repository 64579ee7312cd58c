"""What became of the messages of a run as tidy frames, which the charts of any pipeline and its picture share.

Times ``t_s`` are seconds after ``origin_ts``; a message stands in a row for each queue that it was in.
"""

from collections.abc import Mapping
from enum import StrEnum

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow, is_moved_here
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.message_checks.messages import LOST_SAID, set_of
from dlqlab.contracts.recorded import Outcome

INVOCATION_COLUMNS = ("function", "source", "started_ts", "ended_ts", "duration_s", "outcome")


class End(StrEnum):
    """How a message's time in a queue ended."""

    DONE = "done"
    DEAD_LETTERED = "dead-lettered"
    REDRIVEN = "redriven"
    LOST = "lost"
    OPEN = "still there"


_ENDS = {"done": End.DONE, "letters_taken": End.DONE, "dead_lettered": End.DEAD_LETTERED, "redriven": End.REDRIVEN}
_ENDS |= dict.fromkeys(LOST_SAID, End.LOST)


def end_of(flow: Flow, stay: Stay) -> End:
    """How this stay ended, as the check of the messages sorts it."""
    return _ENDS.get(set_of(flow, stay) or "", End.OPEN)


def stays_table(flow: Flow) -> pd.DataFrame:
    """Every message in every queue: message_id, queue, is_letter (in a dead-letter queue), entered_ts, left_ts, end (an
    ``End``), first_id (the message that entered the pipeline and that this one comes from; its own where that is not
    known).
    """
    first = _first_ids(flow)
    rows = [
        (
            stay.message_id,
            stay.queue,
            stay.queue in flow.dead_letter_queues,
            stay.sent_ts,
            stay.left_ts,
            str(end_of(flow, stay)),
            first[stay.message_id],
        )
        for stay in flow.stays
    ]
    table = pd.DataFrame(rows, columns=["message_id", "queue", "is_letter", "entered_ts", "left_ts", "end", "first_id"])
    return table.astype({"entered_ts": "float64", "left_ts": "float64", "is_letter": "bool"})


def ages(stays: pd.DataFrame) -> pd.DataFrame:
    """How old messages were when they left a queue of work: queue, end, age_s (from their entry into it)."""
    left = stays[~stays["is_letter"]].dropna(subset=["entered_ts", "left_ts"])
    return left.assign(age_s=left["left_ts"] - left["entered_ts"])[["queue", "end", "age_s"]].reset_index(drop=True)


def whole_ages(stays: pd.DataFrame) -> "pd.Series[float]":
    """From the entry of a message into the pipeline until all that came of it had left the queues of work, in seconds,
    by the id of that message; without those of which something is still there.
    """
    work = stays[~stays["is_letter"]].dropna(subset=["entered_ts"])
    if work.empty:
        return pd.Series(dtype="float64")
    by = work.groupby("first_id")
    took = by["left_ts"].max() - by["entered_ts"].min()
    return took[by["left_ts"].count() == by.size()]


def has_hops(stays: pd.DataFrame) -> bool:
    """Whether a message of one queue of work made one in another."""
    work = stays[~stays["is_letter"]]
    return bool(work[["first_id", "queue"]].drop_duplicates()["first_id"].duplicated().any())


def invocations_table(facts: Facts) -> pd.DataFrame:
    """Every invocation of the pipeline's functions since the load began, whoever asked for it: INVOCATION_COLUMNS."""
    table: pd.DataFrame = facts.flow.recording.invocations.select(list(INVOCATION_COLUMNS)).to_pandas()
    table = table[~(table["ended_ts"] < facts.flow.since_ts)]
    topology = facts.run.topology
    own = table if topology is None else table[table["function"].isin(list(topology.function_names.values()))]
    return own.reset_index(drop=True)


def concurrency(invocations: pd.DataFrame, *, until_ts: float) -> pd.DataFrame:
    """How many invocations of each function were under way: function, ts, at_once, from then on until its next row.

    Throttled ones had no environment and do not count; those without an end last until ``until_ts``.
    """
    ran = invocations[invocations["outcome"] != Outcome.THROTTLED]
    starts = pd.DataFrame({"function": ran["function"], "ts": ran["started_ts"], "step": 1})
    ends = pd.DataFrame({"function": ran["function"], "ts": ran["ended_ts"].fillna(until_ts), "step": -1})
    steps = pd.concat([starts, ends]).groupby(["function", "ts"], as_index=False)["step"].sum()
    table: pd.DataFrame = steps.assign(at_once=steps.groupby("function")["step"].cumsum())
    return table[["function", "ts", "at_once"]]


def _first_ids(flow: Flow) -> Mapping[str, str]:
    """By message id; parents enter before what they send."""
    found: dict[str, str] = {}
    for stay in flow.stays:
        parents = [one for one in stay.parent_ids if one != stay.message_id]
        parent = parents[0] if len(parents) == 1 and not is_moved_here(stay) else None
        found.setdefault(stay.message_id, found.get(parent, parent) if parent else stay.message_id)
    return found
