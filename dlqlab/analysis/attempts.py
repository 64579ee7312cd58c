"""Attempts and retries as tidy tables, one row each, derived from the log events."""

from collections.abc import Mapping, Sequence

import pandas as pd

from dlqlab.analysis.frames import sure

ATTEMPT_KEY = ["task_id", "generation", "attempt"]

SUCCEEDED = "succeeded"
FAILED = "failed"
DIED = "died"  # no end was reported and the task was still to be done: a time-out or a crash
DIED_AFTER_EFFECT = "died_after_effect"  # no end was reported, yet the task is completed by this attempt
OPEN = "open"  # no end was reported and nothing came after it: it may still be running


def distinct_events(events: pd.DataFrame) -> pd.DataFrame:
    """The events without lines that were pulled twice (same ``line_id``); an event without a line id is kept."""
    repeated = events["line_id"].notna() & events["line_id"].duplicated()
    return events[~repeated]


def attempts_table(events: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """One row for each started attempt, in order of task, generation and attempt.

    Columns: task_id, generation, attempt, message_id, request_id, receive_count, cold_start, started_ts, ended_ts
    (null where no end was reported), outcome (the constants above), failed (flag: the task was still to be done
    afterwards; null while open), permanent, backoff_s, error_type, error_message, duration_s.

    A report of an end whose start was not logged makes a row without ``started_ts``.
    """
    own = events["task_id"].notna() & events["attempt"].notna()
    kept = [*ATTEMPT_KEY, "started_ts", "message_id", "request_id", "receive_count", "cold_start"]
    started = _first(events, own, "attempt.started", kept, {"started_ts": "ts"})
    columns = [*ATTEMPT_KEY, "succeeded_ts", "duration_s"]
    succeeded = _first(events, own, "attempt.succeeded", columns, {"succeeded_ts": "ts"})
    columns = [*ATTEMPT_KEY, "failed_ts", "permanent", "backoff_s", "error_type", "error_message", "failed_after_s"]
    failed = _first(events, own, "attempt.failed", columns, {"failed_ts": "ts", "failed_after_s": "duration_s"})
    table = started.merge(succeeded, how="outer", on=ATTEMPT_KEY).merge(failed, how="outer", on=ATTEMPT_KEY)
    table = table.sort_values(ATTEMPT_KEY, ignore_index=True)
    table["ended_ts"] = table["succeeded_ts"].fillna(table["failed_ts"])
    table["duration_s"] = table["duration_s"].fillna(table["failed_after_s"])
    table["outcome"] = _outcomes(table, tasks)
    table["failed"] = table["outcome"].isin([FAILED, DIED]).astype("boolean").mask(table["outcome"] == OPEN)
    order = [*kept, "ended_ts", "outcome", "failed", "permanent", "backoff_s", "error_type", "error_message"]
    return table[[*order, "duration_s"]]


def retries_table(attempts: pd.DataFrame) -> pd.DataFrame:
    """One row for each attempt that followed a reported failure of the same generation.

    Columns: task_id, generation, attempt (the retry's number), failed_ts, started_ts, backoff_s (asked for), gap_s
    (started_ts - failed_ts), lateness_s (gap_s - backoff_s), same_message (false: another copy of the task in the
    queue was delivered, which carries no backoff).

    An attempt after a death is not among them: its wait is the queue's visibility timeout, counted from a receive
    that nobody logged.
    """
    previous = attempts.shift()
    same_life = (previous["task_id"] == attempts["task_id"]) & (previous["generation"] == attempts["generation"])
    adjacent = sure(same_life & (previous["attempt"] + 1 == attempts["attempt"]))
    retried = sure(previous["outcome"] == FAILED) & previous["backoff_s"].notna() & ~sure(previous["permanent"])
    chosen = adjacent & retried & attempts["started_ts"].notna()
    now, before = attempts[chosen], previous[chosen]
    same = ~sure(now["message_id"] != before["message_id"])
    table = now[["task_id", "generation", "attempt", "started_ts"]].assign(
        failed_ts=before["ended_ts"], backoff_s=before["backoff_s"].astype("float64"), same_message=same
    )
    table["gap_s"] = table["started_ts"] - table["failed_ts"]
    table["lateness_s"] = table["gap_s"] - table["backoff_s"]
    order = [*ATTEMPT_KEY, "failed_ts", "started_ts", "backoff_s", "gap_s", "lateness_s", "same_message"]
    return table[order].reset_index(drop=True)


def _first(
    events: pd.DataFrame, own: "pd.Series[bool]", name: str, columns: Sequence[str], names: Mapping[str, str]
) -> pd.DataFrame:
    """The earliest event of this name for each attempt; an attempt number is claimed once, so there is one.

    Args:
        events: all of them.
        own: which of them tell of an attempt.
        name: of the event.
        columns: of the result. No others are looked at: events have three times as many.
        names: what columns of the result are called among the events, where that differs.
    """
    chosen = events.loc[own & sure(events["event"] == name), [names.get(column, column) for column in columns]]
    first = chosen.sort_values("ts", kind="stable").drop_duplicates(ATTEMPT_KEY)
    return first.set_axis(list(columns), axis="columns")


def _outcomes(table: pd.DataFrame, tasks: pd.DataFrame) -> pd.Series:
    items = tasks[tasks["task_id"].notna() & sure(tasks["in_table"])].drop_duplicates("task_id").set_index("task_id")
    status = table["task_id"].map(items["status"])
    earlier_generation = sure(table["generation"] < table["task_id"].map(items["generation"]))
    # Sorted by task, generation and attempt: the next row says whether this attempt is the last of its generation.
    following = table[["task_id", "generation"]].shift(-1)
    is_last = ~sure((following["task_id"] == table["task_id"]) & (following["generation"] == table["generation"]))
    over = ~is_last | earlier_generation
    outcome = pd.Series(OPEN, index=table.index, dtype="string")
    outcome = outcome.mask(over | sure(status == "FAILED"), DIED)
    outcome = outcome.mask(~over & sure(status == "COMPLETED"), DIED_AFTER_EFFECT)
    outcome = outcome.mask(table["failed_ts"].notna(), FAILED)
    return outcome.mask(table["succeeded_ts"].notna(), SUCCEEDED)
