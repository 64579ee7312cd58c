"""Dead letters by cause and place, as tables."""

import re
from collections.abc import Iterable

import pandas as pd

from dlqlab.analysis.life_parts import Fate
from dlqlab.analysis.lives import Life
from dlqlab.analysis.log_lines import shown
from dlqlab.analysis.reasons import Reason, failed_attempts, work_stays
from dlqlab.contracts.recorded import Kind

NEVER_RAN = "no function ran"
NOT_TOLD = "not told"
LAST_LINES = 3
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_IDS = re.compile(r"\b(?=[\w-]*\d)[0-9A-Za-z]+(?:-[0-9A-Za-z]+)+\b|\b(?=\w*\d)[0-9a-fA-F]{8,}\b")
_NUMBERS = re.compile(r"[-+]?\d+(?:[.,]\d+)*")
_COLUMNS = [
    "task", "message_id", "queue", "function", "error_type", "error_message", "shape", "receives", "tried", "untried",
    "why_untried", "age_s", "last_lines",
]  # fmt: skip


def shape(text: str) -> str:
    """A message without what is another in each task: ``draw 0.17 below 0.3`` is ``draw # below #``."""
    for pattern, mark in ((_QUOTED, "'…'"), (_IDS, "<id>"), (_NUMBERS, "#")):
        text = pattern.sub(mark, text)
    return " ".join(text.split())


def letters_table(some: Iterable[tuple[str, Life, Iterable[Reason]]]) -> pd.DataFrame:
    """One row for each message that was dead-lettered.

    Columns: task, message_id, queue (whose consumer had to work on it), function (whose attempt failed last),
    error_type, error_message, shape (of that message), receives, tried, untried (receives without an attempt),
    why_untried, age_s (seconds from its entry to its move), last_lines (of the log of the last failed attempt).
    """
    rows = [
        _row(key, life, each)
        for key, life, reasons in some
        for each in reasons
        if any(stay.message_id == each.message_id and stay.left == Kind.MOVED for stay in work_stays(life))
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _row(key: str, life: Life, reason: Reason) -> list[object]:
    stay = next(stay for stay in work_stays(life) if stay.message_id == reason.message_id)
    failed = failed_attempts(stay)
    kind, _, message = (reason.last_error or (NOT_TOLD if failed else NEVER_RAN)).partition(": ")
    untried = [each.reason for each in reason.receives if each.fate is Fate.NOT_TRIED]
    age_s = None if stay.sent_ts is None or stay.left_ts is None else stay.left_ts - stay.sent_ts
    return [
        key,
        reason.message_id,
        reason.queue,
        failed[-1].function if failed else "",
        kind,
        message,
        shape(message),
        len(reason.receives),
        sum(each.fate in {Fate.DONE, Fate.FAILED} for each in reason.receives),
        len(untried),
        "; ".join(dict.fromkeys(untried)),
        age_s,
        "\n".join(shown(line, {key, reason.message_id}) for line in reason.last_lines[-LAST_LINES:]),
    ]


def causes(letters: pd.DataFrame) -> pd.DataFrame:
    """Dead letters by queue, function, error type and shape of the message, the most frequent first.

    Columns: those four, letters (how many), receives, untried (sums over them), median_age_s, example (a task).
    """
    place = ["queue", "function", "error_type", "shape"]
    found = letters.groupby(place, as_index=False, sort=True).agg(
        letters=("message_id", "size"),
        receives=("receives", "sum"),
        untried=("untried", "sum"),
        median_age_s=("age_s", "median"),
        example=("task", "first"),
    )
    return found.sort_values("letters", ascending=False, kind="stable", ignore_index=True)


def untried_receives(letters: pd.DataFrame) -> pd.DataFrame:
    """Receives without an attempt by queue and reason: letters (how many had such), receives."""
    some = letters[letters["untried"] > 0]
    found = some.groupby(["queue", "why_untried"], as_index=False).agg(
        letters=("message_id", "size"), receives=("untried", "sum")
    )
    return found.sort_values("receives", ascending=False, kind="stable", ignore_index=True)
