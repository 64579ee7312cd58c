"""What a plan decides as messages enter their queues, against histories that follow it and that contradict it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlqlab.analysis.judge import MESSAGE_CHECKS
from dlqlab.contracts.injection import REORDER_DRAW, Case, Fault, Kind, Plan, draw, strikes
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import DEAD, FIFO, Story, facts
from tests.support.recordings import QUEUE

LATE = Fault(kind=Kind.LATE, name="late", delay_s=5.0, keys=("m1",))
EXPIRED = Fault(kind=Kind.EXPIRED, name="expired", keys=("m1",))
REORDER = Fault(kind=Kind.REORDER, name="reorder", delay_s=10.0, keys=("m1",))


def checked(
    story: Story, *faults: Fault, seed: int = 1, ids: tuple[str, ...] = ("m1", "m2"), struck: tuple[str, ...] = ("m1",)
) -> Check:
    """The check of a run in which the first fault struck these messages."""
    rows = [
        {
            "fault": faults[0].name,
            "kind": faults[0].kind.value,
            "task_key": one,
            "message_id": one,
            "receive_count": 1,
            "queue": story.queue,
        }
        for one in struck
    ]
    bodies = [{"body_sha256": f"b-{one}", "body": f"body of {one}", "body_bytes": 10} for one in ids]
    return MESSAGE_CHECKS["faults"](facts(story, plan=Plan(faults=faults, seed=seed), faults=rows, bodies=bodies))


def sent(message_id: str = "m1", delay_s: float = 0.0, queue: str = QUEUE, **more: Any) -> Story:
    return Story(queue).sent(message_id, body_sha256=f"b-{message_id}", delay_s=delay_s, **more)


def done(story: Story, at: float, message_id: str = "m1") -> Story:
    return story.tried(message_id, at).deleted(message_id, at + 1)


def test_an_expired_message_is_gone_with_that_reason() -> None:
    found = checked(sent().left("expired", "m1", 0.0), EXPIRED)

    assert (found.status, found.members["expired_by_plan"]) == (Status.VALID, ("m1",))
    assert found.details["by_fault"] == {"expired": {"predicted": 1, "measured": 1, "strikes": 1}}
    assert "1 expired and 0 late as the plan says" in found.statement


@pytest.mark.parametrize(
    "story",
    [
        done(sent(), 1),  # received, and worked off
        sent().received("m1", 1).left("expired", "m1", 2),  # received before
        sent().left("purged", "m1", 1),  # gone for another reason
        sent(),  # still there
    ],
)
def test_whatever_else_becomes_of_it_contradicts_that_it_expires(story: Story) -> None:
    found = checked(story, EXPIRED)

    assert (found.status, found.members["not_expired"]) == (Status.INVALID, ("m1",))
    assert "1 not expired although the plan lets them: m1" in found.statement


@pytest.mark.parametrize("delay_s", [5.0, 7.0])
def test_a_late_message_is_not_delivered_before_its_time(delay_s: float) -> None:
    """What its sender asked for comes on top."""
    found = checked(done(sent(delay_s=delay_s), delay_s + 0.1), LATE)

    assert (found.status, found.members["late_by_plan"]) == (Status.VALID, ("m1",))


@pytest.mark.parametrize("story", [done(sent(delay_s=5.0), 4.9), done(sent(delay_s=0.0), 6.0), done(sent(), 0.1)])
def test_a_late_message_that_comes_sooner_contradicts_it(story: Story) -> None:
    """Also where only its delay is too short, and nobody was there to receive it."""
    found = checked(story, LATE)

    assert (found.status, found.members["not_late"]) == (Status.INVALID, ("m1",))


def test_a_late_message_that_nobody_received_yet_contradicts_nothing() -> None:
    assert checked(sent(delay_s=5.0), LATE).members["late_by_plan"] == ("m1",)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**20), early_s=st.floats(-5.0, 5.0))
def test_a_reordered_message_has_the_delay_that_is_drawn_for_it(seed: int, early_s: float) -> None:
    """And no other fate: it is worked off as it would be, later."""
    drawn_s = 10.0 * draw(REORDER, Case(key="m1", message_id="m1"), seed, REORDER_DRAW)
    delay_s = max(0.0, drawn_s - early_s)

    found = checked(done(sent(delay_s=delay_s), delay_s), REORDER, seed=seed)

    is_late = delay_s >= drawn_s - 0.01
    assert found.members["late_by_plan" if is_late else "not_late"] == ("m1",)
    assert found.status is (Status.VALID if is_late else Status.INVALID)


def test_what_the_plan_does_not_strike_is_as_it_is() -> None:
    """Another message, a FIFO queue, another queue."""
    for story in (done(sent("m2"), 0.1, "m2"), done(sent(queue=FIFO), 0.1), done(sent(queue=DEAD), 0.1)):
        found = checked(story, Fault(kind=Kind.LATE, keys=("m1",), queue="tasks*"), struck=())
        assert not {name for name, members in found.members.items() if members}


def test_the_first_fault_that_strikes_is_the_one_that_does() -> None:
    other = Fault(kind=Kind.LATE, name="later", delay_s=60.0)

    found = checked(done(sent(delay_s=5.0), 5.0), LATE, other)

    assert (found.status, found.members["late_by_plan"]) == (Status.VALID, ("m1",))


def test_what_is_not_decided_is_not_judged() -> None:
    """A window of unknown beginning; a rate, where the key of a message is not known, and what comes after it."""
    windowed = Fault(kind=Kind.EXPIRED, from_s=5.0)
    rated = (Fault(kind=Kind.LATE, rate=0.5), Fault(kind=Kind.EXPIRED))

    for faults, ids in (((windowed,), ("m1",)), (rated, ())):
        found = checked(done(sent(), 0.1), *faults, ids=ids, struck=())
        assert (found.members["not_expired"], found.members["not_late"]) == ((), ())


def test_a_dead_letter_is_drawn_for_with_the_receives_that_it_has_had() -> None:
    fault = Fault(kind=Kind.LATE, delay_s=5.0, queue="dead-letters", receives=(3,))
    story = done(sent(queue=DEAD, delay_s=0.0, receive_count=3), 0.1)
    other = done(sent(queue=DEAD, delay_s=0.0, receive_count=2), 0.1)

    assert checked(story, fault).members["not_late"] == ("m1",)
    assert checked(other, fault, struck=()).members["not_late"] == ()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**20), rate=st.floats(0.05, 0.95))
def test_prediction_and_measurement_are_equal_for_any_seed(seed: int, rate: float) -> None:
    """Where two faults share the messages, in the plan's order."""
    expired, late = Fault(kind=Kind.EXPIRED, rate=rate), Fault(kind=Kind.LATE, rate=rate, delay_s=5.0)
    ids = tuple(f"m{number}" for number in range(12))
    story, gone, delayed = Story(), set[str](), set[str]()
    for at, one in enumerate(ids):
        case = Case(key=one, message_id=one)
        is_gone, is_late = strikes(expired, case, seed), strikes(late, case, seed)
        story.sent(one, at, body_sha256=f"b-{one}", delay_s=5.0 if is_late and not is_gone else 0.0)
        if is_gone:
            gone.add(one)
            story.left("expired", one, at)
        else:
            delayed |= {one} if is_late else set()
            story.tried(one, at + 5.0 * is_late).deleted(one, at + 5.5)

    found = checked(story, expired, late, seed=seed, ids=ids, struck=tuple(sorted(gone)))

    assert (set(found.members["expired_by_plan"]), set(found.members["late_by_plan"])) == (gone, delayed)
    assert not found.members["not_expired"] + found.members["not_late"] + found.members["struck_unplanned"]
