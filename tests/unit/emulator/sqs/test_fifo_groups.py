"""Which messages of a FIFO queue come back, on LocalStack's own queue."""

import pytest
from localstack.services.sqs.models import FifoQueue

from dlqlab.emulator.sqs.fifo_groups import return_visible


@pytest.fixture
def queue() -> FifoQueue:
    """With two messages of each of two groups, all of them in flight for 10 minutes, in this order: a1 b1 a2 b2."""
    made = FifoQueue(
        "q.fifo",
        "us-east-1",
        "000000000000",
        {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "600"},
    )
    for body in ("a1", "b1", "a2", "b2"):
        held = made.put(message={"MessageId": body, "Body": body, "Attributes": {}}, message_group_id=body[0])
        made.get_message_group(body[0]).pop()
        held.update_visibility_timeout(600)
        made.add_inflight_message(held)
    return made


@pytest.mark.parametrize(
    ("due", "left"),
    [
        ({"b1", "b2"}, ["a1", "a2"]),
        ({"b1"}, ["a1", "a2", "b2"]),
        ({"a2", "b2"}, ["a1", "a2", "b1", "b2"]),
        ({"a1", "b1", "a2", "b2"}, []),
        (set(), ["a1", "a2", "b1", "b2"]),
    ],
    ids=lambda names: " ".join(sorted(names)) or "none",
)
def test_hidden_message_holds_back_its_own_group_only(queue: FifoQueue, due: set[str], left: list[str]) -> None:
    """What is due comes back unless an earlier message of its group is hidden."""
    for message in queue.inflight:
        if message.message_id in due:
            message.update_visibility_timeout(0)
    return_visible(queue)

    assert left == sorted(message.message_id for message in queue.inflight)
    assert sorted(due & ({"a1", "b1", "a2", "b2"} - set(left))) == sorted(
        message.message_id for group in queue.message_groups.values() for message in group.messages
    )
