"""What the flight recorder costs: the emulator's processor time a task, with and without it.

    python -m benchmarks.recorder_cost [--patch NAME] [--emulators N] [--rounds N] [--tasks N] [--rate R] [--json PATH]

``--patch inject_faults`` measures what faults from outside cost while no plan is in force; so for any other patch.
Several emulators are up at once, all on one processor, half of which lack that patch: of two alike, one takes some
per cent more than the other for as long as it runs. In each round every one of them is given as many tasks at the same
rate, one emulator after the other, in the opposite order the next time: the turns are short, so that the machine is as
fast for all of them. Counted is the processor time (user and system, of all threads) of the emulator's own process,
without the functions and the load, from before the load until its queue is empty and the record is on disk. Printed are
milliseconds a task, of each emulator the median with least and most, and the median of the differences and of the
ratios round by round, of the means of both kinds, with its interval. The load is as fast as its users can be, since
a slower one leaves the processor idle and loses no task; ``--rate`` and ``--tasks`` give another. Linux only: it reads
the processor clock of another process.
"""

import argparse
import dataclasses
import functools
import itertools
import json
import math
import queue
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.pipeline import systems
from benchmarks.pipeline.systems import STATE, Running
from dlqlab.analysis.statistics import quantile_interval
from dlqlab.contracts.recorded import BEHIND_MAX_S, RECORDER
from dlqlab.contracts.rundir import write_json
from dlqlab.contracts.scenario import from_dict
from dlqlab.emulator import settings
from dlqlab.emulator.core import processors
from dlqlab.emulator.patches import ALL
from dlqlab.errors import LoadError
from dlqlab.waiting import wait_for

WITH, WITHOUT = "with", "without"
USERS = 8
CONFIDENCE = 0.95
ACCEPTED = 202
_SCHEDULED = 2
"""The clock that counts what the scheduler gave (CPUCLOCK_SCHED, include/linux/posix-timers_types.h)."""


def processor_s(pid: int) -> float:
    """User and system time of a process and all of its threads, also of those that have ended: to the nanosecond,
    where /proc has a hundredth of a second.
    """
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def order(emulators: Sequence[str], number: int) -> Sequence[str]:
    """Whose turn it is in a round, one after the other."""
    return emulators if number % 2 == 0 else emulators[::-1]


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Processor time for each accepted task, and how many were accepted a second."""

    ms: float
    rate_per_s: float


Send = Callable[[str, Sequence[str], float], float]
"""Sends tasks to an address, with these ids, so many a second; returns how many were accepted a second."""


@contextmanager
def load() -> Iterator[Send]:
    """Users that send tasks, each by connections of its own."""
    jobs: queue.Queue[tuple[float, str, str] | None] = queue.Queue()
    refused: list[str] = []
    users = [threading.Thread(target=_use, args=(jobs, refused), daemon=True) for _ in range(USERS)]
    for user in users:
        user.start()

    def send(url: str, ids: Sequence[str], rate: float) -> float:
        began = time.monotonic()
        for number, task_id in enumerate(ids):
            jobs.put((began + number / rate if rate else began, url, task_id))
        jobs.join()
        if refused:
            raise LoadError(f"{len(refused)} of {len(ids)} tasks were refused: {refused[0]}")
        return len(ids) / (time.monotonic() - began)

    try:
        yield send
    finally:
        for _ in users:
            jobs.put(None)


def _use(jobs: "queue.Queue[tuple[float, str, str] | None]", refused: list[str]) -> None:
    connection = functools.cache(HTTPConnection)
    while (job := jobs.get()) is not None:
        due, url, task_id = job
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            refused += _sent(connection(urlsplit(url).netloc), url, task_id)
        except OSError as error:
            refused.append(str(error))
        finally:
            jobs.task_done()


def _sent(connection: HTTPConnection, url: str, task_id: str) -> list[str]:
    """Why a task was refused, if it was."""
    payload = {"n": 1, "product": "chair", "price": 188.63, "tags": ["gift", "return"], "note": "x" * 160}
    headers = {"Content-Type": "application/json", "X-Request-Id": task_id}
    connection.request("POST", urlsplit(url).path, json.dumps({"taskId": task_id, "payload": payload}), headers)
    with connection.getresponse() as answer:
        text = answer.read().decode(errors="replace")
    return [] if answer.status == ACCEPTED else [f"{answer.status} {text}"]


def _drain(running: Running) -> None:
    sqs, name = running.target.client("sqs"), running.target.topology.work.queue.name
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def probe() -> tuple[bool, Any]:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        left = [int(value) for name, value in found.items() if name.startswith("ApproximateNumberOfMessages")]
        return not any(left), left

    wait_for("an empty queue", probe, deadline_s=120, interval_s=0.2)


def measure(patch: str, *, emulators: int, rounds: int, tasks: int, rate: float) -> dict[str, list[Cost]]:
    """By emulator, with and without the patch, one cost a round; a first round warms up and is left out."""
    STATE.mkdir(parents=True, exist_ok=True)
    scenario = from_dict({"name": "recorder-cost", "faults": {"mode": "none"}}, source="benchmarks")
    own = {settings.PROCESSOR: processors.choose()}
    patches = {WITH: ALL, WITHOUT: tuple(name for name in ALL if name != patch)}
    names = [f"{kind} {number}" for number in range(1, emulators // 2 + 1) for kind in patches]
    found: dict[str, list[Cost]] = {name: [] for name in names}
    ids = (f"t-cost-{number:08}" for number in itertools.count())
    with ExitStack() as stack:
        up = {
            name: stack.enter_context(
                systems.localstack(name.replace(" ", "-"), scenario, patches=patches[name.split()[0]], extra=own)
            )
            for name in names
        }
        send = stack.enter_context(load())
        for number in range(rounds + 1):
            for name in order(names, number):
                running, began_s = up[name], processor_s(up[name].pid)
                rate_per_s = send(f"{running.url}/tasks", list(itertools.islice(ids, tasks)), rate)
                _drain(running)
                time.sleep(BEHIND_MAX_S)  # what is recorded is written by then; the same for all
                one = Cost(1000 * (processor_s(running.pid) - began_s) / tasks, rate_per_s)
                if number:
                    found[name].append(one)
            if number:
                print(
                    f"round {number}: " + ", ".join(f"{name} {found[name][-1].ms:.3f} ms" for name in names), flush=True
                )
    return found


def summary(patch: str, found: Mapping[str, Sequence[Cost]]) -> list[str]:
    """Lines: each emulator, then what the patch adds."""
    lines = [
        f"{f'{name} {patch}':<24}{_spread([one.ms for one in costs])} ms a task, "
        f"{_spread([one.rate_per_s for one in costs])} tasks/s"
        for name, costs in found.items()
    ]
    sides = [
        list(zip(*(costs for name, costs in found.items() if name.split()[0] == kind), strict=True))
        for kind in (WITH, WITHOUT)
    ]
    pairs = [(_mean(a), _mean(b)) for a, b in zip(*sides, strict=True)]
    added, ratio = _known([a.ms - b.ms for a, b in pairs]), _known([a.ms / b.ms for a, b in pairs])
    rates, sure = _known([a.rate_per_s / b.rate_per_s for a, b in pairs]), f"({100 * CONFIDENCE:g} %, n = {len(pairs)})"
    return [
        *lines,
        f"{'it adds':<24}{added} ms a task, ratio {ratio} {sure}",
        f"{'tasks a second, ratio':<24}{rates} {sure}",
    ]


def _mean(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.mean(one.ms for one in costs), statistics.mean(one.rate_per_s for one in costs))


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
    parser.add_argument("--patch", choices=ALL, default=RECORDER, metavar="NAME", help="which is off in half of them")
    parser.add_argument("--emulators", type=int, default=8, choices=(2, 4, 6, 8), help="half of them with the patch")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--tasks", type=int, default=300, help="in each round, for each emulator")
    parser.add_argument("--rate", type=float, default=0.0, help="tasks a second; 0 is as fast as the users can")
    parser.add_argument("--json", type=Path, default=STATE / "recorder_cost.json", help="where the numbers go")
    options = parser.parse_args()
    found = measure(
        options.patch, emulators=options.emulators, rounds=options.rounds, tasks=options.tasks, rate=options.rate
    )
    print(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    print("\n".join(summary(options.patch, found)))
    write_json(options.json, {name: [dataclasses.asdict(one) for one in costs] for name, costs in found.items()})
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
