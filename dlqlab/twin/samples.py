"""Tables that a simulation has as records: invocations, and the depths of the queues. Names and times of all tables."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.contracts.tables import conform
from dlqlab.specimens import task_system
from dlqlab.twin.contract import EPOCH_TS, Simulation

QUIET_S = 7
"""Seconds sampled after the end: a real run watches empty queues for a while before it believes them."""
STAGE = "simulated"
DIGITS = 6


def calendar(seconds: "pd.Series[float]") -> "pd.Series[float]":
    """Calendar time, to the microsecond as the app's clock writes it."""
    return (EPOCH_TS + seconds).round(DIGITS)


def request_id(invocation: "pd.Series[int]") -> "pd.Series[str]":
    return "i-" + invocation.astype(str)


def consumers() -> "NDArray[Any]":
    """Names of the functions by the queue that they work on, as the engine counts queues: work, dead letters."""
    work = task_system(STAGE).work
    return np.array([work.consumer.name, work.dead_letter_consumer.name], dtype=object)


def invocations(simulation: Simulation) -> pd.DataFrame:
    """The logged invocations of the consumers of work and of dead letters."""
    rows = pd.DataFrame(simulation.invocations)
    table = pd.DataFrame(
        {
            "function": consumers()[rows["function"]],
            "request_id": request_id(rows["invocation"]),
            "log_stream": "simulated/" + rows["environment"].astype(str),
            "stored_ts": calendar(rows["ended"]),
            "duration_ms": (rows["ended"] - rows["started"]) * 1000,
            "init_duration_ms": (rows["init"] * 1000).where(rows["init"] >= 0),
            "status": np.array(["ok", "timeout", "error"], dtype=object)[rows["status"]],
        }
    )
    return conform("invocations", table)


def queues(simulation: Simulation) -> pd.DataFrame:
    """Depths of all tasks, sampled or not, once a second, and the empty queues for a while after the end."""
    s, work = simulation.series, task_system(STAGE).work
    roles = work.queue.role, work.dead_letters.role
    tasks = pd.DataFrame({"queue": roles[0], "visible": s["visible"], "in_flight": s["in_flight"]})
    tasks["delayed"] = s["delayed"]
    letters = pd.DataFrame({"queue": roles[1], "visible": s["dlq_visible"], "in_flight": s["dlq_in_flight"]})
    after = np.arange(len(s), len(s) + QUIET_S) if simulation.totals.drained else np.arange(0)
    quiet = [pd.DataFrame({"queue": name, "ts": EPOCH_TS + after}) for name in roles]
    ts = EPOCH_TS + s["t_s"]
    parts = [tasks.assign(ts=ts), letters.assign(ts=ts, delayed=0), *quiet]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    counts = ["visible", "in_flight", "delayed"]
    table[counts] = table[counts].fillna(0)
    return conform("queues", table.sort_values("ts", kind="stable", ignore_index=True))
