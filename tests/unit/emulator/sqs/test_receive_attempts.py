"""Receives that are tried again, on LocalStack's own FIFO queue."""

from collections.abc import Callable
from typing import Any

import pytest
from localstack.services.sqs.models import FifoQueue

from dlqlab.emulator.sqs import receive_attempts
from dlqlab.emulator.sqs.receive_attempts import again, remember
from tests.unit.emulator.sqs.conftest import Clock, Queues, message


@pytest.fixture
def queue(queues: Queues, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> FifoQueue:
    """With two messages and a visibility timeout of 30 s."""
    monkeypatch.setattr(receive_attempts, "time", clock)
    made = queues.make("q.fifo", FifoQueue="true", VisibilityTimeout="30")
    for body in ("a1", "b1"):
        made.put(message(body), message_group_id=body[0], message_deduplication_id=body)
    return made


def _receive(queue: FifoQueue) -> dict[str, Any]:
    """As the service answers; the receive has the id ``1``."""
    result = queue.receive(10)
    pairs = zip(result.successful, result.receipt_handles, strict=True)
    answer = {"Messages": [{"Body": one.message["Body"], "ReceiptHandle": handle} for one, handle in pairs]}
    remember(queue, "1", answer)
    return answer


def test_same_messages_come_again_and_are_hidden_anew(queue: FifoQueue, clock: Clock) -> None:
    """Whoever tries again and again keeps them."""
    answer = _receive(queue)
    assert len(answer["Messages"]) == 2
    for _ in range(3):
        clock.now += 20
        assert again(queue, "1", None) == answer
    queue.requeue_inflight_messages()

    assert queue.receive(10).successful == []
    assert again(queue, "2", None) is None


def _delete(queue: FifoQueue, handle: str, _clock: Clock) -> None:
    queue.remove(handle)


def _change(queue: FifoQueue, handle: str, _clock: Clock) -> None:
    queue.update_visibility_timeout(handle, 60)


def _wait(_queue: FifoQueue, _handle: str, clock: Clock) -> None:
    clock.now += 31


@pytest.mark.parametrize("touch", [_delete, _change, _wait])
def test_what_was_touched_is_not_given_again(
    queue: FifoQueue, clock: Clock, touch: Callable[[FifoQueue, str, Clock], None]
) -> None:
    """Deleted, changed in its visibility, or visible again: it is a new receive."""
    answer = _receive(queue)
    touch(queue, answer["Messages"][0]["ReceiptHandle"], clock)

    assert again(queue, "1", None) is None


def test_id_is_forgotten_after_five_minutes(queue: FifoQueue, clock: Clock) -> None:
    """However often it was used until then."""
    _receive(queue)
    for _ in range(11):
        clock.now += 28
        if clock.now - 1_700_000_000 < 300:
            assert again(queue, "1", None) is not None

    assert again(queue, "1", None) is None
    assert queue.receive_attempts == {}
