"""What looking on costs: processed tasks a second of a flood alone, with a run's samplers, and with a whole collection.

    python -m benchmarks.flood_collection [--quick] [--rounds N] [--seconds S] [--json PATH]

``alone``: the load and nothing else. ``sampled``: queue depths and host once a second, as every run does.
``collected``: that, and every 5 s what a run does only after its load: new log lines of all functions, and a count of
unfinished tasks by a scan of the task table. One emulator serves all: the three take turns, each round in another
order, with the queues drained and the tables emptied in between.
"""

import argparse
import dataclasses
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pipeline.measure import completed
from benchmarks.pipeline.systems import RUN_ID, STATE, Running, ours
from dlqlab.collect.host import HostSampler
from dlqlab.collect.logs import Window, collect_logs
from dlqlab.collect.queues import QueueSampler, queue_urls
from dlqlab.collect.table import count_unfinished
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.deploy import pipeline
from dlqlab.emulator import lifecycle
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import start_load
from dlqlab.run import known
from dlqlab.waiting import wait_for

KINDS = ("alone", "sampled", "collected")
COLLECT_EVERY_S = 5.0
GOAL_RATIO = 0.95
TASKS_MAX = 100_000


@contextmanager
def watched(kind: str, running: Running, folder: Path) -> Iterator[None]:
    """What goes on beside the load."""
    if kind == "alone":
        yield
        return
    sqs = running.target.client("sqs")
    queues = QueueSampler(sqs, queue_urls(sqs, running.target.names.queues), folder)
    host = HostSampler(known.host_parts(lifecycle.find(_port(running), STATE)), folder)
    queues.start()
    host.start()
    stopping = threading.Event()
    failures: list[Exception] = []
    collector = threading.Thread(target=_collect, args=(running, folder, stopping, failures))
    if kind == "collected":
        collector.start()
    try:
        yield
    finally:
        stopping.set()
        if kind == "collected":
            collector.join()
        host.stop()
        queues.stop()
    if failures:
        raise failures[0]


def _port(running: Running) -> int:
    return int((running.target.endpoint or "").rpartition(":")[2])


def _collect(running: Running, folder: Path, stopping: threading.Event, failures: list[Exception]) -> None:
    """Pull what is new in the logs, and count unfinished tasks, again and again."""
    logs, dynamodb = running.target.client("logs"), running.target.client("dynamodb")
    functions = tuple(running.target.names.functions.values())
    began_ts = time.time()
    try:
        while not stopping.wait(COLLECT_EVERY_S):
            collect_logs(logs, functions, Window(began_ts, time.time()), RUN_ID, folder / "log-parts")
            count_unfinished(dynamodb, running.target.names.task_table, ())
    except Exception as error:  # noqa: BLE001  (raised by whoever stops the thread)
        failures.append(error)


def flood(kind: str, running: Running, scenario: Scenario) -> float:
    """One round: processed tasks a second; leaves queues and tables empty."""
    with TemporaryDirectory(dir=STATE) as name:
        folder = Path(name)
        with watched(kind, running, folder):
            result = start_load(scenario, url=running.url, run=RunDir(folder / "load"), run_id=RUN_ID)
        rows = read_ledger(folder / "load" / "ledger").rows
        accepted = frozenset(rows.loc[rows["outcome"] == "acknowledged", "task_id"])

        def drained() -> tuple[bool, int]:
            left = len(accepted) - len(completed(running, accepted))
            return left == 0, left

        wait_for("the end of all tasks", drained, deadline_s=120, interval_s=1.0)
        ended = completed(running, accepted)
        in_time = sum(ts <= result.ended_ts for ts in ended.values())
    pipeline.reset(running.target)
    return in_time / (result.ended_ts - result.started_ts)


def orders(rounds: int) -> Iterator[tuple[str, ...]]:
    """The kinds in another order each round."""
    return itertools.islice(itertools.cycle(itertools.permutations(KINDS)), rounds)


def measure(*, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Processed tasks a second by kind, one number a round."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    scenario = _scenario(seconds)
    STATE.mkdir(parents=True, exist_ok=True)
    with ours(scenario) as running:
        flood("alone", running, dataclasses.replace(scenario, seed=0))  # a machine that has just started is slower
        seeds = itertools.count(1)
        for order in orders(rounds):
            for kind in order:
                found[kind].append(flood(kind, running, dataclasses.replace(scenario, seed=next(seeds))))
                print(f"{kind:<10}{found[kind][-1]:8.1f}/s", flush=True)
    return found


def _scenario(seconds: float) -> Scenario:
    return from_dict(
        {
            "name": "flood",
            "load": {"users": 8, "rate_per_s": 0, "duration_s": seconds, "tasks": TASKS_MAX},
            "faults": {"mode": "none"},
        },
        source="benchmarks",
    )


def summary(found: dict[str, list[float]], middle: Callable[[Sequence[float]], float] = statistics.median) -> list[str]:
    """A line for each kind: median, least and most, and the median of its ratios to ``alone`` round by round."""
    lines = []
    for kind, rates in found.items():
        ratio = middle([rate / alone for rate, alone in zip(rates, found["alone"], strict=True)])
        said = "" if kind == "alone" else f"  / alone {ratio:.3f} (goal >= {GOAL_RATIO})"
        lines.append(f"{kind:<10} processed/s {middle(rates):6.1f} ({min(rates):.1f} to {max(rates):.1f}){said}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round of each: for development")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=15.0, help="of load in each round")
    parser.add_argument("--json", type=Path, default=STATE / "flood_collection.json", help="where the numbers go")
    options = parser.parse_args()
    rounds, seconds = (1, 8.0) if options.quick else (options.rounds, options.seconds)
    began_ts = time.time()
    found = measure(rounds=rounds, seconds=seconds)
    print("\n" + "\n".join(summary(found)))
    write_json(options.json, {"started_ts": began_ts, "seconds": seconds, "processed_per_s": found})
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
