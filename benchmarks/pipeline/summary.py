"""Rounds to a table, ratios and JSON. Pure: records in, text out."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.pipeline.measure import Round

_WIDTH = 29


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what it is called, where it is found in a round, how it is written."""

    name: str
    value: Callable[[Round], float | None]
    digits: int = 0


ROWS = (
    Row("accepted tasks/s", lambda found: found.accepted_per_s),
    Row("processed tasks/s", lambda found: found.processed_per_s),
    Row("submission ms, p50", lambda found: found.submit_ms["p50"], 1),
    Row("submission ms, p95", lambda found: found.submit_ms["p95"], 1),
    Row("submission ms, p99", lambda found: found.submit_ms["p99"], 1),
    Row("completion s, p50", lambda found: found.complete_s["p50"], 2),
    Row("completion s, p95", lambda found: found.complete_s["p95"], 2),
    Row("completion s, p99", lambda found: found.complete_s["p99"], 2),
    Row("open tasks at half time", lambda found: found.open_at_half),
    Row("open tasks at the end", lambda found: found.open_at_end),
    Row("queued at the end", lambda found: found.queued_at_end),
    Row("CPU ms a task, emulator", lambda found: found.cpu_ms["emulator"], 2),
    Row("CPU ms a task, functions", lambda found: found.cpu_ms["functions"], 2),
    Row("CPU ms a task, load", lambda found: found.cpu_ms["load"], 2),
    Row("CPU % (100 is a core)", lambda found: found.cpu_pct),
    Row("emulator memory, MB", lambda found: found.rss_mb["emulator"]),
    Row("submission ms, 1 user, p50", lambda found: found.lone_submit_ms, 1),
    Row("ready and deployed, s", lambda found: found.ready_s, 1),
)

NOTES = (
    "median over the rounds (least to most). A time to completion of - means: not within the round.",
    "CPU ms a task: processor time of the round over the tasks accepted in it; work that is still open is not in it.",
    "stock: LocalStack, its own settings, no patch; our process runtime, moto's DynamoDB and our threaded",
    "  server, because it has none without Docker and its own server listens on all interfaces (and is slower).",
    "ministack: functions run in its own Python, the API is made by plain calls, no failing task proves it when ready.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A ratio or a time with its bound; ``met`` is None where it was not measured."""

    name: str
    measured: float | None
    bound: float
    at_least: bool

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def goals(rounds: Sequence[Round]) -> list[Goal]:
    """The goals, by medians over the rounds."""
    processed = {name: _median([found.processed_per_s for found in group]) for name, group in by_system(rounds).items()}
    own = by_system(rounds).get("ours", [])

    def ratio(baseline: str) -> float | None:
        other, mine = processed.get(baseline), processed.get("ours")
        return mine / other if mine is not None and other else None

    return [
        Goal(name="processed, ours / stock", measured=ratio("stock"), bound=10, at_least=True),
        Goal(name="processed, ours / ministack", measured=ratio("ministack"), bound=2, at_least=True),
        Goal(
            name="ours: submission of 1 user, ms, median",
            measured=_median([found.lone_submit_ms for found in own]),
            bound=15,
            at_least=False,
        ),
        Goal(
            name="ours: ready and deployed, s",
            measured=_median([found.ready_s for found in own]),
            bound=8,
            at_least=False,
        ),
        Goal(
            name="ours: open tasks at the end over those at half time",
            measured=_median([found.open_at_end / max(found.open_at_half, 1) for found in own]),
            bound=2,
            at_least=False,
        ),
    ]


def table(rounds: Sequence[Round]) -> str:
    """Systems side by side."""
    groups = by_system(rounds)
    lines = [f"{'':<28}" + "".join(f"{name:>{_WIDTH}}" for name in groups)]
    for row in ROWS:
        cells = (_cell([row.value(found) for found in group], row.digits) for group in groups.values())
        lines.append(f"{row.name:<28}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells))
    return "\n".join(lines)


def goal_lines(found: Sequence[Goal]) -> str:
    words = {True: "met", False: "NOT met", None: "not measured"}
    return "\n".join(
        f"{goal.name:<56}{'-' if goal.measured is None else f'{goal.measured:.1f}':>8}  "
        f"(goal {'>=' if goal.at_least else '<='} {goal.bound:g}: {words[goal.met]})"
        for goal in found
    )


def to_json(rounds: Sequence[Round], about: Mapping[str, object]) -> dict[str, object]:
    """Everything, for later."""
    return {
        **about,
        "rounds": [dataclasses.asdict(found) for found in rounds],
        "goals": [dataclasses.asdict(goal) | {"met": goal.met} for goal in goals(rounds)],
    }


def by_system(rounds: Sequence[Round]) -> dict[str, list[Round]]:
    """Rounds by system, in the order of their first round."""
    groups: dict[str, list[Round]] = {}
    for found in rounds:
        groups.setdefault(found.system, []).append(found)
    return groups


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _cell(values: Sequence[float | None], digits: int) -> str:
    """Median (least to most); a missing value is longer than any."""
    ordered = sorted(math.inf if value is None else value for value in values)
    middle, least, most = (
        f"{value:,.{digits}f}" if math.isfinite(value) else "-"
        for value in (statistics.median_high(ordered), ordered[0], ordered[-1])
    )
    return f"{middle} ({least} to {most})"
