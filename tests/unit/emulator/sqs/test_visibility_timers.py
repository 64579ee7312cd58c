"""The timer that returns messages to their queues."""

import queue
import threading
import time
from typing import Any

from dlqlab.emulator.sqs.visibility_timers import ReturnTimer


class Message:
    """One whose visibility timeout is over."""

    is_visible = True


class Queue:
    """What the timer needs of LocalStack's, with one message in flight."""

    def __init__(self, message: Message, *, deleted: bool = False) -> None:
        self.mutex = threading.Lock()
        self.inflight: dict[Message, None] = {message: None}
        self.delayed: set[Message] = set()
        self.visible: queue.Queue[Message] = queue.Queue()
        if deleted:
            self.visible.shutdown()

    def _put_message(self, message: Message) -> None:
        self.visible.put_nowait(message)


def test_a_deleted_queue_does_not_end_the_timer() -> None:
    """A message of a queue that has been deleted is left alone, and the next one returns on time."""
    gone, due = Message(), Message()
    deleted: Any = Queue(gone, deleted=True)
    alive: Any = Queue(due)
    timer = ReturnTimer()

    timer.schedule(time.time(), deleted, gone)
    timer.schedule(time.time(), alive, due)

    assert due is alive.visible.get(timeout=10)
    assert deleted.visible.empty()
