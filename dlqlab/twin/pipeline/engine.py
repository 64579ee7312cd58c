"""A pipeline in simulated time: one event after the other, the same for the same seed.

What mappings and functions do is here, by the rules of Lambda: a batch is given when it is full or its window is over;
a batch for which no concurrency is free stays hidden, and its receives count; a message that failed stays in the queue,
with its whole batch where the function raised (Lambda developer guide, "Using Lambda with Amazon SQS").
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from dlqlab.twin.pipeline.clock import Clock
from dlqlab.twin.pipeline.environments import Environments
from dlqlab.twin.pipeline.model import Consumer, Failing, Hop, Pipeline
from dlqlab.twin.pipeline.outcome import Outcome
from dlqlab.twin.pipeline.pollers import OBSERVE_S, Pollers
from dlqlab.twin.pipeline.queues import Message
from dlqlab.twin.pipeline.traffic import Traffic

EVENTS_MAX: Final = 20_000_000
LONG_POLL_S: Final = 20.0
"""How long a poll of an empty queue lasts (SQS API reference, WaitTimeSeconds)."""

type Batch = Sequence[tuple[Message, int]]
"""Messages with the receive count that each of them has in this batch."""


def simulate(pipeline: Pipeline, seed: int, *, events_max: int = EVENTS_MAX) -> Outcome:
    """Its load through the pipeline, until nothing is left to do.

    Raises:
        UsageError: it does not end: messages come back at once, again and again, or there are too many.
    """
    return _Mappings(pipeline, seed).play(events_max)


class _Mappings:
    def __init__(self, pipeline: Pipeline, seed: int) -> None:
        self._pipeline, self._clock, self._out = pipeline, Clock(seed), Outcome()
        self._traffic = Traffic(pipeline, self._clock, self._out, self._poll)
        self._functions = {name: Environments(rules) for name, rules in pipeline.functions.items()}
        self._out.functions = {name: one.counts for name, one in self._functions.items()}
        self._pollers: dict[str, list[Pollers]] = {name: [] for name in pipeline.queues}
        for consumer in pipeline.consumers:
            self._pollers[consumer.queue].append(Pollers.of(consumer, pipeline.pollers_max))

    def play(self, events_max: int) -> Outcome:
        for arrival in self._pipeline.arrivals:
            self._clock.at(arrival.at_s, partial(self._traffic.arrive, arrival))
        self._clock.run(events_max)
        self._out.events, self._out.ended_at_s = self._clock.events, self._clock.now_s
        return self._out

    def _poll(self, name: str) -> None:
        for pollers in self._pollers[name]:
            if not pollers.observes:
                pollers.observes = True
                self._clock.after(OBSERVE_S, partial(self._observe, pollers))
            self._serve(pollers)

    def _observe(self, pollers: Pollers) -> None:
        if pollers.observe(self._traffic.queues[pollers.rules.queue].visible):
            self._clock.after(OBSERVE_S, partial(self._observe, pollers))
        self._out.idle_poller_s += max(0, pollers.free) * OBSERVE_S
        self._serve(pollers)

    def _serve(self, pollers: Pollers) -> None:
        """Batches for the pollers that are free, as far as there are messages."""
        rules = pollers.rules
        queue = self._traffic.queues[rules.queue]
        if pollers.gathering is not None:
            self._traffic.fill(pollers.gathering, queue, rules)
            if len(pollers.gathering) < rules.batch_size:
                return
            self._give(pollers)
        while pollers.free > 0 and queue.can_give:
            batch: list[Message] = []
            self._traffic.fill(batch, queue, rules)
            if batch and rules.window_s and len(batch) < rules.batch_size:
                pollers.gathering = batch
                pollers.gather += 1
                self._clock.after(rules.window_s, partial(self._window_over, pollers, pollers.gather))
                return
            if batch:
                self._deliver(pollers, batch)

    def _window_over(self, pollers: Pollers, gather: int) -> None:
        if pollers.gathering is not None and pollers.gather == gather:
            self._give(pollers)
            self._serve(pollers)

    def _give(self, pollers: Pollers) -> None:
        batch, pollers.gathering = pollers.gathering or [], None
        self._deliver(pollers, batch)

    def _deliver(self, pollers: Pollers, batch: list[Message]) -> None:
        pollers.take()
        given = [(message, message.receives) for message in batch]
        self._clock.after(self._clock.draw(pollers.rules.deliver_s), partial(self._invoke, pollers, given))

    def _invoke(self, pollers: Pollers, given: Batch) -> None:
        rules, function = pollers.rules, self._functions[pollers.rules.function]
        if function.is_full:
            function.counts.throttled += 1
            pollers.give_back(failed=True)
            self._serve(pollers)
            return
        init_s = function.start(self._clock.draw)
        raises, failed = self._failures(rules, given)
        durations = rules.fails if failed and rules.fails.n else rules.succeeds
        took_s = durations.of(len(given), self._clock.draw(durations.spread))
        timeout_s = function.rules.timeout_s
        if timeout_s is not None and took_s > max(timeout_s, rules.succeeds.longest_s, rules.fails.longest_s):
            took_s, raises, failed = timeout_s, True, set(range(len(given)))
        counts = function.counts
        counts.invocations += 1
        counts.deliveries += len(given)
        counts.failed += len(failed)
        counts.busy_s += took_s
        for at, (message, _) in enumerate(given):
            self._send(rules, message, init_s, took_s, is_ok=at not in failed)
        self._clock.after(init_s + took_s, partial(self._end, pollers, given, failed, is_error=raises))

    def _failures(self, rules: Consumer, given: Batch) -> tuple[bool, set[int]]:
        """Whether the function raises, and the places in the batch of what stays in the queue."""
        happens, failing = self._clock.happens, rules.failing
        raising = [happens(Failing.rate(failing.raises, receives)) for _, receives in given]
        if any(raising):
            return True, set(range(len(given)))
        named = [happens(Failing.rate(failing.named, receives)) for _, receives in given]
        return False, {at for at, is_named in enumerate(named) if is_named}

    def _end(self, pollers: Pollers, given: Batch, failed: set[int], *, is_error: bool) -> None:
        self._functions[pollers.rules.function].end()
        for at in sorted(failed):
            self._put_off(pollers.rules, *given[at])
        done = [one for at, one in enumerate(given) if at not in failed]
        self._clock.after(
            self._clock.draw(pollers.rules.settle_s), partial(self._settle, pollers, done, is_error=is_error)
        )

    def _put_off(self, rules: Consumer, message: Message, receives: int) -> None:
        """What the function does to the visibility timeout of a message that failed."""
        known = [receive for receive in rules.hides if receive <= receives]
        seconds = self._clock.choose(rules.hides[max(known)]) if known else None
        is_held = not message.is_gone and not message.is_visible and message.receives == receives
        if seconds is not None and is_held:
            self._functions[rules.function].counts.hides += 1
            self._traffic.hide(message, seconds)

    def _settle(self, pollers: Pollers, done: Batch, *, is_error: bool) -> None:
        for message, receives in done:
            self._traffic.delete(message, receives)
        pollers.give_back(failed=is_error)
        for each in self._pollers[pollers.rules.queue]:  # a FIFO group may be free for any of them
            self._serve(each)

    def _send(self, rules: Consumer, message: Message, init_s: float, took_s: float, *, is_ok: bool) -> None:
        """What the attempt sends, at its times."""
        for hop in rules.hops.get((message.visits.get(message.queue, 0), is_ok), ()):
            for _ in range(self._clock.number(hop.counts)):
                part, after_s = self._clock.choose(hop.lags)
                self._traffic.expect(message.root, hop.queue)
                self._functions[rules.function].counts.sent += 1
                self._clock.after(init_s + took_s * part + after_s, partial(self._sent, message, hop))

    def _sent(self, parent: Message, hop: Hop) -> None:
        visits = {**parent.visits, parent.queue: parent.visits.get(parent.queue, 0) + 1}
        self._traffic.enter(parent.root, hop.queue, self._clock.draw(hop.delays_s), parent.group, visits)
