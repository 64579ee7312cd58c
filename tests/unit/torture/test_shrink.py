"""A broken case is made small by asking, and never asks more than it may."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.torture.shrink import QUESTIONS_MAX, Case, shrink

ALL = tuple(range(60))


def case(tasks: Iterable[int], struck: Iterable[int], faults: Iterable[int] = (0,)) -> Case:
    return Case(tuple(tasks), tuple((task, fault) for task in struck for fault in faults))


WHOLE = case(ALL, (3, 9, 17, 40))


def test_a_fault_that_any_task_shows_comes_down_to_one_that_was_struck() -> None:
    assert shrink(WHOLE, lambda one: bool(one.struck)) == case((3,), (3,))


def test_a_task_that_something_happened_to_is_tried_first() -> None:
    assert shrink(WHOLE, lambda one: 17 in one.struck, suspects=(17,), questions_max=1) == case((17,), (17,))


def test_what_needs_two_struck_tasks_comes_down_to_two() -> None:
    assert shrink(WHOLE, lambda one: len(one.struck) > 1) == case((3, 9), (3, 9))


def test_a_mate_that_is_not_struck_is_kept() -> None:
    """As in a FIFO group: one fails, and a later one that nothing struck is done before it."""

    def shows(one: Case) -> bool:
        return 9 in one.struck and 12 in one.tasks and 12 not in one.struck

    assert shrink(WHOLE, shows, suspects=(12,)) == case((9, 12), (9,))


def test_a_mate_of_whom_nothing_is_known_is_found_by_bisection() -> None:
    found = shrink(WHOLE, lambda one: 40 in one.struck and 31 in one.tasks, questions_max=40)

    assert found == case((31, 40), (40,))


def test_a_fault_of_one_certain_task_is_found_among_the_struck() -> None:
    assert shrink(WHOLE, lambda one: 17 in one.struck) == case((17,), (17,))


def test_of_a_rows_strikes_those_are_kept_that_it_takes() -> None:
    """One fault at a task may hide what another one at it shows."""
    whole = Case(ALL, ((3, 0), (3, 1), (9, 1)))

    def shows(one: Case) -> bool:
        return any((task, 1) in one.strikes and (task, 0) not in one.strikes for task in one.tasks)

    assert shrink(whole, shows) == Case((9,), ((9, 1),))
    assert shrink(whole, lambda one: {(3, 1), (9, 1)} <= set(one.strikes)) == Case((3, 9), ((3, 1), (9, 1)))


@pytest.mark.parametrize("suspects", [(), (3, 5)])
def test_where_no_smaller_case_shows_it_the_whole_one_stays(suspects: tuple[int, ...]) -> None:
    assert shrink(WHOLE, lambda one: one == WHOLE, suspects=suspects) == WHOLE


@settings(max_examples=80, deadline=None)
@given(
    struck=st.sets(st.integers(0, 59), max_size=20),
    needed=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    mates=st.sets(st.integers(0, 59), max_size=2),
    suspects=st.lists(st.integers(0, 59), max_size=5),
    questions=st.integers(0, 20),
)
def test_what_is_found_shows_it_and_was_asked_no_more_often_than_allowed(
    struck: set[int], needed: set[int], mates: set[int], suspects: list[int], questions: int
) -> None:
    whole = case(ALL, sorted(struck | needed), (0, 1))
    asked: list[Case] = []
    needs = _needs(needed, mates)

    def shows(one: Case) -> bool:
        asked.append(one)
        return needs(one)

    found = shrink(whole, shows, suspects=suspects, questions_max=questions)

    assert needs(found)
    assert len(asked) == len(set(asked)) <= questions
    for one in (*asked, found):
        assert set(one.struck) <= set(one.tasks) <= set(ALL)
        assert set(one.strikes) <= set(whole.strikes)
        assert one.strikes


@settings(max_examples=60, deadline=None)
@given(
    struck=st.sets(st.integers(0, 59), min_size=1, max_size=12),
    needed=st.sets(st.integers(0, 59), min_size=1, max_size=2),
    mates=st.sets(st.integers(0, 59), max_size=2),
)
def test_with_time_enough_nothing_is_left_that_it_does_not_take(
    struck: set[int], needed: set[int], mates: set[int]
) -> None:
    found = shrink(case(ALL, sorted(struck | needed)), _needs(needed, mates), questions_max=10_000)

    assert (set(found.tasks), set(found.struck)) == (needed | mates, needed)


def _needs(struck: set[int], mates: set[int]) -> Callable[[Case], bool]:
    return lambda one: struck <= set(one.struck) and mates <= set(one.tasks)


def test_a_row_takes_minutes_not_hours() -> None:
    asked: list[Case] = []

    def never_shows(one: Case) -> bool:
        asked.append(one)
        return False

    shrink(case(range(200), range(0, 200, 2)), never_shows)

    assert len(asked) <= QUESTIONS_MAX
