"""The Pareto front holds what nothing beats, and the choice follows the rule that it states."""

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.tune.measures import OBJECTIVES
from dlqlab.tune.pareto import choose, pareto

PLAIN = {
    "success_share": 0.97,
    "dead_letters": 30.0,
    "completion_s_p95": 10.0,
    "wasted_invocations": 100.0,
    "storm_per_s": 50.0,
    "cost_usd": 1.0,
    "backlog_end_s": 0.1,
}


def table(*changes: dict[str, Any]) -> pd.DataFrame:
    """One row for each setting: the plain one with these measures in place."""
    return pd.DataFrame([PLAIN | change for change in changes])


def front(*changes: dict[str, Any]) -> list[int]:
    """The rows on the front."""
    found = table(*changes)
    return [int(row) for row in found.index[pareto(found)]]


def test_beaten_setting_is_not_on_the_front() -> None:
    """Dearer and otherwise the same is beaten."""
    assert [0] == front({}, {"cost_usd": 2.0})


def test_more_success_is_better_and_less_of_the_rest() -> None:
    """A setting that succeeds more often stays although it is dearer; one that fails more and is dearer goes."""
    assert [0, 1] == front({}, {"success_share": 0.98, "cost_usd": 2.0}, {"success_share": 0.96, "cost_usd": 2.0})


def test_equal_settings_are_both_on_the_front() -> None:
    """Neither beats the other."""
    assert [0, 1] == front({}, {})


def test_setting_without_a_number_is_beaten() -> None:
    """Nothing completed, so there is no time to completion: such a setting is not an answer."""
    assert [1] == front({"completion_s_p95": math.nan, "cost_usd": 0.1}, {})


VALUES = st.lists(st.integers(0, 3), min_size=len(OBJECTIVES), max_size=len(OBJECTIVES))


@given(st.lists(VALUES, min_size=1, max_size=12))
def test_front_is_what_no_row_beats(rows: list[list[int]]) -> None:
    """By the definition, pair by pair: on the front are the rows that no other beats, and there is at least one."""
    found = pd.DataFrame(rows, columns=list(OBJECTIVES), dtype=float)
    losses = [[-row[0], *row[1:]] for row in rows]
    unbeaten = [
        not any(all(o <= m for o, m in zip(other, mine, strict=True)) and other != mine for other in losses)
        for mine in losses
    ]

    assert unbeaten == list(pareto(found))
    assert any(unbeaten)


def test_choice_is_the_best_where_there_is_one() -> None:
    """A setting that beats all others is chosen, whatever the weights."""
    choice = choose(table({"cost_usd": 2.0}, {"cost_usd": 0.5, "storm_per_s": 10.0}, {"success_share": 0.9}))

    assert choice
    assert (1, 3, 1, 1) == (choice.row, choice.candidates, choice.front, choice.kept)


def test_success_comes_first() -> None:
    """A setting that loses a point of success is not considered, however cheap and quick it is."""
    quick = {"success_share": 0.96, "cost_usd": 0.1, "completion_s_p95": 1.0, "dead_letters": 40.0}
    choice = choose(table({}, quick))

    assert choice
    assert (0, 2, 1) == (choice.row, choice.front, choice.kept)


def test_success_within_the_threshold_is_weighed_with_the_rest() -> None:
    """Half a point less success is as good, so that the quicker one is chosen; with a stricter threshold it is not."""
    rows = table({}, {"success_share": 0.9655, "dead_letters": 34.5, "completion_s_p95": 2.0, "storm_per_s": 20.0})
    loose, strict = choose(rows), choose(rows, success_within=0.001)

    assert loose
    assert strict
    assert (1, 0) == (loose.row, strict.row)


def test_success_counts_within_its_threshold() -> None:
    """Nearly the whole tolerance of success is not given up for a hundredth of the invocations."""
    rows = table(
        {"success_share": 0.9954, "dead_letters": 55.0, "wasted_invocations": 1_585.0},
        {"success_share": 0.9999, "dead_letters": 1.0, "wasted_invocations": 1_624.0},
    )
    choice = choose(rows)

    assert choice
    assert (1, 2) == (choice.row, choice.kept)


def test_compromise_is_preferred_to_extremes() -> None:
    """Of three settings that trade time for storms, the one near the best in both is chosen."""
    rows = table(
        {"completion_s_p95": 1.0, "storm_per_s": 100.0},
        {"completion_s_p95": 2.0, "storm_per_s": 15.0},
        {"completion_s_p95": 30.0, "storm_per_s": 10.0},
    )
    choice = choose(rows)

    assert choice
    assert 1 == choice.row
    assert "time to completion, p95 2 s (1 to 30)" in choice.reasons[-1]
    assert "cost on AWS 1 USD;" not in choice.reasons[-1]


def test_small_differences_hardly_count() -> None:
    """A hundredth less money does not make good a storm twice as high."""
    choice = choose(table({"cost_usd": 0.99, "storm_per_s": 100.0}, {"cost_usd": 1.0, "storm_per_s": 50.0}))

    assert choice
    assert 1 == choice.row


def test_settings_that_are_as_near_are_told_apart() -> None:
    """Each best in one of two objectives by as much: the cheaper."""
    choice = choose(table({"cost_usd": 2.0, "storm_per_s": 1.0}, {"cost_usd": 1.0, "storm_per_s": 2.0}))

    assert choice
    assert 1 == choice.row


def test_setting_that_does_not_keep_up_is_never_chosen() -> None:
    """It has no storm, because it cannot: at the end of the load ten seconds of arrivals wait."""
    rows = table({"backlog_end_s": 10.0, "storm_per_s": 1.0, "cost_usd": 0.5}, {})
    choice = choose(rows)

    assert choice
    assert (1, 2, 1) == (choice.row, choice.candidates, choice.front)
    assert choose(rows.head(1)) is None


def test_limit_of_time_is_kept() -> None:
    """Settings over the limit are no candidates for the front; where none keeps it there is no choice."""
    rows = table({"completion_s_p95": 5.0, "cost_usd": 9.0}, {})
    limited = choose(rows, max_p95_s=6)

    assert limited
    assert 0 == limited.row
    assert "1 of these have a p95 of the time to completion of 6 s or less." == limited.reasons[1]
    assert choose(rows, max_p95_s=1) is None


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_choice_does_not_depend_on_the_order(order: list[int]) -> None:
    """The same setting is chosen in whatever order they stand: a third of the storm for a fifth more money."""
    rows = [{"cost_usd": 1.0, "storm_per_s": 9.0}, {"cost_usd": 1.2, "storm_per_s": 3.0}, {"cost_usd": 3.0}]
    found = table(*(rows[place] for place in order))
    choice = choose(found)

    assert choice
    assert 1.2 == found.loc[choice.row, "cost_usd"]
