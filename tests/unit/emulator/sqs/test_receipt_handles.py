"""What a receipt handle is good for once the message has been delivered again."""

from collections.abc import Callable
from typing import Any

import pytest
from localstack.aws.api import ServiceException
from localstack.aws.api.sqs import MessageNotInflight

from tests.unit.emulator.sqs.conftest import Clock, Queues, bodies, message


@pytest.fixture(autouse=True)
def _handles(apply: Callable[[str], None]) -> None:
    apply("receipt_handles")


def _received_twice(queue: Any, clock: Clock) -> list[str]:
    """A message whose first consumer was too slow; the handles of both deliveries."""
    handles = list(queue.receive(1, visibility_timeout=5).receipt_handles)
    clock.now += 5
    queue.requeue_inflight_messages()
    return [*handles, *queue.receive(1, visibility_timeout=60).receipt_handles]


def test_late_delete_leaves_the_message_to_who_has_it_now(queues: Queues, clock: Clock) -> None:
    """The first consumer's delete succeeds and does nothing; the second's deletes."""
    queue = queues.make("q")
    queue.put(message("m"))
    first, second = _received_twice(queue, clock)
    queue.remove(first)
    assert 1 == queue.approximate_number_of_messages_not_visible
    queue.remove(second)
    clock.now += 60
    queue.requeue_inflight_messages()

    assert [] == bodies(queue.receive(1))


def test_older_handle_does_not_delete_a_message_that_is_visible_again(queues: Queues, clock: Clock) -> None:
    """Only the most recent handle deletes, whatever state the message is in."""
    queue = queues.make("q")
    queue.put(message("m"))
    first, second = _received_twice(queue, clock)
    clock.now += 60
    queue.requeue_inflight_messages()
    queue.remove(first)
    assert 1 == queue.approximate_number_of_messages
    queue.remove(second)

    assert 0 == queue.approximate_number_of_messages


def test_late_delete_of_the_only_delivery_deletes(queues: Queues, clock: Clock) -> None:
    """After its visibility timeout a handle is good as long as nobody else has received the message."""
    queue = queues.make("q")
    queue.put(message("m"))
    handle = queue.receive(1, visibility_timeout=5).receipt_handles[0]
    clock.now += 5
    queue.requeue_inflight_messages()
    queue.remove(handle)

    assert [] == bodies(queue.receive(1))


def test_fifo_queue_refuses_an_older_handle(queues: Queues, clock: Clock) -> None:
    """As one that has expired; the message stays with who has it now."""
    queue = queues.make("q.fifo")
    queue.put(message("m"), message_group_id="g", message_deduplication_id="1")
    first, second = _received_twice(queue, clock)
    with pytest.raises(ServiceException, match=r"Reason: The receipt handle has expired\.") as raised:
        queue.remove(first)
    queue.remove(second)

    assert "InvalidParameterValueException" == raised.value.code


def test_older_handle_does_not_change_the_visibility_timeout(queues: Queues, clock: Clock) -> None:
    """It is refused, and the message stays hidden for its present consumer."""
    queue = queues.make("q")
    queue.put(message("m"))
    first, second = _received_twice(queue, clock)
    with pytest.raises(ServiceException, match="is not available for visibility timeout change"):
        queue.update_visibility_timeout(first, 0)

    assert [] == bodies(queue.receive(1))
    queue.update_visibility_timeout(second, 0)
    assert ["m"] == bodies(queue.receive(1))


@pytest.mark.parametrize("name", ["q", "q.fifo"])
def test_message_that_is_visible_again_is_not_in_flight(queues: Queues, clock: Clock, name: str) -> None:
    """It is not hidden once more for a consumer whose time is over."""
    queue = queues.make(name)
    queue.put(message("m"), message_group_id="g", message_deduplication_id="1" if name == "q.fifo" else None)
    handle = queue.receive(1, visibility_timeout=5).receipt_handles[0]
    clock.now += 5
    queue.requeue_inflight_messages()
    with pytest.raises(MessageNotInflight):
        queue.update_visibility_timeout(handle, 30)

    assert ["m"] == bodies(queue.receive(1))
