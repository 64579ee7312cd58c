"""What a part of the emulator brings: a flood with all of them, and with one at a time left out.

    python -m benchmarks.ablation [NAME ...] [--rounds N] [--seconds S] [--json PATH]

NAME is a patch, or ``processor`` for the processor that the emulator keeps to; without names, the parts that a flood
feels most. Each round starts an emulator for each, in another order, warms it up and floods it with 8 users. Printed
are accepted tasks a second, median with least and most, and the median of the ratios to ``all`` round by round.
"""

import argparse
import dataclasses
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pipeline import systems
from benchmarks.pipeline.systems import RUN_ID, STATE
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.emulator import settings
from dlqlab.emulator.core import processors
from dlqlab.emulator.patches import ALL
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import start_load

BASELINE = "all"
PROCESSOR = "processor"
FELT = (
    PROCESSOR,
    "dynamodb_shortcut",
    "sqs_shortcut",
    "rest_api_shortcut",
    "header_lookup",
    "shared_timers",
    "ids_without_system_calls",
)


def flood(left_out: str, scenario: Scenario) -> float:
    """Accepted tasks a second with one part left out."""
    patches = tuple(name for name in ALL if name != left_out)
    extra = {settings.PROCESSOR: processors.NONE} if left_out == PROCESSOR else {}
    with (
        TemporaryDirectory(dir=STATE) as folder,
        systems.localstack(left_out, scenario, patches=patches, extra=extra) as running,
    ):
        result = start_load(scenario, url=running.url, run=RunDir(Path(folder)), run_id=RUN_ID)
        rows = read_ledger(RunDir(Path(folder)).ledger_parts).rows
    return int((rows["outcome"] == "acknowledged").sum()) / (result.ended_ts - result.started_ts)


def measure(names: Sequence[str], *, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Accepted tasks a second by what is left out, one number a round."""
    STATE.mkdir(parents=True, exist_ok=True)
    kinds = [BASELINE, *names]
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    load = {"users": 8, "rate_per_s": 0, "duration_s": seconds, "tasks": 100_000}
    scenario = from_dict({"name": "ablation", "load": load, "faults": {"mode": "none"}}, source="benchmarks")
    for number in range(rounds):
        for kind in random.Random(number).sample(kinds, len(kinds)):  # noqa: S311  (an order, no secret)
            found[kind].append(flood(kind, dataclasses.replace(scenario, seed=number + 1)))
            print(f"round {number + 1} {kind:<20}{found[kind][-1]:8.1f}/s", flush=True)
    return found


def summary(found: dict[str, list[float]]) -> list[str]:
    """A line for each: median, least, most, and the ratio to all."""
    lines = [f"{'left out':<20}{'accepted tasks/s':>24}{'ratio':>8}"]
    for kind, rates in found.items():
        ratio = statistics.median(one / whole for one, whole in zip(rates, found[BASELINE], strict=True))
        spread = f"{statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})"
        lines.append(f"{'nothing' if kind == BASELINE else kind:<20}{spread:>24}{ratio:8.2f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{PROCESSOR} or one of {', '.join(ALL)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of load in each round")
    parser.add_argument("--json", type=Path, default=STATE / "ablation.json", help="where the numbers go")
    options = parser.parse_args()
    if unknown := set(options.names) - {PROCESSOR, *ALL}:
        parser.error(f"no part is called {', '.join(sorted(unknown))}: give {PROCESSOR} or one of {', '.join(ALL)}")
    found = measure(options.names or FELT, rounds=options.rounds, seconds=options.seconds)
    print(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    print("\n".join(summary(found)))
    write_json(options.json, found)
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
