"""The tables of a run on cells, looked at as a whole: what was sampled cell by cell is added up."""

import pandas as pd

from dlqlab.contracts.tables import conform

SAMPLED_EVERY_S = 1.0
_KEYS = {"queues": "queue", "host": "part"}
"""Sampled tables, and what they say something about."""


def whole(table: str, data: pd.DataFrame) -> pd.DataFrame:
    """The table of a whole run: samples of several cells are one sample for each second, the sum over the cells.

    The sum's time is the middle of the samples that are in it. Seconds that not every cell has a sample of are left
    out: their sum would be too small. A queue whose cell has ended is as its last sample says until the last cell ends.
    Tables that are not samples, and runs on one emulator, stay as they are.
    """
    key = _KEYS.get(table)
    if key is None or data["cell"].isna().all():
        return data
    if table == "queues":
        data = _held_to_the_end(data)
    cells = data.groupby(key)["cell"].nunique()
    second = (data["ts"] // SAMPLED_EVERY_S).rename("second")
    groups = data.groupby([second, data[key]], sort=True)
    numbers = [name for name in data.columns if name not in {"ts", key, "cell"}]
    summed = groups[numbers].sum(min_count=1)
    summed["ts"] = groups["ts"].mean()
    summed["seen"] = groups["cell"].nunique()
    summed = summed.reset_index()
    complete = summed["seen"] == summed[key].map(cells)
    return conform(table, summed[complete]).reset_index(drop=True)


def _held_to_the_end(queues: pd.DataFrame) -> pd.DataFrame:
    """The samples; for each second after a cell's last one that sample again, up to the queue's last in any cell."""
    ends = queues.groupby("queue")["ts"].max() // SAMPLED_EVERY_S
    last = queues.sort_values("ts").drop_duplicates(["cell", "queue"], keep="last")
    spans = zip(last["ts"] // SAMPLED_EVERY_S, last["queue"].map(ends), strict=True)
    seconds = [range(int(seen) + 1, int(end) + 1) for seen, end in spans]
    held = last.loc[last.index.repeat([len(missing) for missing in seconds])].copy()
    held["ts"] = [(second + 0.5) * SAMPLED_EVERY_S for missing in seconds for second in missing]
    return pd.concat([queues, held], ignore_index=True)
