"""A broken case is made small by asking, and never asks more than it may."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.torture.shrink import QUESTIONS_MAX, Small, shrink


def test_a_fault_that_any_task_shows_comes_down_to_one() -> None:
    assert shrink(Small(60, (3, 17, 40)), lambda case: bool(case.struck)) == Small(1, (0,))


def test_what_needs_two_struck_tasks_comes_down_to_two() -> None:
    assert shrink(Small(60, (3, 17, 40)), lambda case: len(case.struck) > 1) == Small(2, (0, 1))


def test_mates_that_are_not_struck_are_kept() -> None:
    found = shrink(Small(60, (3, 17)), lambda case: len(case.struck) >= 1 and case.tasks >= 3)

    assert (found.tasks, len(found.struck)) == (3, 1)


def test_a_fault_of_one_certain_task_is_found_among_the_struck() -> None:
    found = shrink(Small(60, (3, 9, 17, 40)), lambda case: 17 in case.struck, questions_max=40)

    assert found == Small(18, (17,))


def test_where_no_smaller_case_shows_it_the_whole_one_stays() -> None:
    whole = Small(60, (3, 9, 17, 40))

    assert shrink(whole, lambda case: case == whole) == whole


@settings(max_examples=60, deadline=None)
@given(
    struck=st.sets(st.integers(0, 59), min_size=1, max_size=20),
    needed=st.sets(st.integers(0, 59), max_size=3),
    questions=st.integers(0, 20),
)
def test_what_is_found_shows_it_and_was_asked_no_more_often_than_allowed(
    struck: set[int], needed: set[int], questions: int
) -> None:
    whole = Small(60, tuple(sorted(struck | needed)))
    asked: list[Small] = []

    def shows(case: Small) -> bool:
        asked.append(case)
        return needed <= set(case.struck)

    found = shrink(whole, shows, questions_max=questions)

    assert needed <= set(found.struck)
    assert len(asked) <= questions
    assert found.tasks > max(found.struck, default=-1)
    assert found.tasks <= whole.tasks


def test_a_row_takes_minutes_not_hours() -> None:
    asked: list[Small] = []

    def never_shows(case: Small) -> bool:
        asked.append(case)
        return False

    shrink(Small(200, tuple(range(0, 200, 2))), never_shows)

    assert len(asked) <= QUESTIONS_MAX
