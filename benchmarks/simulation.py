"""Simulated tasks a second: the compiled engine against the plain SimPy model, and its cost by size.

    python benchmarks/simulation.py [--most 10000000]

First the same case for both, in interleaved rounds in one process: the same tasks, faults, pollers and durations, and
the same number of dead letters in the end. Quick draws are faults of the same distribution by a
counter, not the hash that the app draws by. Then the engine alone from 10,000 tasks on, each size in a process of its
own so that the peak memory is its own; the rate grows no further than what the pollers carry. Processor time is
printed beside the wall clock's, because it stays what it is on a busy machine. The engine is compiled beforehand.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dlqlab.contracts.scenario import from_dict
from dlqlab.twin.arrivals import constant
from dlqlab.twin.simulate import simulate
from tests.support.simpy_model import Model, Seconds
from tests.support.twin import target

TASKS = 50_000
ROUNDS = 3
RATE_PER_S = 150.0
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SCENARIO = from_dict({"name": "benchmark", "faults": {"failure_rate": 0.3}}, source="the benchmark")
TIMES = Seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest size")
    parser.add_argument("--size", type=int, help="simulate so many tasks and print what that took, as JSON")
    given = parser.parse_args()
    if given.size:
        print(json.dumps(_measure(given.size)))
        return
    _against_simpy()
    _by_size([size for size in SIZES if size <= given.most])


def _against_simpy() -> None:
    arrivals = constant(RATE_PER_S, TASKS)
    due_s = arrivals.due_s.tolist()

    def engine(*, exact_fates: bool = True) -> int:
        found = simulate(SCENARIO, parameters=target(TIMES), arrivals=arrivals, exact_fates=exact_fates)
        return found.totals.dead_lettered

    def plain() -> int:
        return _dead(Model(SCENARIO, TIMES, by_sent=True, pollers=5).run(due_s))

    assert engine() == plain(), "both must find the same dead letters"
    rivals = {"engine": engine, "engine, quick draws": lambda: engine(exact_fates=False), "simpy": plain}
    took: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, rival in rivals.items():
            took[name].append(_seconds(rival))
    found = {name: statistics.median(times) for name, times in took.items()}
    print(f"medians of {ROUNDS} rounds of {TASKS:,} tasks, processor time")
    for name, seconds in found.items():
        ratio = found["simpy"] / seconds
        print(f"{name:<20} {TASKS / seconds:>10,.0f} tasks/s {seconds / TASKS * 1e6:>7.2f} us a task {ratio:>5.0f}x")


def _dead(messages: list[Any]) -> int:
    return sum(message.status == "FAILED" for message in messages)


def _seconds(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def _by_size(sizes: list[int]) -> None:
    print(f"{'tasks':>12} {'wall s':>8} {'cpu s':>8} {'us/task':>8} {'peak MB':>8}")
    for size in sizes:
        done = subprocess.run(
            [sys.executable, __file__, "--size", str(size)], capture_output=True, text=True, check=True
        )
        row = json.loads(done.stdout)
        per_task = row["cpu_s"] / size * 1e6
        print(f"{size:>12,} {row['wall_s']:>8.2f} {row['cpu_s']:>8.2f} {per_task:>8.2f} {row['peak_mb']:>8.0f}")


def _measure(size: int) -> dict[str, float]:
    """One simulation of so many tasks on the default target, with a processor that is 2/3 busy."""
    simulate(SCENARIO, arrivals=constant(RATE_PER_S, 10))
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    totals = simulate(SCENARIO, arrivals=constant(RATE_PER_S, size)).totals
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    assert (size, 0) == (totals.completed + totals.dead_lettered, totals.open), "every task must come to its end"
    return {"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    main()
