"""When tasks are due: constant, Poisson, ramp, burst, or a measured trace. Seconds from the start of the load."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlqlab.contracts.scenario import Load
from dlqlab.errors import UsageError

TASKS_MAX = 100_000_000
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """When each task is due, never going back.

    ``users`` 0 sends every task when it is due; otherwise so many clients share the work, and a task goes late while
    all of them wait for answers. None is sent at or after ``ends_s``. ``task_ids`` are the load generator's unless
    given, one for each task.
    """

    due_s: Times
    users: int = 0
    ends_s: float = np.inf
    task_ids: tuple[str, ...] | None = None
    payloads: tuple[str, ...] | None = None  # JSON, one for each task; the load generator's unless given

    def __post_init__(self) -> None:
        due_s = self.due_s
        if not 1 <= len(due_s) <= TASKS_MAX:
            raise UsageError(f"{len(due_s):,} arrivals: give 1 to {TASKS_MAX:,}")
        if not np.isfinite(due_s).all() or due_s[0] < 0:
            raise UsageError(f"arrivals from {due_s.min()} to {due_s.max()}: give finite seconds of 0 or more")
        back = np.flatnonzero(np.diff(due_s) < 0)
        if len(back):
            first = int(back[0])
            raise UsageError(
                f"the trace goes back in time: arrival {first + 2} is at {due_s[first + 1]:.6f} s, the one before at "
                f"{due_s[first]:.6f} s; sort it"
            )
        for name in ("task_ids", "payloads"):
            given = getattr(self, name)
            if given is not None and len(given) != len(due_s):
                raise UsageError(f"{len(given):,} {name} for {len(due_s):,} arrivals: give one for each")


def of_load(load: Load) -> Arrivals:
    """As the load generator paces them: task k is due at ``k / rate_per_s``, sent by the first user who is free."""
    k = np.arange(load.tasks, dtype=np.float64)
    due_s = k / load.rate_per_s if load.rate_per_s else np.zeros(load.tasks)
    return Arrivals(due_s=due_s[due_s < load.duration_s], users=load.users, ends_s=load.duration_s)


def constant(rate_per_s: float, tasks: int) -> Arrivals:
    """One task each ``1 / rate_per_s`` seconds."""
    _positive("rate_per_s", rate_per_s)
    return Arrivals(due_s=np.arange(_count(tasks), dtype=np.float64) / rate_per_s)


def poisson(rate_per_s: float, tasks: int, seed: int = 0) -> Arrivals:
    """Independent arrivals: exponential gaps with a mean of ``1 / rate_per_s``."""
    _positive("rate_per_s", rate_per_s)
    gaps = np.random.default_rng(seed).exponential(1 / rate_per_s, _count(tasks))
    return Arrivals(due_s=np.cumsum(gaps))


def ramp(from_per_s: float, to_per_s: float, tasks: int) -> Arrivals:
    """The rate changes evenly with time, from one to the other over all the tasks.

    After t seconds of a ramp that lasts ``T = 2 n / (from + to)`` there have been ``from t + (to - from) t^2 / 2T``
    arrivals; solved for t.
    """
    _not_negative("from_per_s", from_per_s)
    _not_negative("to_per_s", to_per_s)
    _positive("from_per_s + to_per_s", from_per_s + to_per_s)
    k = np.arange(_count(tasks), dtype=np.float64)
    lasts_s = 2 * tasks / (from_per_s + to_per_s)
    slope = (to_per_s - from_per_s) / lasts_s
    # The root that stays finite when the slope is 0.
    root = np.sqrt(np.maximum(0.0, from_per_s**2 + 2 * slope * k))
    with np.errstate(invalid="ignore"):
        due_s = np.where(k == 0, 0.0, 2 * k / (from_per_s + root))
    return Arrivals(due_s=np.maximum.accumulate(due_s))


def burst(base_per_s: float, burst_per_s: float, tasks: int, *, every_s: float, lasts_s: float) -> Arrivals:
    """A base rate, and at the beginning of each period a burst at another rate for a while."""
    _not_negative("base_per_s", base_per_s)
    _positive("burst_per_s", burst_per_s)
    _positive("every_s", every_s)
    if not 0 < lasts_s <= every_s:
        raise UsageError(f"lasts_s is {lasts_s}: give over 0 to every_s ({every_s}) seconds")
    k = np.arange(_count(tasks), dtype=np.float64)
    in_burst = burst_per_s * lasts_s
    period = in_burst + base_per_s * (every_s - lasts_s)
    whole, left = np.divmod(k, period)
    after = left - in_burst
    quiet = lasts_s + np.divide(after, base_per_s, out=np.zeros_like(after), where=base_per_s > 0)
    due_s = whole * every_s + np.where(after < 0, left / burst_per_s, quiet)
    return Arrivals(due_s=np.maximum.accumulate(due_s))


def trace(times_s: Times, task_ids: tuple[str, ...] | None = None) -> Arrivals:
    """Measured times, as they were.

    Raises:
        UsageError: times go back.
    """
    return Arrivals(due_s=np.asarray(times_s, dtype=np.float64), task_ids=task_ids)


def of_ledger(ledger: pd.DataFrame, load_started_ts: float) -> Arrivals:
    """What the clients of a measured run sent and when: a row for each request that asked for a new task."""
    known = ledger.dropna(subset=["task_id", "sent_ts"])
    known = known[~known["outcome"].isin(["rejected", "refused", "replayed"])]
    known = known.sort_values("sent_ts", kind="stable").drop_duplicates("task_id")
    if known.empty:
        raise UsageError("the ledger holds no request for a new task: nothing can be simulated from it")
    return Arrivals(
        due_s=np.maximum(0.0, known["sent_ts"].to_numpy(dtype=np.float64) - load_started_ts),
        task_ids=tuple(known["task_id"].astype(str)),
        payloads=tuple(known["payload"].astype(str)),
    )


def _count(tasks: int) -> int:
    if not 1 <= tasks <= TASKS_MAX:
        raise UsageError(f"tasks is {tasks}: give 1 to {TASKS_MAX}")
    return tasks


def _positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise UsageError(f"{name} is {value}: give a number over 0")


def _not_negative(name: str, value: float) -> None:
    if not (np.isfinite(value) and value >= 0):
        raise UsageError(f"{name} is {value}: give a number of 0 or more")
