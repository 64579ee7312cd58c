"""How old messages were when they left each queue, and from their entry to the end of all that came of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow_tables import ages, has_hops, stays_table, whole_ages
from dlqlab.charts.plot import charted
from dlqlab.charts.style import (
    ACCEPTED,
    COMPLETED,
    EMULATOR,
    FAINT,
    IN_FLIGHT,
    PIPELINE,
    TARGET,
    TEXT,
    Chart,
    chart,
    key,
    no_data,
)
from dlqlab.durations import duration

WHOLE = "from entry to end"
_STYLES = ((ACCEPTED, "-"), (COMPLETED, "--"), (EMULATOR, "-."), (PIPELINE, ":"), (IN_FLIGHT, (0, (8, 2))))
_MARKS = ("——", "– –", "–·–", "·····", "— —")
_LOG_FROM = 50
"""Ages that differ by more than this factor are drawn on a logarithmic axis."""
_LEAST_S = 0.001


def data(facts: Facts) -> dict[str, Any]:
    stays = stays_table(facts.flow)
    left = ages(stays)
    by_queue = {str(queue): some["age_s"] for queue, some in left.groupby("queue", sort=False)}
    whole = {WHOLE: whole_ages(stays)} if has_hops(stays) else {}
    return {"ages_s": {**by_queue, **whole}, "promised_s": facts.flow.promise.completes_within_s}


@charted("Ages at the end", data)
def draw(ages_s: Mapping[str, "pd.Series[float]"], *, promised_s: float | None) -> Chart:
    """The cumulative share of messages by their age when they left, a line for each queue.

    Args:
        ages_s: ages in seconds by queue; ``WHOLE`` is from entry to end over all queues.
        promised_s: within which a message is worked off; None draws none.
    """
    drawn = {name: some.dropna() for name, some in ages_s.items() if some.notna().any()}
    if not drawn:
        return no_data("Ages at the end", "no message left its queue")
    whole = drawn.pop(WHOLE, None)
    shown = dict(sorted(drawn.items(), key=lambda item: -len(item[1]))[: len(_STYLES)])
    shown = {name: shown[name] for name in drawn if name in shown}
    measured = whole if whole is not None else pd.concat(list(drawn.values()))
    subject = "messages with all that came of them were" if whole is not None else "messages were"
    middle, most = (duration(float(measured.quantile(share))) for share in (0.5, 0.95))
    figure, (axes,) = chart(f"Half of the {subject} at their end after {middle}, 95 % after {most}")
    more = len(drawn) - len(shown)
    axes.set_title(
        "share of messages that left within this time" + (f"; {more} more queues are not drawn" if more else "")
    )
    names = []
    for (name, some), (colour, dash), mark in zip(shown.items(), _STYLES, _MARKS, strict=False):
        _line(axes, some, color=colour, linestyle=dash)
        names.append((f"{name}  {mark}  n = {len(some):,}", colour))
    if whole is not None:
        _line(axes, whole, color=TEXT, linewidth=2.6)
        names.append((f"{WHOLE}  n = {len(whole):,}", TEXT))
    if promised_s is not None:
        axes.axvline(promised_s, color=TARGET, linestyle=(0, (5, 3)), linewidth=1.5)
    every = measured.clip(lower=_LEAST_S)
    if float(every.max()) > _LOG_FROM * float(every.quantile(0.1)):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: duration(value))
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_ylabel("share", color=FAINT)
    axes.set_xlabel("time from entering the queue until leaving it")
    key(axes, names, top=0.07 + 0.085 * len(names))
    return figure


def _line(axes: Any, ages_s: "pd.Series[float]", **style: Any) -> None:
    points = np.sort(np.maximum(ages_s.to_numpy(dtype="float64"), _LEAST_S))
    axes.plot(points, np.arange(1, len(points) + 1) / len(points), drawstyle="steps-post", **style)
