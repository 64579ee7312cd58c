"""What a plan and its strikes decide of pauses and outages, against histories that follow it and that do not."""

from dataclasses import replace
from typing import Any

import pytest

from dlqlab.analysis.fault_windows import PUT_WITHIN_S, InForce
from dlqlab.analysis.injected import Oracle
from dlqlab.analysis.message_checks.faults import in_force_of, sort_fates
from dlqlab.contracts.injection import Fault, Kind, Plan
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.scenario import from_dict
from tests.support.flows import Story, facts
from tests.support.recordings import T0

GONE = Fault(kind=Kind.OUTAGE, name="gone", from_s=10.0, delay_s=5.0)
IN_FORCE = InForce(T0, T0 + 100, PUT_WITHIN_S, T0 + 1)
CUT_OFF: dict[str, Any] = {"outcome": "crash", "ended_ts": T0 + 15.0}


def strike(at: float = 10.0, **more: Any) -> dict[str, Any]:
    return {"fault": "gone", "kind": "outage", "task_key": "gone", "ts": T0 + at, **more}


def cut(message_id: str = "m1", request_id: str = "i1", at: float = 10.0) -> dict[str, Any]:
    named = {"task_key": message_id, "message_id": message_id, "receive_count": 1, "request_id": request_id}
    return strike(at, **named, function="processor")


def fates(
    story: Story, *struck: dict[str, Any], fault: Fault = GONE, in_force: InForce = IN_FORCE
) -> dict[str, tuple[str, ...]]:
    """The sets of the check that hold anything."""
    found = facts(story, faults=struck)
    return {name: ids for name, ids in sort_fates(Oracle(found.flow, Plan(faults=(fault,)), in_force)).items() if ids}


def again() -> Story:
    story = Story().sent("m1", 8).received("m1", 9).invoked("m1", at=9, **CUT_OFF)
    return story.back("m1", 39).tried("m1", 39).deleted("m1", 40)


def test_what_is_cut_off_fails_and_is_delivered_again() -> None:
    assert fates(again(), strike(), cut()) == {"failed_by_plan": ("m1",)}


def test_an_invocation_that_was_cut_off_and_has_succeeded_contradicts_it() -> None:
    story = Story().sent("m1", 8).received("m1", 9).invoked("m1", at=9, ended_ts=T0 + 15).deleted("m1", 15)

    assert fates(story, strike(), cut()) == {"not_failed": ("m1",)}


def test_a_message_that_is_not_delivered_again_contradicts_it() -> None:
    story = Story().sent("m1", 8).received("m1", 9).invoked("m1", at=9, **CUT_OFF).deleted("m1", 15)

    assert fates(story, strike(), cut())["not_retried"] == ("m1",)


@pytest.mark.parametrize("at", [9.8, 10.5, 15.5])
def test_what_was_under_way_and_is_not_named_is_undecided_and_no_failure_of_the_code(at: float) -> None:
    """Its environment may have been killed in its init."""
    story = Story().sent("m1", at).tried("m1", at, ok=False)

    assert fates(story, strike()) == {"undecided": ("m1",)}


@pytest.mark.parametrize("at", [9.0, 16.5])
def test_what_was_over_or_began_later_is_not_the_outages(at: float) -> None:
    assert fates(Story().sent("m1", at).tried("m1", at, ok=False), strike()) == {"failed_by_itself": ("m1",)}


def test_a_stop_that_is_due_and_did_not_come_is_named() -> None:
    assert fates(Story()) == {"not_stopped": ("gone",)}
    assert fates(Story(), fault=Fault(kind=Kind.PAUSE, name="still", from_s=20.0)) == {"not_stopped": ("still",)}


@pytest.mark.parametrize(
    ("fault", "in_force"),
    [
        (GONE, replace(IN_FORCE, ended_ts=T0 + 12)),
        (GONE, InForce()),
        (replace(GONE, from_s=1.0), IN_FORCE),  # before the load, where the record begins
        (replace(GONE, after_queue="tasks"), IN_FORCE),  # nothing entered it
    ],
)
def test_a_stop_that_may_not_have_been_due_is_not_missed(fault: Fault, in_force: InForce) -> None:
    assert fates(Story(), fault=fault, in_force=in_force) == {}


@pytest.mark.parametrize(
    ("struck", "planned"),
    [((strike(),), True), ((strike(12.0),), True), ((strike(7.0),), False), ((strike(), strike(30.0)), False)],
)
def test_a_stop_comes_once_and_never_before_its_time(struck: tuple[dict[str, Any], ...], *, planned: bool) -> None:
    assert ("struck_unplanned" not in fates(Story(), *struck)) is planned


def test_where_it_waits_for_a_queue_its_time_counts_from_the_first_message_there() -> None:
    waits = replace(GONE, after_queue="tasks")
    story = Story().sent("m1", 20).received("m1", 29).invoked("m1", at=29, outcome="crash", ended_ts=T0 + 35)

    assert fates(story, strike(30.0), cut(at=30.0), fault=waits) == {"failed_by_plan": ("m1",)}
    assert fates(story, strike(20.0), fault=waits)["struck_unplanned"] == ("gone",)
    assert fates(story, fault=waits)["not_stopped"] == ("gone",)


def test_a_run_says_since_when_its_plan_is_in_force() -> None:
    """An old one only when its load began."""
    scenario = from_dict({"name": "any", "description": "any", "faults": {"mode": "none"}}, source="test")
    old = Manifest(run_id="r", scenario=scenario, load_started_ts=T0, drain_ended_ts=T0 + 9)

    assert in_force_of(old) == InForce(T0, T0 + 9, load_began_ts=T0)
    assert in_force_of(replace(old, injected_ts=T0 - 4)) == InForce(T0 - 4, T0 + 9, PUT_WITHIN_S, T0)
    assert in_force_of(replace(old, load_started_ts=None)) == InForce()
