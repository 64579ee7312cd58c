"""Dead letters as a table, and how many of them the oracle predicts."""

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.frames import sure
from dlqlab.analysis.oracle import DEAD_LETTERED


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


def predicted_dead_letters(facts: Facts) -> int:
    """Tasks whose first generation the oracle sends to the dead-letter queue, scripted ones left out."""
    last = facts.predictions[facts.predictions["last"] & sure(facts.predictions["generation"] == 1)]
    drawn = last[~facts.scripted(last["task_id"])]
    return int(sure(drawn["terminal"] == DEAD_LETTERED).sum())
