"""Where a message comes back to in a standard queue."""

from collections.abc import Callable

import pytest

from tests.unit.emulator.sqs.conftest import Clock, Queues, bodies, message


@pytest.mark.parametrize(("receives", "expected"), [(1, "old"), (2, "old"), (3, "new"), (4, "new")])
@pytest.mark.parametrize("way", ["at once", "terminated", "over"])
def test_place_depends_on_the_receives(
    queues: Queues, clock: Clock, apply: Callable[[str], None], receives: int, expected: str, way: str
) -> None:
    """At the front as one that was sent first; at the end from its third receive on, however it came back."""
    apply("redelivery_order")
    queue = queues.make("q")
    queue.put(message("old"))
    for _ in range(receives - 1):
        queue.receive(1, visibility_timeout=0)
    if way != "at once":
        handle = queue.receive(1, visibility_timeout=30).receipt_handles[0]
    queue.put(message("new"))
    if way == "at once":
        queue.receive(1, visibility_timeout=0)
    elif way == "terminated":
        queue.update_visibility_timeout(handle, 0)
    else:
        clock.now += 30
        queue.requeue_inflight_messages()

    assert expected == bodies(queue.receive(1))[0]


def test_end_is_before_what_is_sent_later(queues: Queues, clock: Clock, apply: Callable[[str], None]) -> None:
    """Behind all that are there, before all that come."""
    apply("redelivery_order")
    queue = queues.make("q")
    queue.put(message("often"))
    for _ in range(2):
        queue.receive(1, visibility_timeout=0)
    clock.now += 1
    handle = queue.receive(1, visibility_timeout=30).receipt_handles[0]
    queue.put(message("before"))
    clock.now += 1
    queue.update_visibility_timeout(handle, 0)
    clock.now += 1
    queue.put(message("after"))

    assert ["before", "often", "after"] == bodies(queue.receive(10))


def test_order_of_any_other_priority_queue_is_its_own(apply: Callable[[str], None]) -> None:
    """Only SQS's queues of visible messages change."""
    from queue import PriorityQueue  # noqa: PLC0415  (to see it as it is after the patch)

    apply("redelivery_order")
    plain: PriorityQueue[int] = PriorityQueue()
    for number in (2, 1, 3):
        plain.put(number)

    assert [1, 2, 3] == [plain.get() for _ in range(3)]
