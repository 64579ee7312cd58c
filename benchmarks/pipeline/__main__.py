"""Throughput, latency and cost a task of three emulators with the same app, in interleaved rounds.

    python -m benchmarks.pipeline [--quick] [--system NAME ...] [--rounds N] [--seconds S] [--users N]

Systems: ``stock`` (LocalStack as it comes), ``ours`` (as dlqlab runs it), ``ministack``. In each round each
system is started anew, gets the app, is warmed up, serves one user alone, then 8 users as fast as they can, and is
stopped. No task fails: with failures, retries that wait for their backoff would look like a backlog.
"""

import argparse
import itertools
import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.pipeline.measure import Round, measure
from benchmarks.pipeline.ministack import VERSION, ministack, usable
from benchmarks.pipeline.summary import NOTES, goal_lines, goals, table, to_json
from benchmarks.pipeline.systems import STATE, Running, ours, stock
from dlqlab.contracts.manifest import Provenance
from dlqlab.contracts.rundir import write_json
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.emulator.pins import localstack_version
from dlqlab.errors import DlqlabError
from dlqlab.waiting import DeadlinePassedError

SYSTEMS: dict[str, Callable[[Scenario], AbstractContextManager[Running]]] = {
    "stock": stock,
    "ours": ours,
    "ministack": ministack,
}
TASKS_MAX = 100_000
BUSY_PCT = 20
"""Processor share of other programs above which the numbers carry a warning."""


def main() -> None:
    options = _options()
    scenario = _scenario(options.users, options.seconds)
    chosen = [name for name in SYSTEMS if name in (options.system or SYSTEMS)]
    if "ministack" in chosen and (reason := usable()):
        print(f"ministack is left out: {reason}", file=sys.stderr)
        chosen.remove("ministack")
    busy_pct = psutil.cpu_percent(interval=1.0)
    began = time.time()
    rounds: list[Round] = []
    failures: list[str] = []
    for number, name in itertools.product(range(1, options.rounds + 1), chosen):
        try:
            rounds.append(_one(name, scenario, lone_s=options.lone_seconds))
            line = _line(number, rounds[-1])
        except (DlqlabError, DeadlinePassedError) as error:  # what the other rounds have found shall not be lost
            line = f"round {number} {name:<10} FAILED: {error}"
            failures.append(line)
        print(line, file=sys.stderr, flush=True)
    made_by = Provenance.now()
    about = {
        "started_ts": began,
        "duration_s": round(time.time() - began, 1),
        "cores": os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
        "busy_pct_before": busy_pct,
        "failures": failures,
        "users": options.users,
        "seconds": options.seconds,
        "versions": {**made_by.versions, "localstack": localstack_version(), "ministack": VERSION},
        "git": {"sha": made_by.git.sha, "dirty": made_by.git.dirty},
    }
    write_json(options.json, to_json(rounds, about))
    _print(rounds, about, options.json)
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


def _one(name: str, scenario: Scenario, *, lone_s: float) -> Round:
    STATE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=STATE) as folder, SYSTEMS[name](scenario) as running:
        return measure(running, scenario, lone_s=lone_s, folder=Path(folder))


def _scenario(users: int, seconds: float) -> Scenario:
    return from_dict(
        {
            "name": "benchmark",
            "seed": 1,
            "load": {"users": users, "rate_per_s": 0, "duration_s": seconds, "tasks": TASKS_MAX},
            "faults": {"mode": "none"},
            "pipeline": {"batch_size": 10},
        },
        source="benchmarks",
    )


def _line(number: int, found: Round) -> str:
    return (
        f"round {number} {found.system:<10} accepted {found.accepted_per_s:6.1f}/s  processed "
        f"{found.processed_per_s:6.1f}/s  open at the end {found.open_at_end:5,}  ready {found.ready_s:5.1f} s"
    )


def _print(rounds: list[Round], about: dict[str, object], path: Path) -> None:
    print(
        f"{about['users']} users, {about['seconds']:g} s a round, {about['cores']} cores, "
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(about['started_ts']))}, {about['duration_s']:.0f} s in all\n"  # type: ignore[arg-type]
    )
    print(table(rounds))
    print()
    print(goal_lines(goals(rounds)))
    print()
    print("\n".join(NOTES))
    if float(str(about["busy_pct_before"])) > BUSY_PCT:
        print(f"WARNING: other programs used {about['busy_pct_before']:.0f} % of this machine before the first round.")
    print(f"JSON: {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round of each: for development")
    parser.add_argument("--system", action="append", choices=SYSTEMS, help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0, help="of load in each round")
    parser.add_argument("--lone-seconds", type=float, default=4.0, help="of load by a single user")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--json", type=Path, default=STATE / "pipeline.json", help="where the numbers go")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.lone_seconds = 1, 6.0, 2.0
    return options


if __name__ == "__main__":
    main()
