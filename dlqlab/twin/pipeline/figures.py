"""The figures of a load: counted alike from a run's record and from a simulation."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dlqlab.analysis.flow import counted
from dlqlab.analysis.life_parts import Stay
from dlqlab.contracts.recorded import ActorKind, Kind, Outcome
from dlqlab.twin.pipeline.calibrate import Calibrated
from dlqlab.twin.pipeline.chains import Place, place_of
from dlqlab.twin.pipeline.model import Pipeline
from dlqlab.twin.pipeline.outcome import Outcome as Simulated


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. A simulation of the run as it was may be off by ``tolerance`` of the measured value, or by ``floor``.

    Where a figure that is ``basic`` is off by more, none of the others can be believed.
    """

    title: str
    unit: str = ""
    tolerance: float = 0.1
    floor: float = 0.0
    is_basic: bool = False


FIGURES: Final[Mapping[str, Figure]] = {
    "entered": Figure(title="messages that enter", tolerance=0.0, is_basic=True),
    "deliveries": Figure(title="deliveries per message", tolerance=0.05, floor=0.01, is_basic=True),
    "dead_letters": Figure(title="dead letters", floor=2.0, is_basic=True),
    "end_s_p50": Figure(title="entry to end, p50", unit="s", tolerance=0.2, floor=0.02),
    "end_s_p95": Figure(title="entry to end, p95", unit="s", tolerance=0.2, floor=0.05),
    "end_s_p99": Figure(title="entry to end, p99", unit="s", tolerance=0.2, floor=0.1),
    "backlog_max": Figure(title="most messages waiting", tolerance=0.25, floor=5.0),
    "oldest_s": Figure(title="oldest message", unit="s", tolerance=0.2, floor=0.2),
    "drain_s": Figure(title="last entry to empty", unit="s", tolerance=0.2, floor=0.5),
    "invocations": Figure(title="invocations", tolerance=0.1, floor=3.0),
    "throttled": Figure(title="throttled batches", tolerance=0.25, floor=2.0),
}


def simulated(pipeline: Pipeline, out: Simulated) -> dict[str, float]:
    """Of a simulation; NaN for what no message tells."""
    letters = pipeline.dead_letter_queues
    work = [counts for name, counts in out.queues.items() if name not in letters]
    whole = zip(out.entered_s, out.ended_s, out.open, strict=True)
    took_s = [ended_s - entered_s for entered_s, ended_s, left in whole if not left and not math.isnan(ended_s)]
    ended_s = max((one for one in out.ended_s if not math.isnan(one)), default=math.nan)
    return {
        "entered": float(len(out.entered_s)),
        "deliveries": _ratio(sum(one.receives for one in work), sum(one.entered for one in work)),
        "dead_letters": float(sum(out.queues[name].entered for name in letters)),
        **_times(took_s),
        "backlog_max": float(out.backlog_max),
        "oldest_s": max((one.oldest_s for one in work), default=0.0),
        "drain_s": max(0.0, ended_s - max(out.entered_s, default=math.nan)),
        "invocations": float(sum(one.invocations for one in out.functions.values())),
        "throttled": float(sum(one.throttled for one in out.functions.values())),
    }


def measured(found: Calibrated) -> dict[str, float]:
    """Of the run, in the queues that are simulated; NaN for what the record cannot tell."""
    pipeline, letters = found.pipeline, found.pipeline.dead_letter_queues
    known = [stay for stay in found.flow.stays if stay.queue in pipeline.queues and stay.sent_ts is not None]
    work = [stay for stay in known if stay.queue not in letters]
    receives = [one for stay in work for one in counted(stay.deliveries) if one.actor_kind == ActorKind.MAPPING]
    entered = [stay.sent_ts for stay in found.chains.roots if stay.sent_ts is not None]
    left = [stay.left_ts for stay in work if stay.left_ts is not None]
    rows = [row for row in found.flow.invocations if row["function"] in pipeline.functions]
    throttled = sum(row["outcome"] == Outcome.THROTTLED for row in rows)
    ran = sum(row["outcome"] not in {Outcome.THROTTLED, Outcome.INIT_ERROR} for row in rows)
    return {
        "entered": float(len(entered)),
        "deliveries": _ratio(len(receives), len(work)),
        "dead_letters": float(len(known) - len(work)),
        **_times(_whole(found, work)),
        "backlog_max": float(_backlog_max(work)),
        "oldest_s": max((stay.left_ts - (stay.sent_ts or 0.0) for stay in work if stay.left_ts), default=0.0),
        "drain_s": max(0.0, max(left, default=math.nan) - max(entered, default=math.nan)),
        "invocations": float(ran),
        "throttled": float(throttled),
    }


def _whole(found: Calibrated, work: Sequence[Stay]) -> list[float]:
    """From the entry of each chain to its end; without those of which something is still there, and empty where the
    record does not tell chains apart.
    """
    if found.chains.unsure:
        return []
    spans: dict[Place, tuple[float, float]] = {}
    for stay in work:
        first = found.chains.first[place_of(stay)]
        if first is not None:
            entered_ts, ended_ts = spans.get(first, (stay.sent_ts or 0.0, 0.0))
            left_ts = math.inf if stay.left_ts is None else stay.left_ts
            spans[first] = min(entered_ts, stay.sent_ts or 0.0), max(ended_ts, left_ts)
    return [ended_ts - entered_ts for entered_ts, ended_ts in spans.values() if ended_ts < math.inf]


def _backlog_max(work: Sequence[Stay]) -> int:
    """Most messages that could be received at one moment; one that is received at once never waits."""
    steps: list[tuple[float, int]] = []
    for stay in work:
        since: float | None = (stay.sent_ts or 0.0) + stay.delay_s
        for delivery in stay.deliveries:
            if since is not None:
                steps += [(since, 1), (max(since, delivery.received_ts), -1)]
            since = delivery.ended_ts if delivery.ended == Kind.RETURNED else None
        if since is not None and stay.left_ts is not None:
            steps += [(since, 1), (max(since, stay.left_ts), -1)]
    waiting = most = 0
    for _, step in sorted(steps):
        waiting += step
        most = max(most, waiting)
    return most


def _times(took_s: Sequence[float]) -> dict[str, float]:
    names = {"end_s_p50": 0.5, "end_s_p95": 0.95, "end_s_p99": 0.99}
    if not took_s:
        return dict.fromkeys(names, math.nan)
    return {name: float(np.quantile(took_s, q)) for name, q in names.items()}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
