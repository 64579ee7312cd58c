"""Charts of sweeps: their findings, and what they say where there is nothing to draw."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlqlab.charts.objectives import Objective, in_unit
from dlqlab.charts.style import Chart
from dlqlab.charts.sweep import cost, growth, influence, objectives, storm, trade_off

MEASURED = [
    Objective(column="success_share", title="success share", unit="ratio", more_is_better=True),
    Objective(column="completion_s_p95", title="time to completion, p95", unit="s"),
    Objective(column="cost_usd", title="cost on AWS", unit="USD"),
]


def settings(**changes: Any) -> pd.DataFrame:
    """Three settings: the chosen one, another on the front, one that is beaten."""
    return pd.DataFrame(
        {
            "label": ["base_s=1", "base_s=2", "base_s=5"],
            "success_share": [0.99, 0.97, 0.96],
            "completion_s_p95": [12.0, 6.0, 14.0],
            "cost_usd": [1.0, 0.9, 1.2],
            "keeps_up": [True, True, False],
            "front": [True, True, False],
            "chosen": [True, False, False],
        }
        | changes
    )


def seconds(role: str, received: list[int]) -> pd.DataFrame:
    """Seconds of one setting; 10 tasks are accepted in each."""
    t_s = np.arange(len(received), dtype=float)
    return pd.DataFrame(
        {"role": role, "label": "base_s=1", "t_s": t_s, "accepted": 10, "received": received, "storm_begins_s": 1.0}
    )


def test_trade_off_names_what_the_choice_gives() -> None:
    """Share of success and the time within which it comes."""
    chart = trade_off.draw(settings())

    assert "With the chosen setting 99.00 % of tasks succeed, 95 % of them within 12.0 s" == chart.alt


def test_trade_off_without_a_choice_says_so() -> None:
    """The settings are still drawn."""
    chart = trade_off.draw(settings(chosen=[False] * 3))

    assert "None of 3 settings qualifies; 2 are on the Pareto front" == chart.alt


def test_objectives_name_where_the_choice_is_best() -> None:
    """Within 2 % of the best counts as the best."""
    assert "success share" in objectives.draw(settings(), MEASURED).alt
    assert "a compromise" in objectives.draw(settings(success_share=[0.9, 0.99, 0.96]), MEASURED).alt


def test_influence_names_the_setting_that_matters_most() -> None:
    """By how far the means of its values lie apart, as a share of their mean."""
    same = {"success_share": [0.97, 0.98], "cost_usd": [1.0, 1.0]}
    levels = {
        "base_s": pd.DataFrame(same | {"completion_s_p95": [5.0, 20.0]}, index=[1.0, 5.0]),
        "breaker": pd.DataFrame(same | {"completion_s_p95": [9.0, 10.0]}, index=[False, True]),
    }

    assert "base_s matters most: it moves the time to completion, p95 from 5 s to 20 s" == (
        influence.draw(levels, MEASURED).alt
    )


def test_growth_names_both_ends() -> None:
    """From the lowest to the highest rate: time and money."""
    rows = pd.DataFrame(
        {
            "rate_per_s": [10.0, 10.0, 40.0],
            "completion_s_p95": [6.0, 8.0, 30.0],
            "peak_backlog": [1.0, 3.0, 900.0],
            "cost_usd": [0.1, 0.1, 0.3],
            "tasks": [10_000.0, 10_000.0, 40_000.0],
        }
    )

    assert "From 10 to 40 tasks/s: p95 from 7.00 s to 30.0 s, a million tasks from 10.00 to 7.50 USD" == (
        growth.draw(rows, label="base_s=1").alt
    )


def test_storm_names_the_peaks() -> None:
    """Of both settings that are shown."""
    both = pd.concat([seconds("highest storm", [10, 80, 10]), seconds("chosen", [10, 25, 10])])
    chart = storm.draw(both, outage=(0.0, 1.0), chosen="chosen")

    assert "in a second: 80 (highest storm), 25 (chosen); at most 10 tasks are accepted in one" in chart.alt


def test_cost_names_total_and_largest_part() -> None:
    """For a million tasks, whatever the load was."""
    chart = cost.draw({"SQS": 0.02, "DynamoDB": 0.06}, tasks=10_000, label="base_s=1")

    assert "A million tasks cost 8.00 USD on AWS, 75 % of it for DynamoDB" == chart.alt


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (trade_off.draw(settings(completion_s_p95=[np.nan] * 3)), "no task completed under any setting"),
        (objectives.draw(settings().head(0), MEASURED), "no setting keeps up with the load"),
        (influence.draw({}, MEASURED), "nothing was varied"),
        (growth.draw(pd.DataFrame(), label=""), "the chosen setting was not tried at other rates"),
        (storm.draw(seconds("chosen", []), outage=None, chosen="chosen"), "no seconds were kept"),
        (cost.draw({}, tasks=0, label=""), "no setting was chosen"),
    ],
)
def test_chart_without_data_says_why(chart: Chart, reason: str) -> None:
    """The place of the chart is not left empty."""
    assert chart.alt.endswith(f"no data: {reason}")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.975, "ratio", "97.5 %"), (1_234.0, "", "1,234"), (0.144, "USD", "0.144 USD"), (1_500.0, "1/s", "1,500 1/s")],
)
def test_ticks_carry_their_unit(value: float, unit: str, text: str) -> None:
    """A short number with its unit."""
    assert text == in_unit(value, unit)
