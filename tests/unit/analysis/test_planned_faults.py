"""What a plan of faults decides, against histories that follow it and histories that do not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.fault_windows import InForce, is_on
from dlqlab.analysis.judge import MESSAGE_CHECKS, judge
from dlqlab.contracts.injection import Case, Fault, Form, Kind, Plan, strikes
from dlqlab.contracts.topology import Consumer, Evidence, Function, Queue, Topology
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, evidence, facts
from tests.support.recordings import QUEUE, T0

PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=2),
        Queue(role="dead", name="dead-letters"),
    ),
    functions=(Function(role="processor", name="processor", timeout_s=3),),
    consumers=(Consumer(queue="tasks", function="processor"),),
)
WITHOUT_EVENTS = replace(PIPELINE, evidence=Evidence(events=False))
ONCE = Fault(kind=Kind.ERROR, name="once", receives=(1,), keys=("m1",))
ALWAYS = Fault(kind=Kind.ERROR, name="always", keys=("m1",))
DROPPED = Fault(kind=Kind.DELETE_DROPPED, name="dropped", keys=("m1",))


def bodies(*ids: str) -> dict[str, Any]:
    """The kept bodies of messages, none of which has a key."""
    return {"bodies": [{"body_sha256": f"b-{one}", "body": f"body of {one}", "body_bytes": 10} for one in ids]}


def sent(*ids: str) -> Story:
    story = Story()
    for one in ids:
        story.sent(one, body_sha256=f"b-{one}")
    return story


def strike(fault: Fault, message_id: str = "m1", *, receive: int = 1, **more: Any) -> dict[str, Any]:
    row = {"fault": fault.name, "kind": fault.kind.value, "task_key": message_id, "message_id": message_id}
    return {**row, "receive_count": receive, "function": "processor", "queue": QUEUE, **more}


def checked(story: Story, *faults: Fault, struck: tuple[dict[str, Any], ...] = (), ids: tuple[str, ...] = ()) -> Check:
    known = bodies(*(ids or ("m1", "m2")))
    return MESSAGE_CHECKS["faults"](facts(story, topology=PIPELINE, plan=Plan(faults=faults), faults=struck, **known))


def failed_once() -> Story:
    return sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31).deleted("m1", 32)


def dead() -> Story:
    story = sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31, ok=False).back("m1", 61)
    return story.moved("m1", 61)


def batch(**outcome: Any) -> Story:
    return sent("m1", "m2").received("m1", 1).received("m2", 1).invoked("m1", "m2", at=1, **outcome)


def test_a_history_that_follows_the_plan_is_valid() -> None:
    found = checked(failed_once(), ONCE, struck=(strike(ONCE),))

    assert found.status is Status.VALID, found.statement
    assert found.members["failed_by_plan"] == ("m1",)
    assert found.details["by_fault"] == {"once": {"predicted": 1, "measured": 1, "strikes": 1}}


def test_a_plan_that_struck_nothing_proves_nothing() -> None:
    assert checked(sent("m2").tried("m2", 1).deleted("m2", 2), ONCE).status is Status.UNKNOWN


def test_without_plan_and_strikes_nothing_is_said() -> None:
    assert "faults" not in {one.name for one in judge(evidence(failed_once(), topology=WITHOUT_EVENTS)).checks}


def loaded(plan: Plan | None, *struck: dict[str, Any]) -> Facts:
    """A run whose load began at T0, and what was struck in the minute before it and since."""
    given = evidence(failed_once(), topology=PIPELINE, plan=plan, faults=struck, **bodies("m1"))
    return Facts(replace(given, manifest=replace(given.manifest, load_started_ts=T0, drain_ended_ts=T0 + 60)))


def test_strikes_of_a_run_before_are_none_of_an_unbroken_one() -> None:
    """The record begins with the minute of the load; what strikes since its beginning counts."""
    assert not loaded(None, strike(ALWAYS, "m0", ts=T0 - 20)).is_broken_from_outside
    assert loaded(None, strike(ALWAYS, "m0", ts=T0 + 0.5)).is_broken_from_outside


def test_strikes_of_a_run_before_are_not_held_against_the_plan() -> None:
    """Those that come while it is in force are."""
    own, plan = strike(ONCE, ts=T0 + 0.5), Plan(faults=(ONCE,))
    check = MESSAGE_CHECKS["faults"]

    assert Status.VALID is check(loaded(plan, strike(ALWAYS, "m0", ts=T0 - 20), own)).status
    assert Status.INVALID is check(loaded(plan, strike(ALWAYS, "m0", ts=T0 + 0.5), own)).status


def test_strikes_of_a_plan_that_the_run_does_not_know_are_unknown() -> None:
    assert MESSAGE_CHECKS["faults"](facts(failed_once(), faults=[strike(ONCE)])).status is Status.UNKNOWN


WRONG: Mapping[str, tuple[Story, Fault]] = {
    "not_failed": (sent("m1").tried("m1", 1).deleted("m1", 2), ONCE),
    "not_dropped": (sent("m1").tried("m1", 1).deleted("m1", 2), DROPPED),
    "not_retried": (sent("m1").tried("m1", 1, ok=False).deleted("m1", 2), ONCE),
    "not_dead_lettered": (failed_once(), ALWAYS),
    "struck_unplanned": (failed_once(), Fault(kind=Kind.ERROR, name="once", receives=(2,), keys=("m1",))),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_way_of_not_following_the_plan_is_named(name: str) -> None:
    story, fault = WRONG[name]

    found = checked(story, fault, struck=(strike(fault),))

    assert (found.status, found.members[name]) == (Status.INVALID, ("m1",)), found.statement


def test_a_dead_letter_that_nothing_explains_is_unknown() -> None:
    story = sent("m1").received("m1", 1).back("m1", 31).tried("m1", 31, ok=False).back("m1", 61).moved("m1", 61)

    found = checked(story, ALWAYS, struck=(strike(ALWAYS, receive=2),))

    assert (found.status, found.members["unexplained"]) == (Status.UNKNOWN, ("m1",))


def test_all_receives_struck_is_a_dead_letter_by_plan() -> None:
    found = checked(dead(), ALWAYS, struck=(strike(ALWAYS), strike(ALWAYS, receive=2)))

    assert (found.status, found.members["dead_by_plan"]) == (Status.VALID, ("m1",))


def test_a_deletion_by_the_function_itself_is_told_and_not_held_against_the_plan() -> None:
    lost = Fault(kind=Kind.ANSWER_LOST, name="lost", keys=("m1",), receives=(1,))
    story = sent("m1").tried("m1", 1, ok=False).deleted("m1", 1.2, actor_kind="invocation", actor="processor")

    found = checked(story, lost, struck=(strike(lost),))

    assert (found.status, found.members["deleted_by_others"]) == (Status.VALID, ("m1",))


def test_a_struck_message_takes_its_batch_along() -> None:
    found = checked(batch(outcome="error"), ONCE, struck=(strike(ONCE),))

    assert (found.members["failed_by_plan"], found.members["taken_along"]) == (("m1",), ("m2",))
    assert found.details["own_failures"] is None


def test_a_named_message_fails_alone_and_only_where_it_is_asked_for() -> None:
    named = Fault(kind=Kind.NAMED, name="named", keys=("m1",))
    story = batch(failed=("m1",), reports_failures=True)

    found = checked(story, named, struck=(strike(named),))
    unasked = checked(batch(reports_failures=False), named, struck=(strike(named),))

    assert (found.members["failed_by_plan"], found.members["taken_along"]) == (("m1",), ())
    assert unasked.members["failed_by_plan"] == unasked.members["not_failed"] == ()


def test_a_malformed_answer_fails_all_where_failures_are_asked_for() -> None:
    malformed = Fault(kind=Kind.MALFORMED, form=Form.NO_LIST, keys=("m1",))

    found = checked(batch(failed=("m1", "m2"), reports_failures=True), malformed, struck=(strike(malformed),))

    assert (found.members["failed_by_plan"], found.members["taken_along"]) == (("m1",), ("m2",))


@pytest.mark.parametrize(("delay_s", "decided"), [(2.0, ()), (10.0, ("m1",))])
def test_a_stall_decides_only_past_the_functions_timeout(delay_s: float, decided: tuple[str, ...]) -> None:
    stall = Fault(kind=Kind.STALL, keys=("m1",), receives=(1,), delay_s=delay_s)
    story = sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31).deleted("m1", 32)

    assert checked(story, stall, struck=(strike(stall),)).members["failed_by_plan"] == decided


def test_what_the_code_fails_by_itself_is_estimated_apart_from_what_was_struck() -> None:
    story = sent("m1", "m2").tried("m1", 1, ok=False).tried("m2", 2, ok=False)

    found = checked(story, ONCE, struck=(strike(ONCE, request_id="i1"),))

    assert found.members["failed_by_itself"] == ("m2",)
    own = found.details["own_failures"]
    assert (own["rate"], own["n"]) == (1.0, 1)
    assert own["low"] < 1.0


def test_without_a_body_a_rate_decides_nothing() -> None:
    fault = Fault(kind=Kind.ERROR, rate=0.5)

    found = checked(Story().sent("m1").tried("m1", 1).deleted("m1", 2), fault)

    assert found.members["undecided"] == ("m1",)


def test_a_window_decides_nothing_where_the_run_does_not_say_when_its_load_began() -> None:
    fault = Fault(kind=Kind.ERROR, from_s=5)

    assert checked(sent("m1").tried("m1", 1).deleted("m1", 2), fault).members["undecided"] == ("m1",)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**20), rate=st.floats(0.05, 0.95))
def test_prediction_and_measurement_are_equal_for_any_seed(seed: int, rate: float) -> None:
    fault = Fault(kind=Kind.ERROR, rate=rate)
    ids = tuple(f"m{number}" for number in range(12))
    story, struck, fails = sent(*ids), [], set()
    for at, one in enumerate(ids):
        hit = strikes(fault, Case(key=one, message_id=one), seed)
        story.tried(one, at, ok=not hit)
        if hit:
            fails.add(one)
            struck.append(strike(fault, one, request_id=f"i{at + 1}"))
        else:
            story.deleted(one, at + 0.9)

    plan = Plan(faults=(fault,), seed=seed)
    found = MESSAGE_CHECKS["faults"](facts(story, topology=PIPELINE, plan=plan, faults=struck, **bodies(*ids)))

    assert set(found.members["failed_by_plan"]) == fails
    assert not found.members["not_failed"]
    assert not found.members["failed_by_itself"]
    assert found.status is (Status.VALID if fails else Status.UNKNOWN), found.statement


def test_the_check_stands_in_the_verdict_of_a_run() -> None:
    run = evidence(
        failed_once(), topology=WITHOUT_EVENTS, plan=Plan(faults=(ONCE,)), faults=[strike(ONCE)], **bodies("m1")
    )

    names = [one.name for one in judge(run).checks]

    assert "faults" in names


BEGAN = InForce(began_ts=100.0, ended_ts=200.0)


@pytest.mark.parametrize(
    ("fault", "ts", "expected"),
    [
        (Fault(kind=Kind.ERROR), 110.0, True),
        (Fault(kind=Kind.ERROR), 90.0, False),
        (Fault(kind=Kind.ERROR), 98.0, None),
        (Fault(kind=Kind.ERROR), 201.0, None),
        (Fault(kind=Kind.ERROR, from_s=20), 110.0, False),
        (Fault(kind=Kind.ERROR, from_s=20), 118.0, None),
        (Fault(kind=Kind.ERROR, from_s=20), 121.0, True),
        (Fault(kind=Kind.ERROR, until_s=20), 118.0, None),
        (Fault(kind=Kind.ERROR, until_s=20), 121.0, False),
        (Fault(kind=Kind.ERROR, after_queue="next"), 140.0, False),
        (Fault(kind=Kind.ERROR, after_queue="next"), 160.0, True),
    ],
)
def test_a_window_is_decided_but_for_its_edges(fault: Fault, ts: float, *, expected: bool | None) -> None:
    assert is_on(fault, ts, BEGAN, 150.0 if fault.after_queue else None) is expected
