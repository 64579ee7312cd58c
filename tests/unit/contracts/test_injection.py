"""Faults from outside: a plan that makes sense, and draws that depend on nothing but what they are about."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.injection import (
    FAILURES,
    KINDS,
    Case,
    Fault,
    Kind,
    Place,
    Plan,
    draw,
    given_key,
    matches,
    strikes,
    struck,
)

HALF = Fault(kind=Kind.ERROR, rate=0.5)
CASES = st.builds(Case, key=st.text(min_size=1, max_size=12), receive_count=st.integers(1, 20), nth=st.integers(0, 5))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_place_and_a_name(kind: Kind) -> None:
    """And can be planned with nothing but its kind."""
    (fault,) = Plan(faults=(Fault(kind=kind),)).faults

    assert kind in KINDS
    assert (kind.value, KINDS[kind].delay_s) == (fault.name, fault.seconds)
    assert fault in Plan(faults=(fault,)).at(fault.place)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rate": 1.5}, "faults[0].rate is 1.5: give a ratio of 0 to 1"),
        ({"name": "A b"}, "faults[0].name is 'A b': give small letters, digits and hyphens"),
        ({"receives": (0,)}, "faults[0].receives holds 0: give whole numbers from 1"),
        ({"from_s": 5.0, "until_s": 5.0}, "faults[0].until_s is 5: give more than from_s, 5"),
        ({"queue": "orders"}, "faults[0].queue is 'orders': error does not go by it; it goes by"),
        ({"kind": Kind.LATE, "function": "worker"}, "faults[0].function is 'worker': late does not go by it"),
        ({"kind": Kind.CALL_SLOW, "operation": "PutItem"}, "give it as 'dynamodb:PutItem' or 'sqs:*'"),
        ({"delay_s": 1.0}, "faults[0].delay_s is 1.0: error does not go by it"),
        ({"kind": Kind.OUTAGE, "rate": 0.5}, "rate is 0.5: outage does not go by it; it goes by after_queue, delay_s,"),
        ({"kind": Kind.OUTAGE, "until_s": 9.0}, "faults[0].until_s is 9.0: outage does not go by it"),
        ({"kind": Kind.OUTAGE, "delay_s": 901.0}, "faults[0].delay_s is 901.0: give "),
        ({"status": 500}, "faults[0].status is 500: error does not go by it"),
    ],
)
def test_fault_that_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    """By the field, its value and what to give."""
    with pytest.raises(ValueError, match=re.escape(said)):
        Plan(faults=(Fault(**{"kind": Kind.ERROR, **fields}),))


@given(CASES, st.integers(1, 5), st.integers(0, 3))
def test_one_draw_for_a_whole_task_strikes_all_its_receives_and_calls_or_none(
    case: Case, receive: int, nth: int
) -> None:
    fault = Fault(kind=Kind.ERROR, rate=0.5, whole_task=True)

    assert strikes(fault, case, 3) is strikes(fault, replace(case, receive_count=receive, nth=nth), 3)


@pytest.mark.parametrize("tasks", [(-1,), (3, 3)])
def test_numbers_of_tasks_are_whole_and_each_once(tasks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"tasks holds {tasks[0]}: give whole numbers from 0, each once"):
        Plan(faults=(Fault(kind=Kind.ERROR),), tasks=tasks)


def test_two_faults_of_one_name_are_refused() -> None:
    """Their draws would be the same."""
    with pytest.raises(ValueError, match=re.escape("faults[1].name is 'error', as another's")):
        Plan(faults=(HALF, Fault(kind=Kind.ERROR)))


@given(cases=st.lists(CASES, max_size=20), seed=st.integers(0, 100))
def test_draws_do_not_depend_on_the_order_of_events(cases: list[Case], seed: int) -> None:
    """Neither on what else happens."""
    forward = {case: strikes(HALF, case, seed) for case in cases}
    backward = {case: strikes(HALF, case, seed) for case in reversed(cases)}

    assert forward == backward
    assert all(struck([HALF], case, seed) == (HALF if hit else None) for case, hit in forward.items())


@given(case=CASES, seed=st.integers(0, 100), attempts=st.integers(1, 5))
def test_attempts_at_one_call_share_their_draw(case: Case, seed: int, attempts: int) -> None:
    """A client that tries again meets the same fault, unless only its first attempts are struck."""
    again = Case(key=case.key, receive_count=case.receive_count, nth=case.nth, attempt=attempts + 1)
    only_first = Fault(kind=Kind.CALL_RESET, attempts=attempts)

    assert draw(HALF, case, seed) == draw(HALF, again, seed)
    assert strikes(only_first, case, seed)
    assert not strikes(only_first, again, seed)


def test_rate_is_the_share_that_is_struck() -> None:
    """Over many tasks; each seed strikes others."""
    cases = [Case(key=f"t-1-{number:08d}") for number in range(4_000)]
    hits = {
        seed: {case.key for case in cases if strikes(Fault(kind=Kind.KILL, rate=0.3), case, seed)} for seed in (1, 2)
    }

    assert all(1_100 < len(keys) < 1_300 for keys in hits.values())
    assert hits[1] != hits[2]


def test_only_what_is_named_is_struck() -> None:
    """By key or message id, receive count, and which call it is."""
    fault = Fault(kind=Kind.CALL_FAILED, keys=("a", "m-2"), receives=(1, 2), nth=(2,))
    hit = Case(key="a", receive_count=2, nth=2)

    assert strikes(fault, hit, 1)
    assert strikes(fault, Case(key="b", message_id="m-2", nth=2), 1)
    for other in (Case(key="b", nth=2), Case(key="a", receive_count=3, nth=2), Case(key="a", nth=1)):
        assert not strikes(fault, other, 1)


def test_names_and_keys_are_found() -> None:
    """Patterns as in a shell; a key that dlqlab gave, wherever it stands in a body."""
    assert matches("*", "anything")
    assert matches("orders-*", "orders-worker")
    assert not matches("orders", "orders-worker")
    assert given_key('{"Records": [{"body": "{\\"id\\": \\"t-7-00000012\\"}"}]}') == "t-7-00000012"
    assert given_key('{"id": "another"}') is None


def test_failures_are_of_functions() -> None:
    """What a plan alone decides is the end of a delivery."""
    assert {Place.FUNCTION} == {KINDS[kind].place for kind in FAILURES}
