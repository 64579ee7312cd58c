"""How long messages wait after each failed attempt, against what is promised."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.retry_waits import waits
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, INK, RETRYING, TARGET, Chart, chart, count, no_data, plural
from dlqlab.durations import duration

ROWS_MAX, DOTS_MAX = 12, 2000
_SPREAD = 0.32
"""Of the dots of a row, up and down, in rows."""


def data(facts: Facts) -> dict[str, Any]:
    promise = facts.flow.promise
    rows = [(one.queue, one.failures, one.wait_s, str(one.how)) for one in waits(facts.flow)]
    table = pd.DataFrame(rows, columns=["queue", "failures", "wait_s", "how"])
    numbers = sorted(set(table["failures"].tolist()))
    promised = {number: wait_s for number in numbers if (wait_s := promise.wait_s(number)) is not None}
    return {"waits": table, "promised_s": promised, "tolerance_s": promise.tolerance_s}


@charted("Waits after a failure", data)
def draw(waits: pd.DataFrame, *, promised_s: Mapping[int, float], tolerance_s: float) -> Chart:
    """Every wait after a failed attempt as a dot, a row for each queue and number of failures, with its median.

    Args:
        waits: ``queue``, ``failures`` (attempts that had failed by then), ``wait_s``, ``how``.
        promised_s: the promised wait by number of failures.
        tolerance_s: by how much a wait may differ from it.
    """
    if waits.empty:
        return no_data("Waits after a failure", "no message was tried again after a failed attempt")
    promised = waits["failures"].map(dict(promised_s)).astype("float64")
    waits = waits.assign(is_off=(waits["wait_s"] - promised).abs() > tolerance_s)
    rows = waits[["queue", "failures"]].drop_duplicates().sort_values(["queue", "failures"])
    groups = [(str(queue), int(failures)) for queue, failures in rows.itertuples(index=False)]
    drawn = groups[:ROWS_MAX]
    figure, (axes,) = chart(
        _finding(waits, tolerance_s, is_promised=bool(promised_s)), height_in=1.8 + 0.5 * len(drawn)
    )
    left_out = f"; {len(groups) - len(drawn)} more rows are not drawn" if len(groups) > len(drawn) else ""
    axes.set_title(f"a dot a wait, the brown line their median, dashed what is promised{left_out}")
    labels = []
    random = np.random.default_rng(0)
    for place, (queue, failures) in enumerate(drawn):
        some = waits[(waits["queue"] == queue) & (waits["failures"] == failures)]
        shown = some if len(some) <= DOTS_MAX else some.sample(DOTS_MAX, random_state=0)
        heights = place + random.uniform(-_SPREAD, _SPREAD, len(shown))
        for is_off, colour, alpha in ((False, RETRYING, 0.5), (True, DEAD, 0.9)):
            chosen = (shown["is_off"] == is_off).to_numpy()
            axes.plot(shown["wait_s"][chosen], heights[chosen], "o", color=colour, markersize=5, alpha=alpha)
        median_s = float(some["wait_s"].median())
        axes.plot([median_s] * 2, [place - 0.4, place + 0.4], color=INK[RETRYING], linewidth=3, alpha=0.6, zorder=1.5)
        if failures in promised_s:
            at = [promised_s[failures]] * 2
            axes.plot(at, [place - 0.45, place + 0.45], color=TARGET, linestyle=(0, (3, 2)), linewidth=1.5)
        labels.append(f"{queue}\nfailure {failures}, n = {count(len(some))}")
    axes.set_yticks(range(len(drawn)), labels)
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_xlim(0, max(float(waits["wait_s"].max()), *promised_s.values(), 0.1) * 1.08)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"seconds until it could be received again, by {' or '.join(waits['how'].unique())}")
    return figure


def _finding(waits: pd.DataFrame, tolerance_s: float, *, is_promised: bool) -> str:
    n = plural(len(waits), "wait")
    if not is_promised:
        return f"The median of {n} after a failure is {duration(float(waits['wait_s'].median()))}; none is promised"
    off = int(waits["is_off"].sum())
    allowed = f"by more than {duration(tolerance_s)}"
    return f"{count(off)} of {n} after a failure differ{'s' if off == 1 else ''} from the promise {allowed}"
