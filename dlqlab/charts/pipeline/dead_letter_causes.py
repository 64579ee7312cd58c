"""Dead letters by the queue, function and error behind them."""

from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.message_checks.dead_letters import causes_of
from dlqlab.charts.plot import charted
from dlqlab.charts.style import DEAD, Chart, chart, count, no_data, plural, wrapped

ROWS_MAX = 10


def data(facts: Facts) -> dict[str, Any]:
    flow = facts.flow
    rows = [(one.queue, one.function, one.why, len(ids)) for one, ids in causes_of(flow).items()]
    letters = len(flow.moved_from)
    return {"causes": pd.DataFrame(rows, columns=["queue", "function", "why", "n"]), "letters": letters}


@charted("Dead letters by cause", data)
def draw(causes: pd.DataFrame, *, letters: int) -> Chart:
    """The number of dead letters of each cause, the most frequent first.

    Args:
        causes: ``queue``, ``function``, ``why``, ``n``; no row for those that the record does not explain.
        letters: how many there are in all.
    """
    if not letters:
        return no_data("Dead letters by cause", "no message was moved to a dead-letter queue")
    unexplained = letters - int(causes["n"].sum())
    rest = pd.DataFrame([{"queue": "", "function": "", "why": "not explained by the record", "n": unexplained}])
    every = pd.concat([causes, rest]) if unexplained else causes
    drawn = every.head(ROWS_MAX)
    first = drawn.iloc[0]
    figure, (axes,) = chart(
        f"{count(first['n'])} of {plural(letters, 'dead letter')}: {_short(first['why'])}",
        height_in=1.6 + 0.62 * len(drawn),
    )
    left_out = f"; {len(every) - len(drawn)} more causes are not drawn" if len(every) > len(drawn) else ""
    axes.set_title(f"by queue, function and error{left_out}")
    axes.barh(range(len(drawn)), drawn["n"], color=DEAD, height=0.6)
    for place, value in enumerate(drawn["n"]):
        axes.annotate(count(value), (value, place), xytext=(5, 0), textcoords="offset points", va="center", color=DEAD,
                      fontweight="bold")  # fmt: skip
    columns = zip(drawn["queue"], drawn["function"], drawn["why"], strict=True)
    labels = [
        f"{wrapped(_short(why), 40)}\n{' → '.join(filter(None, (queue, function)))}" for queue, function, why in columns
    ]
    axes.set_yticks(range(len(drawn)), labels)
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, float(drawn["n"].max()) * 1.15)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("dead letters")
    return figure


def _short(text: str, letters: int = 80) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
