"""What the flight recorder costs: the emulator's processor time a task, with and without it.

    python -m benchmarks.recorder_cost [--patch NAME] [--rounds N] [--tasks N] [--rate R] [--json PATH]

``--patch inject_faults`` measures what faults from outside cost while no plan is in force; so for any other patch. Two
emulators are up at once, which differ in that patch alone. In each round both are given as many tasks
at the same rate, one after the other, in the other order the next time. Counted is the processor time (user and system,
of all threads) of the emulator's own process, without the functions and the load, from before the load until its queue
is empty and the record is on disk. Printed are milliseconds a task, median with least and most, and the median of the
differences and of the ratios round by round with its interval: rounds differ by far more than what is measured, so it
takes some twenty of them. With ``--rate 0`` the load is as fast as its users can be, and the rates are compared too.
Linux only: it reads /proc.
"""

import argparse
import dataclasses
import math
import os
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.pipeline import systems
from benchmarks.pipeline.systems import RUN_ID, STATE, Running
from dlqlab.analysis.statistics import quantile_interval
from dlqlab.contracts.recorded import BEHIND_MAX_S, RECORDER
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.emulator.patches import ALL
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import start_load
from dlqlab.waiting import wait_for

WITH, WITHOUT = "with", "without"
CONFIDENCE = 0.95
SLOWEST_PER_S = 20
"""A load without a rate of its own has time for this one."""
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_UTIME = 11
"""Of the fields behind the name in /proc/PID/stat (proc(5)), user time; system time is the next."""


def processor_s(stat: str) -> float:
    """User and system time of a process, of what its /proc/PID/stat says."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_UTIME + 1])) / _TICKS_PER_S


def order(number: int) -> tuple[str, str]:
    """Whose turn it is first in a round."""
    return (WITH, WITHOUT) if number % 2 == 0 else (WITHOUT, WITH)


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Processor time for each accepted task, and how many were accepted a second."""

    ms: float
    rate_per_s: float


def cost(running: Running, scenario: Scenario) -> Cost:
    """What the load of one turn cost."""
    began_s = _used_s(running)
    with TemporaryDirectory(dir=STATE) as folder:
        run = RunDir(Path(folder))
        start_load(scenario, url=running.url, run=run, run_id=RUN_ID)
        rows = read_ledger(run.ledger_parts).rows
    _drain(running)
    time.sleep(2 * BEHIND_MAX_S)  # what is recorded is written by then; the same for both
    accepted = int((rows["outcome"] == "acknowledged").sum())
    took_s = float(rows["done_ts"].max() - rows["sent_ts"].min())
    return Cost(1000 * (_used_s(running) - began_s) / accepted, accepted / took_s)


def _used_s(running: Running) -> float:
    return processor_s(Path(f"/proc/{running.pid}/stat").read_text())


def _drain(running: Running) -> None:
    sqs, name = running.target.client("sqs"), running.target.topology.work.queue.name
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def probe() -> tuple[bool, Any]:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        left = [int(value) for name, value in found.items() if name.startswith("ApproximateNumberOfMessages")]
        return not any(left), left

    wait_for("an empty queue", probe, deadline_s=120, interval_s=0.2)


def measure(patch: str, *, rounds: int, tasks: int, rate: float) -> dict[str, list[Cost]]:
    """With and without the patch, one cost a round; a first round warms up and is left out."""
    STATE.mkdir(parents=True, exist_ok=True)
    load = {"users": 8, "rate_per_s": rate, "duration_s": 2 * tasks / (rate or SLOWEST_PER_S), "tasks": tasks}
    scenario = from_dict({"name": "recorder-cost", "load": load, "faults": {"mode": "none"}}, source="benchmarks")
    found: dict[str, list[Cost]] = {WITH: [], WITHOUT: []}
    patches = {WITH: ALL, WITHOUT: tuple(name for name in ALL if name != patch)}
    with ExitStack() as stack:
        emulators = {
            kind: stack.enter_context(systems.localstack(kind, scenario, patches=patches[kind], extra={}))
            for kind in found
        }
        for number in range(rounds + 1):
            for kind in order(number):
                one = cost(emulators[kind], dataclasses.replace(scenario, seed=number + 1))
                print(f"round {number} {kind:<8}{one.ms:8.3f} ms a task, {one.rate_per_s:.1f} tasks/s", flush=True)
                if number:
                    found[kind].append(one)
    return found


def summary(patch: str, found: dict[str, list[Cost]]) -> list[str]:
    """Lines: both kinds, then what the patch adds."""
    pairs = list(zip(found[WITH], found[WITHOUT], strict=True))
    added, ratio = _known([a.ms - b.ms for a, b in pairs]), _known([a.ms / b.ms for a, b in pairs])
    rates, sure = _known([a.rate_per_s / b.rate_per_s for a, b in pairs]), f"({100 * CONFIDENCE:g} %, n = {len(pairs)})"
    lines = [
        f"{f'{kind} {patch}':<24}{_spread([one.ms for one in costs])} ms a task, "
        f"{_spread([one.rate_per_s for one in costs])} tasks/s"
        for kind, costs in found.items()
    ]
    return [
        *lines,
        f"{'it adds':<24}{added} ms a task, ratio {ratio} {sure}",
        f"{'tasks a second, ratio':<24}{rates} {sure}",
    ]


def _known(values: Sequence[float]) -> str:
    """The median with the interval that its order statistics give, which no outlier of a busy machine moves."""
    found = quantile_interval(np.asarray(values), 0.5, CONFIDENCE)
    if found is None or not math.isfinite(found.half_width):
        return f"{statistics.median(values):.3f} (not enough data for an interval)"
    return f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f})"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patch", choices=ALL, default=RECORDER, metavar="NAME", help="which is off in one of the two")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=1_000, help="in each round, for each of the two")
    parser.add_argument("--rate", type=float, default=60.0, help="tasks a second; 0 is as fast as the users can")
    parser.add_argument("--json", type=Path, default=STATE / "recorder_cost.json", help="where the numbers go")
    options = parser.parse_args()
    found = measure(options.patch, rounds=options.rounds, tasks=options.tasks, rate=options.rate)
    print(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    print("\n".join(summary(options.patch, found)))
    write_json(options.json, {kind: [dataclasses.asdict(one) for one in costs] for kind, costs in found.items()})
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
