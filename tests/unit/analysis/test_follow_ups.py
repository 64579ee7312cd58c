"""Messages that led to nothing where nearly all others led to a next one are told, and change no verdict."""

import pytest

from dlqlab.analysis.judge import MESSAGE_CHECKS
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, facts
from tests.support.recordings import QUEUE

NEXT = QUEUE.replace("tasks", "next")
PIPELINE = Topology(
    name="shop",
    queues=(Queue(role="tasks", name="tasks"), Queue(role="next", name="next")),
    functions=(Function(role="first", name="first"), Function(role="second", name="second")),
    consumers=(Consumer(queue="tasks", function="first"), Consumer(queue="next", function="second")),
)


def passed_on(n: int, without: int) -> Story:
    """``n`` messages, all but ``without`` of which are passed on to the next queue."""
    story = Story()
    for number in range(n):
        story.queue = QUEUE
        story.sent(f"m{number}", number).tried(f"m{number}", number + 0.1).deleted(f"m{number}", number + 0.3)
        if number >= without:
            by = {"actor_kind": "invocation", "request_id": story.invocations[-1]["request_id"]}
            story.queue = NEXT
            story.sent(f"n{number}", number + 0.2, **by, parent_ids=[f"m{number}"])
            story.tried(f"n{number}", number + 0.4).deleted(f"n{number}", number + 0.5)
    return story


def checked(story: Story) -> Check:
    return MESSAGE_CHECKS["messages"](facts(story, topology=PIPELINE))


def test_messages_that_lead_to_nothing_are_told() -> None:
    found = checked(passed_on(20, 3))
    assert found.members["without_follow_up"] == ("m0", "m1", "m2")
    assert "3 worked off with no message in next, as 17 others of tasks have: m0, m1, m2" in found.statement
    assert found.status is Status.VALID


def test_messages_that_lead_to_nothing_when_tried_again_are_told() -> None:
    """However many: those that succeed at once show what is usual. So it is where work is claimed before it is done."""
    story = passed_on(10, 0)
    story.queue = QUEUE
    for number in range(8):
        name = f"r{number}"
        story.sent(name, 20).tried(name, 21, ok=False).back(name, 51).tried(name, 51).deleted(name, 52)
    found = checked(story)
    assert found.members["without_follow_up"] == tuple(f"r{number}" for number in range(8))
    assert "8 worked off with no message in next, as 10 others of tasks have, 8 of them when tried again: r0" in (
        found.statement
    )


@pytest.mark.parametrize(("n", "without"), [(20, 0), (20, 10), (8, 1)], ids=["none", "half of them", "too few"])
def test_what_is_no_habit_is_not_missed(n: int, without: int) -> None:
    assert checked(passed_on(n, without)).members["without_follow_up"] == ()


def test_batch_that_sends_one_message_less_names_nobody() -> None:
    """Which message of the batch it was cannot be told."""
    story = Story()
    names = [f"m{number}" for number in range(12)]
    for name in names:
        story.sent(name).received(name, 1)
    story.invoked(*names, at=1)
    for number in range(11):
        by = {"actor_kind": "invocation", "request_id": "i1", "queue": NEXT, "parent_ids": names}
        story.sent(f"n{number}", 1.2, **by)
    for name in names:
        story.deleted(name, 2)
    assert checked(story).members["without_follow_up"] == ()
