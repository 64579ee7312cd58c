"""Messages on their way through the queues in simulated time: they enter, are hidden, come back, leave.

Visibility counts from the receive, and from ChangeMessageVisibility where a function calls it; the receive after the
last one allowed moves a message (SQS developer guide, "Using dead-letter queues in Amazon SQS"); a delete takes effect
unless the message has been received again since (SQS API reference, DeleteMessage).
"""

import math
from collections.abc import Callable

from dlqlab.twin.pipeline.clock import Clock
from dlqlab.twin.pipeline.model import Arrival, Consumer, Pipeline
from dlqlab.twin.pipeline.outcome import Outcome, QueueCounts
from dlqlab.twin.pipeline.queues import Message, Queue


class Traffic:
    """All queues. ``on_visible`` is told a queue's name whenever something of it can be received anew."""

    def __init__(self, pipeline: Pipeline, clock: Clock, out: Outcome, on_visible: Callable[[str], None]) -> None:
        self.queues = {name: Queue(rules) for name, rules in pipeline.queues.items()}
        out.queues = {name: QueueCounts() for name in pipeline.queues}
        self._letters = pipeline.dead_letter_queues
        self._clock, self._out, self._on_visible = clock, out, on_visible

    def arrive(self, arrival: Arrival) -> None:
        """A message that comes from nowhere: the beginning of a chain."""
        root = len(self._out.entered_s)
        self._out.entered_s.append(self._clock.now_s)
        self._out.ended_s.append(math.nan)
        self._out.open.append(0)
        self.expect(root, arrival.queue)
        self.enter(root, arrival.queue, arrival.delay_s, arrival.group, {})

    def expect(self, root: int, queue: str) -> None:
        """A message of this chain is in that queue, or on its way there."""
        self._out.open[root] += queue not in self._letters

    def enter(
        self, root: int, queue: str, delay_s: float, group: str | None, visits: dict[str, int], *, receives: int = 0
    ) -> None:
        """A message of an expected chain is in its queue; a dead letter's receives go on."""
        now_s = self._clock.now_s
        message = Message(
            root=root, queue=queue, sent_s=now_s, order=now_s, group=group, visits=visits, receives=receives
        )
        self._out.queues[queue].entered += 1
        if delay_s > 0:
            self._clock.after(delay_s, lambda: self._show(message))
        else:
            self._show(message)

    def fill(self, batch: list[Message], queue: Queue, rules: Consumer) -> None:
        """Receive until the batch is full or the queue has nothing more."""
        while len(batch) < rules.batch_size:
            message = queue.take_more(batch[-1].group) if queue.rules.is_fifo and batch else None
            message = message or queue.take()
            if message is None:
                return
            if self._receive(queue, message, rules):
                batch.append(message)

    def hide(self, message: Message, seconds: float) -> None:
        """It cannot be received until then, unless it leaves or is hidden anew before."""
        message.turn += 1
        turn = message.turn

        def back() -> None:
            if message.turn == turn and not message.is_gone and not message.is_visible:
                self.queues[message.queue].release(message)
                self._show(message)

        self._clock.after(seconds, back)

    def delete(self, message: Message, receives: int) -> None:
        """By the receipt handle of that receive."""
        if message.is_gone or message.receives != receives:
            return
        queue = self.queues[message.queue]
        if message.is_visible:
            self._unshow(queue, message)
        else:
            queue.release(message)
        self._out.queues[message.queue].done += 1
        self._leave(message)

    def _show(self, message: Message) -> None:
        queue, counts = self.queues[message.queue], self._out.queues[message.queue]
        queue.show(message, self._clock.now_s)
        counts.visible_max = max(counts.visible_max, queue.visible)
        if message.queue not in self._letters:
            self._out.backlog += 1
            self._out.backlog_max = max(self._out.backlog_max, self._out.backlog)
        self._on_visible(message.queue)

    def _unshow(self, queue: Queue, message: Message) -> None:
        queue.unshow(message)
        self._out.backlog -= message.queue not in self._letters

    def _receive(self, queue: Queue, message: Message, rules: Consumer) -> bool:
        """Whether it is received: it may also expire, be filtered, or be moved to the dead-letter queue."""
        counts, most = self._out.queues[message.queue], queue.rules.max_receive_count
        self._unshow(queue, message)
        if self._clock.now_s - message.sent_s > queue.rules.retention_s:
            counts.expired += 1
        elif most is not None and queue.rules.dead_letters and message.receives >= most:
            counts.dead_lettered += 1
            self._leave(message)
            letters = queue.rules.dead_letters
            self.enter(message.root, letters, 0.0, message.group, message.visits, receives=message.receives)
            return False
        else:
            message.receives += 1
            counts.receives += 1
            if not self._clock.happens(rules.filtered):
                queue.hold(message)
                self.hide(message, queue.rules.visibility_s)
                return True
            counts.filtered += 1
        self._leave(message)
        return False

    def _leave(self, message: Message) -> None:
        message.is_gone = True
        counts, now_s = self._out.queues[message.queue], self._clock.now_s
        counts.oldest_s = max(counts.oldest_s, now_s - message.sent_s)
        if message.queue not in self._letters:
            self._out.open[message.root] -= 1
            self._out.ended_s[message.root] = now_s
