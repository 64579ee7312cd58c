"""Each recorded strike is one of the plan or is not, by the very draw that struck it."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.analysis.fault_windows import PUT_WITHIN_S, InForce
from dlqlab.analysis.planned import Planned
from dlqlab.analysis.stops import Stops
from dlqlab.contracts.injection import Case, Fault, Kind, Place, Plan, strikes
from dlqlab.contracts.recording import FAULTS
from dlqlab.emulator.core import strikes as told
from dlqlab.emulator.core.strikes import Strike
from dlqlab.emulator.injection import state
from dlqlab.emulator.recorder.rows import FAULT_FIELDS

CALL: dict[str, Any] = {
    "function": "bill",
    "request_id": "r",
    "service": "dynamodb",
    "operation": "PutItem",
    "resource": "bills",
}
REQUEST: dict[str, Any] = {"service": "execute-api", "operation": "POST", "resource": "/prod/orders"}
QUEUE: dict[str, Any] = {"queue": "arn:aws:sqs:us-east-1:000000000000:orders"}
CASES = st.builds(
    Case,
    key=st.sampled_from(["t-1", "t-2", "t-3"]),
    message_id=st.just("m"),
    receive_count=st.integers(1, 4),
    nth=st.integers(1, 4),
    attempt=st.integers(1, 4),
)
FAULTS_OF_CALLS = st.builds(
    Fault,
    kind=st.just(Kind.CALL_FAILED),
    rate=st.floats(0.05, 1.0),
    nth=st.sampled_from([(), (1,), (2, 3)]),
    attempts=st.integers(0, 3),
    receives=st.sampled_from([(), (1,), (1, 2)]),
    keys=st.sampled_from([(), ("t-1",)]),
    operation=st.sampled_from(["*", "dynamodb:*", "sqs:*"]),
)


def recorded(fault: Fault, case: Case, ts: float = 0.0, **names: Any) -> dict[str, Any]:
    """The row that an emulator records of a strike of this case."""
    found: list[Strike] = []
    before, told.WATCHES[:] = list(told.WATCHES), [found.append]
    try:
        state.InForce(Plan(faults=(fault,))).tell(
            fault, case, message_id=case.message_id or None, receive_count=case.receive_count, **names
        )
    finally:
        told.WATCHES[:] = before
    return dict.fromkeys(FAULTS) | dict(zip(FAULT_FIELDS, (1, ts, *found[0]), strict=True))


def is_planned(row: dict[str, Any], *faults: Fault, seed: int = 1, in_force: InForce | None = None) -> bool:
    plan, times = Plan(faults=faults, seed=seed), in_force or InForce()
    return Planned(plan, times, Stops(plan, [row], times), {"orders": 50.0}).has(row)


def test_the_recorder_writes_down_all_that_a_strike_tells() -> None:
    assert tuple(FAULT_FIELDS[2:]) == Strike._fields
    assert set(FAULT_FIELDS) - {"seq"} == set(FAULTS) - {"cell"}
    assert {"nth", "attempt"} <= {one.name for one in fields(Case)}


@settings(max_examples=300, deadline=None)
@given(fault=FAULTS_OF_CALLS, case=CASES, seed=st.integers(0, 2**20))
def test_a_recorded_call_is_planned_if_and_only_if_the_plan_strikes_it(fault: Fault, case: Case, seed: int) -> None:
    expected = strikes(fault, case, seed) and not fault.operation.startswith("sqs")

    assert is_planned(recorded(fault, case, **CALL), fault, seed=seed) is expected


@settings(max_examples=100, deadline=None)
@given(case=CASES, rate=st.floats(0.05, 1.0), attempts=st.integers(0, 3), seed=st.integers(0, 2**20))
def test_a_recorded_request_is_planned_if_and_only_if_the_plan_strikes_it(
    case: Case, rate: float, attempts: int, seed: int
) -> None:
    fault = Fault(kind=Kind.REQUEST_FAILED, rate=rate, attempts=attempts, route="POST /orders")
    asked = replace(case, message_id="", receive_count=1, nth=0)

    assert is_planned(recorded(fault, asked, **REQUEST), fault, seed=seed) is strikes(fault, asked, seed)


NTH = Fault(kind=Kind.CALL_RESET, nth=(2,), attempts=1, function="bill", operation="dynamodb:PutItem", resource="bills")
SECOND = Case(key="t-1", message_id="m", nth=2)


@pytest.mark.parametrize(
    ("changed", "planned"),
    [
        ({}, True),
        ({"nth": 1}, False),
        ({"attempt": 2}, False),
        ({"function": "other"}, False),
        ({"operation": "UpdateItem"}, False),
        ({"resource": "orders"}, False),
        ({"resource": "arn:aws:dynamodb:us-east-1:000000000000:table/bills"}, True),
        ({"kind": "call-slow"}, False),
        ({"fault": "other"}, False),
    ],
)
def test_whatever_does_not_fit_the_plan_is_none_of_its_strikes(changed: dict[str, Any], *, planned: bool) -> None:
    assert is_planned(recorded(NTH, SECOND, **CALL) | changed, NTH) is planned


def test_a_record_of_an_earlier_version_tells_no_numbers_and_is_taken_by_names_and_message() -> None:
    old = {"nth": None, "attempt": None}
    drawn = replace(NTH, rate=0.01, keys=("t-1",), receives=(1,))
    row = recorded(drawn, SECOND, **CALL) | old

    assert is_planned(row, drawn)
    assert not is_planned(row | {"task_key": "t-2", "message_id": "other"}, drawn)
    assert not is_planned(row | {"receive_count": 2}, drawn)
    assert not is_planned(row | {"resource": "orders"}, drawn)


@pytest.mark.parametrize(
    ("fault", "names"),
    [(Fault(kind=Kind.ERROR, from_s=20, until_s=30), CALL), (Fault(kind=Kind.LATE, from_s=20, until_s=30), QUEUE)],
)
def test_a_strike_out_of_its_window_is_unplanned(fault: Fault, names: dict[str, Any]) -> None:
    in_force = InForce(began_ts=100.0, ended_ts=200.0, unsure_s=PUT_WITHIN_S)
    rows = [recorded(fault, SECOND, ts, **names) for ts in (110.0, 119.0, 125.0, 131.0)]

    assert [is_planned(row, fault, in_force=in_force) for row in rows] == [False, True, True, False]


def test_a_strike_before_the_message_that_it_waits_for_is_unplanned() -> None:
    """The first message itself is struck a little before its row is written."""
    fault = Fault(kind=Kind.LATE, after_queue="orders")

    assert is_planned(recorded(fault, SECOND, 49.9, **QUEUE), fault)
    assert not is_planned(recorded(fault, SECOND, 40.0, **QUEUE), fault)


def test_numbers_are_told_of_calls_and_requests_alone() -> None:
    case = Case(key="t-1", nth=3, attempt=2)
    kinds: dict[Place, Callable[[], Fault]] = {
        Place.CALL: lambda: Fault(kind=Kind.CALL_SLOW),
        Place.REQUEST: lambda: Fault(kind=Kind.REQUEST_SLOW),
        Place.FUNCTION: lambda: Fault(kind=Kind.KILL),
    }
    rows = {place: recorded(make(), case) for place, make in kinds.items()}

    assert {place: (row["nth"], row["attempt"]) for place, row in rows.items()} == {
        Place.CALL: (3, 2),
        Place.REQUEST: (None, 2),
        Place.FUNCTION: (None, None),
    }
