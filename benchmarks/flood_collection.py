"""What looking on costs: the rate of a flood while nothing looks, while it is sampled, and while logs are pulled.

    python -m benchmarks.flood_collection [--quick] [--rounds N] [--seconds S] [--json PATH]

Each round is one flood that goes on without a break; what looks at it changes every few seconds:

- ``alone``: nothing but the load;
- ``sampled``: queue depths and host once a second, as every run does while its load lasts;
- ``logs``: that, and every 5 s the new log lines of all functions. A run pulls them only after its load, and this is
  why.

A shared machine's speed drifts by more than what is asked for here. So a round has every kind twice, the second time in
the reverse order; rates are related to ``alone`` of their own round, and each round has another order. Queues and
tables are emptied between rounds.
"""

import argparse
import bisect
import dataclasses
import itertools
import random
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.pipeline.measure import completed
from benchmarks.pipeline.systems import RUN_ID, STATE, Running, ours
from dlqlab.collect.host import HostSampler
from dlqlab.collect.logs import Window, collect_logs
from dlqlab.collect.queues import QueueSampler, queue_urls
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.deploy import pipeline
from dlqlab.emulator.host import lifecycle
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import start_load
from dlqlab.run.target_facts import host_parts
from dlqlab.tune.intervals import CONFIDENCE, mean_of
from dlqlab.waiting import wait_for

KINDS = ("alone", "sampled", "logs")
PULL_EVERY_S = 5.0
LEAD_S = 2.0
"""Of load before the first stretch and after the last."""
GOAL_RATIO = 0.95
"""Of ``sampled``, which is what a run does."""
TASKS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of a flood with one kind of onlooker."""

    kind: str
    began_ts: float
    ended_ts: float
    harness_s: float
    """Processor time of this process, which looks on and follows the load's journals."""


@dataclass(slots=True)
class Onlooker:
    """Looks at one flood, on a thread of its own, in one way after the other."""

    running: Running
    order: Sequence[str]
    seconds: float
    folder: Path
    stretches: list[Stretch] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    sqs: Any = field(init=False)
    logs: Any = field(init=False)

    def __post_init__(self) -> None:
        # Before the flood, as in a run: a client costs more to make than many a sample.
        self.sqs, self.logs = self.running.target.client("sqs"), self.running.target.client("logs")

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="onlooker")
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            time.sleep(LEAD_S)  # not a wait for something: the flood's first seconds are nobody's
            for kind in self.order:
                began_ts, began_s = time.time(), time.process_time()
                self._look(kind)
                self.stretches.append(Stretch(kind, began_ts, time.time(), time.process_time() - began_s))
        except Exception as error:  # noqa: BLE001  (raised by whoever waits for the thread)
            self.failures.append(error)

    def _look(self, kind: str) -> None:
        until_s = time.monotonic() + self.seconds
        folder = self.folder / f"{len(self.stretches)}"
        folder.mkdir()
        samplers = [] if kind == "alone" else self._samplers(folder)
        for sampler in samplers:
            sampler.start()
        if kind == "logs":
            self._pull(until_s, folder)
        time.sleep(max(0.0, until_s - time.monotonic()))
        for sampler in samplers:
            sampler.stop()

    def _samplers(self, folder: Path) -> list[QueueSampler | HostSampler]:
        urls = queue_urls(self.sqs, self.running.target.topology.queue_names)
        emulator = lifecycle.find(int((self.running.target.endpoint or "").rpartition(":")[2]), STATE)
        return [
            QueueSampler(self.sqs, urls, folder),
            HostSampler(host_parts(emulator), folder),
        ]

    def _pull(self, until_s: float, folder: Path) -> None:
        """As often as the stretch has room for, the first time half an interval after its start."""
        functions = tuple(self.running.target.topology.function_names.values())
        due_s = time.monotonic() + PULL_EVERY_S / 2
        while due_s < until_s:
            time.sleep(max(0.0, due_s - time.monotonic()))
            now = time.time()
            collect_logs(self.logs, functions, Window(now - PULL_EVERY_S, now), RUN_ID, folder / f"{now}")
            due_s += PULL_EVERY_S


def flood(running: Running, scenario: Scenario, order: Sequence[str], seconds: float) -> dict[str, tuple[float, float]]:
    """One round: processed tasks a second and the harness's share of one core by kind; leaves nothing behind."""
    order = (*order, *reversed(order))
    with TemporaryDirectory(dir=STATE) as name:
        folder = Path(name)
        onlooker = Onlooker(running, order, seconds, folder)
        thread = onlooker.start()
        try:
            start_load(scenario, url=running.url, run=RunDir(folder / "load"), run_id=RUN_ID)
        finally:
            thread.join()
        if onlooker.failures:
            raise onlooker.failures[0]
        rows = read_ledger(folder / "load" / "ledger").rows
        accepted = frozenset(rows.loc[rows["outcome"] == "acknowledged", "task_id"])

        def drained() -> tuple[bool, int]:
            left = len(accepted) - len(completed(running, accepted))
            return left == 0, left

        wait_for("the end of all tasks", drained, deadline_s=120, interval_s=1.0)
        ended = sorted(completed(running, accepted).values())
    pipeline.reset(running.target)
    return {kind: _both([one for one in onlooker.stretches if one.kind == kind], ended) for kind in KINDS}


def _both(stretches: Sequence[Stretch], ended: Sequence[float]) -> tuple[float, float]:
    seconds = sum(one.ended_ts - one.began_ts for one in stretches)
    tasks = sum(bisect.bisect(ended, one.ended_ts) - bisect.bisect(ended, one.began_ts) for one in stretches)
    return tasks / seconds, sum(one.harness_s for one in stretches) / seconds


def orders(rounds: int) -> Iterator[tuple[str, ...]]:
    """The kinds in another order each round, each order only once before all have had their turn."""
    every = list(itertools.permutations(KINDS))
    random.Random(1).shuffle(every)  # noqa: S311  (the same order each time)
    return itertools.islice(itertools.cycle(every), rounds)


def measure(*, rounds: int, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Processed tasks a second, and the harness's share of a core, by kind; one pair a round."""
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    scenario = _scenario(2 * len(KINDS) * seconds + 2 * LEAD_S)
    STATE.mkdir(parents=True, exist_ok=True)
    with ours(scenario) as running:
        for number, order in enumerate(orders(rounds)):
            rates = flood(running, dataclasses.replace(scenario, seed=number), order, seconds)
            for kind, pair in rates.items():
                found[kind].append(pair)
            print("  ".join(f"{kind} {rates[kind][0]:.1f}/s" for kind in order), flush=True)
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


def summary(found: Mapping[str, Sequence[tuple[float, float]]]) -> list[str]:
    """A line for each kind: rates, the harness's share of a core, and the mean ratio to ``alone`` with its interval."""
    lines = []
    bare = [rate for rate, _ in found["alone"]]
    for kind, pairs in found.items():
        rates, shares = zip(*pairs, strict=True)
        middle, share = statistics.median(rates), statistics.median(shares)
        said = f"{kind:<9}{middle:6.1f}/s ({min(rates):.1f} to {max(rates):.1f})  harness {100 * share:.1f} % of a core"
        if kind != "alone":
            said += f"  / alone {ratio_text([rate / alone for rate, alone in zip(rates, bare, strict=True)])}"
        if kind == "sampled":
            said += f"; goal: at least {GOAL_RATIO}"
        lines.append(said)
    return lines


def ratio_text(ratios: Sequence[float]) -> str:
    """``0.981 ± 0.012 (95 %, n = 12)``."""
    ratio = mean_of(ratios)
    reach = "not enough data for an interval" if ratio.half_width is None else f"± {ratio.half_width:.3f}"
    return f"{ratio.mean:.3f} {reach} ({100 * CONFIDENCE:g} %, n = {ratio.n})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two rounds: for development")
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each kind at a time")
    parser.add_argument("--json", type=Path, default=STATE / "flood_collection.json", help="where the numbers go")
    options = parser.parse_args()
    rounds, seconds = (2, options.seconds) if options.quick else (options.rounds, options.seconds)
    began_ts = time.time()
    found = measure(rounds=rounds, seconds=seconds)
    print("\n" + "\n".join(summary(found)))
    rates = {kind: [rate for rate, _ in pairs] for kind, pairs in found.items()}
    write_json(options.json, {"started_ts": began_ts, "seconds": seconds, "processed_per_s": rates})
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
