"""The dead-letter queue: how much reached it, how soon, and whether each entry left its records."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import among, names, sure
from dlqlab.analysis.oracle import DEAD_LETTERED
from dlqlab.analysis.rates import SEED_LUCK_P_MIN
from dlqlab.analysis.statistics import binomial_band, exact_p_value, wilson
from dlqlab.analysis.wording import examples, level, rate
from dlqlab.contracts.verdict import Check, Status
from dlqlab.wording import count, percent

RECORDS: Mapping[str, str] = {
    "without_log_line": "no dead-letter line in the log",
    "without_payload": "a line without the payload",
    "without_error_message": "a line without the error message",
    "without_archive": "no archived message",
}
"""What can be missing of a dead-lettered task."""


def dead_letter_times(facts: Facts) -> pd.DataFrame:
    """One row for each dead-lettered task: task_id, generation, reason, error_type, attempts, accepted_ts, last_ts,
    dead_lettered_ts, age_s (accepted to dead-lettered), move_s (end of the last attempt to dead-lettered).
    """
    letters = facts.dead_letters[facts.dead_letters["task_id"].notna()]
    letters = letters.sort_values("ts").drop_duplicates(["task_id", "generation"])
    last_ts = letters["last_ts"]
    table = letters[["task_id", "generation", "reason", "error_type", "error_message", "attempts"]].assign(
        accepted_ts=letters["first_ts"].fillna(letters["task_id"].map(facts.items["created_ts"])),
        last_ts=last_ts,
        dead_lettered_ts=letters["ts"],
    )
    table["age_s"] = table["dead_lettered_ts"] - table["accepted_ts"]
    table["move_s"] = table["dead_lettered_ts"] - table["last_ts"]
    return table.reset_index(drop=True)


def dlq_volume_check(facts: Facts) -> Check:
    """The share of tasks in the dead-letter queue against the band that the mode predicts.

    Outside the band is invalid, unless it is exactly the number that the seed predicts and not too improbable even for
    a seed's luck; see rates.
    """
    first = facts.items[facts.items["generation"].fillna(1) == 1]
    drawn = first[~facts.scripted(first["task_id"]).to_numpy()]
    dead, done = int(sure(drawn["status"] == "FAILED").sum()), int(sure(drawn["status"] == "COMPLETED").sum())
    n, share = dead + done, facts.expectation.dlq_share
    predicted = _predicted(facts)
    if n == 0:
        return _volume(facts, Status.UNKNOWN, "no task reached its end, so there is no share to judge", {})
    confidence = facts.scenario.judge.confidence
    low, high = binomial_band(n, share, confidence)
    interval = wilson(dead, n, confidence)
    p_value = exact_p_value(dead, n, share)
    text = f"DLQ {rate(interval, 'task')}, predicted {percent(share)}"
    status = Status.VALID
    if len(drawn) > n:
        status, text = Status.UNKNOWN, f"{text}; {count(len(drawn) - n, 'task')} without an end yet"
    elif not low <= dead <= high and dead == predicted and p_value >= SEED_LUCK_P_MIN:
        text = f"{text}: outside the band of {low:,} to {high:,} by the luck of seed {facts.scenario.seed}"
    elif not low <= dead <= high:
        status = Status.INVALID
        text = f"{text}: {dead:,} is outside the band of {low:,} to {high:,} ({level(confidence)})"
    numbers = {
        "measured": interval.estimate,
        "interval": (interval.low, interval.high),
        "n": n,
        "details": {"count": dead, "band": [low, high], "seed_predicts": predicted, "p_value": p_value, **_ages(facts)},
    }
    return _volume(facts, status, text, numbers)


def records_check(facts: Facts) -> Check:
    """Each dead-lettered task has its log line with payload and error message, and its archived message."""
    dead = names(facts.items.index[sure(facts.items["status"] == "FAILED")]) | names(facts.client_letters["task_id"])
    missing = _missing(facts, dead)
    archived = facts.tasks[sure(facts.tasks["archived"])]
    junk = int((~among(archived["task_id"], facts.known)).sum())
    wanted_junk = facts.scenario.load.junk_messages
    broken = {name: found for name, found in missing.items() if found}
    unresolved = [
        f"{count(len(found), 'task')} with {RECORDS[name]}: {examples(found)}" for name, found in broken.items()
    ]
    if missing_junk := _missing_junk(facts):
        unresolved.append(f"{count(len(missing_junk), 'junk message')} not archived: {examples(missing_junk)}")
    elif junk < wanted_junk:
        unresolved.append(f"{junk:,} of {wanted_junk:,} junk messages archived")
    open_end = not facts.nothing_left
    status, statement = Status.VALID, f"{count(len(dead), 'dead letter')}, each with its log line and its archive"
    if junk:
        statement += f"; {junk:,} of {wanted_junk:,} junk messages archived"
    if unresolved:
        # A message that is still on its way to the monitor has no records yet.
        status = Status.UNKNOWN if open_end else Status.INVALID
        statement = f"{count(len(dead), 'dead letter')}, but {'; '.join(unresolved)}"
    elif not dead and (_predicted(facts) or not facts.taken):
        status, statement = Status.UNKNOWN, "nothing was dead-lettered, so there are no records to check"
    elif not dead and not junk:
        statement = "nothing was dead-lettered and nothing should have been"
    return Check(
        name="records",
        title="Every dead letter is documented",
        status=status,
        statement=statement,
        measured=float(len(dead - set().union(*missing.values()))),
        expected=float(len(dead)),
        unit="tasks",
        n=len(dead),
        members={name: tuple(found) for name, found in missing.items()} | {"without_junk": tuple(missing_junk)},
        details={"junk_archived": junk, "junk_sent": wanted_junk},
    )


def _missing_junk(facts: Facts) -> list[str]:
    """Junk by the ids that its senders got, where they are known: another message must not stand in for it."""
    sent = set(facts.manifest.junk_message_ids or ())
    archived = names(facts.tasks.loc[sure(facts.tasks["archived"]), "archive_id"])
    return sorted(sent - archived)


def _missing(facts: Facts, dead: set[str]) -> dict[str, list[str]]:
    letters = facts.client_letters
    with_payload = letters[letters["payload"].str.strip().fillna("") != ""]
    with_message = letters[letters["error_message"].str.strip().fillna("") != ""]
    archived = names(facts.tasks.loc[sure(facts.tasks["archived"]), "task_id"].dropna())
    logged = names(letters["task_id"])
    return {
        "without_log_line": sorted(dead - logged),
        "without_payload": sorted(logged - names(with_payload["task_id"])),
        "without_error_message": sorted(logged - names(with_message["task_id"])),
        "without_archive": sorted(dead - archived),
    }


def _predicted(facts: Facts) -> int:
    """Tasks whose first generation the oracle sends to the dead-letter queue, scripted ones left out."""
    last = facts.predictions[facts.predictions["last"] & sure(facts.predictions["generation"] == 1)]
    drawn = last[~facts.scripted(last["task_id"])]
    return int(sure(drawn["terminal"] == DEAD_LETTERED).sum())


def _ages(facts: Facts) -> dict[str, Any]:
    times = dead_letter_times(facts)
    return {
        f"{name}_{label}": None if times[name].dropna().empty else float(np.quantile(times[name].dropna(), q))
        for name in ("age_s", "move_s")
        for label, q in (("p50", 0.5), ("p95", 0.95))
    }


def _volume(facts: Facts, status: Status, statement: str, numbers: Mapping[str, Any]) -> Check:
    return Check(
        name="dlq_volume",
        title="Dead letters in the predicted volume",
        status=status,
        statement=statement,
        expected=facts.expectation.dlq_share,
        unit="ratio",
        confidence=facts.scenario.judge.confidence,
        **numbers,
    )
