"""Messages expire when their queue's retention period is over."""

from collections.abc import Callable

import pytest
from localstack.services.sqs import provider

from tests.unit.emulator.sqs.conftest import Clock, Queues, bodies, message

HOUR_S = 3_600
KEPT_S = 100


@pytest.fixture(autouse=True)
def _retention(apply: Callable[[str], None]) -> None:
    apply("message_retention")


def _counts(queue: object) -> tuple[int, ...]:
    kinds = ("", "_not_visible", "_delayed")
    return tuple(getattr(queue, f"approximate_number_of_messages{kind}") for kind in kinds)


@pytest.mark.parametrize("name", ["q", "q.fifo"])
def test_message_is_there_until_its_time_and_not_afterwards(queues: Queues, clock: Clock, name: str) -> None:
    """The period counts from the sending; what is sent later stays longer."""
    queue = queues.make(name, MessageRetentionPeriod=str(KEPT_S))
    queue.put(message("old"), message_group_id="g", message_deduplication_id="1" if name == "q.fifo" else None)
    clock.now += KEPT_S - 1
    queue.remove_expired_messages()
    assert (1, 0, 0) == _counts(queue)
    queue.put(message("new"), message_group_id="h", message_deduplication_id="2" if name == "q.fifo" else None)
    clock.now += 1

    assert ["new"] == bodies(queue.receive(10, visibility_timeout=5))
    assert (0, 1, 0) == _counts(queue)


def test_state_of_a_message_does_not_keep_it(queues: Queues, clock: Clock) -> None:
    """Messages in flight and delayed ones expire too; their receipt handles mean nothing then."""
    queue = queues.make("q", MessageRetentionPeriod=str(KEPT_S))
    queue.put(message("received"))
    handle = queue.receive(1, visibility_timeout=HOUR_S).receipt_handles[0]
    queue.put(message("delayed"), delay_seconds=900)
    queue.put(message("visible"))
    assert (1, 1, 1) == _counts(queue)
    clock.now += KEPT_S
    queue.remove_expired_messages()

    assert (0, 0, 0) == _counts(queue)
    queue.remove(handle)
    clock.now += HOUR_S
    queue.requeue_inflight_messages()
    queue.enqueue_delayed_messages()
    assert [] == bodies(queue.receive(10))


def test_dead_letter_of_a_standard_queue_counts_from_its_first_sending(queues: Queues, clock: Clock) -> None:
    """A message that was kept for long when it moved is there for the rest of the time only."""
    dead = queues.make("dead", MessageRetentionPeriod=str(KEPT_S))
    dead.put(message("moved", sent_ts=clock.now - KEPT_S + 10))
    dead.put(message("sent", sent_ts=clock.now))
    clock.now += 10
    dead.remove_expired_messages()

    assert ["sent"] == bodies(dead.receive(10))


def test_dead_letter_of_a_fifo_queue_counts_from_its_move(queues: Queues, clock: Clock) -> None:
    """FIFO queues give it the whole time."""
    dead = queues.make("dead.fifo", MessageRetentionPeriod=str(KEPT_S))
    sent = message("moved", sent_ts=clock.now - KEPT_S + 10)
    dead.put(sent, message_group_id="g", message_deduplication_id="1")
    clock.now += KEPT_S - 1
    dead.remove_expired_messages()
    assert 1 == dead.approximate_number_of_messages
    clock.now += 1
    dead.remove_expired_messages()

    assert 0 == dead.approximate_number_of_messages


def test_worker_of_the_service_removes_what_has_expired(queues: Queues, clock: Clock) -> None:
    """Without anybody asking for messages."""
    queue = queues.make("q", MessageRetentionPeriod=str(KEPT_S))
    queue.put(message("m"))
    clock.now += KEPT_S
    provider.QueueUpdateWorker().do_update_all_queues()

    assert (0, 0, 0) == _counts(queue)


def test_changed_period_holds_for_messages_that_are_there(queues: Queues, clock: Clock) -> None:
    """The period is the queue's as it is now."""
    queue = queues.make("q", MessageRetentionPeriod=str(KEPT_S))
    queue.put(message("m"))
    queue.attributes["MessageRetentionPeriod"] = "1000"
    clock.now += KEPT_S
    queue.remove_expired_messages()
    assert (1, 0, 0) == _counts(queue)
    queue.attributes["MessageRetentionPeriod"] = "60"
    queue.remove_expired_messages()

    assert (0, 0, 0) == _counts(queue)


def test_deleted_message_does_not_expire_again(queues: Queues, clock: Clock) -> None:
    """What was deleted before is none of those that expire; the order of the rest stays."""
    queue = queues.make("q", MessageRetentionPeriod=str(KEPT_S))
    for number in range(3):
        queue.put(message(str(number)))
        clock.now += 1
    queue.remove(queue.receive(1, visibility_timeout=30).receipt_handles[0])
    clock.now += KEPT_S - 2
    queue.remove_expired_messages()

    assert ["2"] == bodies(queue.receive(10, visibility_timeout=30))


def test_emptied_group_takes_messages_as_before(queues: Queues, clock: Clock) -> None:
    """A FIFO group whose messages expired hands out the next ones one batch at a time."""
    queue = queues.make("q.fifo", MessageRetentionPeriod=str(KEPT_S))
    queue.put(message("old"), message_group_id="g", message_deduplication_id="1")
    clock.now += KEPT_S
    queue.remove_expired_messages()
    for body in ("a", "b"):
        queue.put(message(body), message_group_id="g", message_deduplication_id=body)
    first = queue.receive(1, visibility_timeout=30)

    assert ["a"] == bodies(first)
    assert [] == bodies(queue.receive(1, visibility_timeout=30))
    queue.remove(first.receipt_handles[0])
    assert ["b"] == bodies(queue.receive(1, visibility_timeout=30))


def test_expired_message_in_flight_frees_its_group(queues: Queues, clock: Clock) -> None:
    """The messages behind one that expired with its consumer are not held up."""
    queue = queues.make("q.fifo", MessageRetentionPeriod=str(KEPT_S))
    queue.put(message("old"), message_group_id="g", message_deduplication_id="1")
    queue.receive(1, visibility_timeout=HOUR_S)
    clock.now += KEPT_S - 1
    queue.put(message("next"), message_group_id="g", message_deduplication_id="2")
    clock.now += 1

    assert ["next"] == bodies(queue.receive(1, visibility_timeout=30))
