"""Pollers of an SQS event source mapping by Lambda's rules, each waiting at the queue, instead of one that sleeps.

How many there are says ``dlqlab.emulator.mappings.scaling``: 5 at first, more while a backlog lasts, fewer when it is
quiet or the function fails. LocalStack has one poller, sleeps after every batch, and backs off on an empty queue. A
batch here may be a process of its own, so the growth of a mapping without MaximumConcurrency ends at DLQLAB_POLLERS_MAX
(10 unless it is set); with it, at MaximumConcurrency.

A batching window is the mapping's: one poller gathers at a time, until its batch is full, holds 6 MB, or the window
since its first message is over; AWS does not say how its pollers share the messages of a window. In a FIFO queue the
queue itself gives no message of a group of which others are in flight, so that a group's batches follow each other.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState, EsmWorker
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.utils.patch import patch as replace

from dlqlab.emulator import settings
from dlqlab.emulator.core.services import provider
from dlqlab.emulator.mappings.mapped_queues import Message, find_queue, put_back, receivable, receive, wait_at, wake
from dlqlab.emulator.mappings.records import MAX_EVENT_BYTES
from dlqlab.emulator.mappings.scaling import Seen, first, follow, limits
from dlqlab.emulator.mappings.scaling import wake as woken
from dlqlab.emulator.mappings.sqs_records import NotStartedError

_LONG_POLL_S = 20
"""As Lambda's; what ends the mapping, or a poller too many, ends the wait."""
_OBSERVE_S = 1.0
_ERROR_PAUSE_S = 2.0
_LOG = logging.getLogger(__name__)


class PollerGroup:
    """The pollers of one mapping."""

    def __init__(self, worker: EsmWorker) -> None:
        self._worker = worker
        self._ended: threading.Event = worker._shutdown_event
        self._bounds = limits(worker.esm_config, settings.pollers_max())
        self._lock = threading.Lock()
        self._gathering = threading.Lock()
        self._scale = first(self._bounds)
        self._threads: list[threading.Thread] = []
        self._present = self._working = self._batches = self._errors = 0
        self._trouble = ""

    def run(self) -> None:
        """Until the mapping is stopped, deleted or replaced; returns when the last poller has ended."""
        self._grow()
        observed = time.monotonic()
        while not self._ended.wait(_OBSERVE_S):
            now = time.monotonic()
            try:
                self._observe(now - observed)
            except Exception:  # noqa: BLE001  (the mapping must go on)
                _LOG.exception("cannot scale the mapping of %s, which goes on", self._arn)
            observed = now
        wake(self._arn, everybody=True)
        for thread in self._threads:
            thread.join()

    @property
    def _arn(self) -> str:
        return str(self._worker.poller.source_arn)

    def _observe(self, elapsed_s: float) -> None:
        queue = find_queue(self._arn)
        waiting = receivable(queue) if queue else 0
        with self._lock:
            seen = Seen(
                elapsed_s=elapsed_s,
                waiting=waiting,
                working=self._working,
                batches=self._batches,
                errors=self._errors,
            )
            self._batches = self._errors = 0
            self._scale = follow(self._scale, self._bounds, seen)
            surplus = self._present > self._scale.size
        if surplus:
            wake(self._arn, everybody=True)
        self._grow()

    def _grow(self) -> None:
        """Start the pollers that are missing."""
        with self._lock:
            missing = max(0, self._scale.size - self._present)
            self._present += missing
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            new = [threading.Thread(target=self._poll, daemon=True, name="dlqlab-poller") for _ in range(missing)]
            for thread in new:
                thread.start()
            self._threads += new

    def _is_too_many(self) -> bool:
        return self._ended.is_set() or self._present > self._scale.size

    def _poll(self) -> None:
        while True:
            with self._lock:
                if self._is_too_many():
                    self._present -= 1
                    break
            try:
                messages = self._next_batch()
                if messages:
                    self._work(messages)
            except Exception as error:  # noqa: BLE001  (a poller goes on whatever happened)
                # A queue that is gone or refuses, or a function that cannot be started: asked again later.
                self._pause(error)
        # It may have been woken for a message that it now leaves to another.
        wake(self._arn, everybody=False)

    def _pause(self, error: Exception) -> None:
        trouble = f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            self._trouble = trouble
            _LOG.warning("the mapping of %s has to wait: %s", self._arn, trouble)
        self._ended.wait(_ERROR_PAUSE_S)

    def _next_batch(self) -> list[Message]:
        """Wait until there is a message, then receive; empty when the wait was in vain."""
        poller = self._worker.poller
        if not poller.maximum_batching_window:
            return receive(poller, poller.batch_size) if self._waits(_LONG_POLL_S) else []
        with self._turn() as is_mine:
            return self._gather(poller) if is_mine and self._waits(_LONG_POLL_S) else []

    def _waits(self, timeout_s: float) -> bool:
        """Whether something can be received within that time; also where the queue is gone, which receiving tells."""
        queue = find_queue(self._arn)
        return queue is None or wait_at(queue, timeout_s, self._is_too_many)

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """The right to gather, which one poller has at a time; False when it was not free in a while."""
        is_mine = self._gathering.acquire(timeout=_OBSERVE_S)
        try:
            yield is_mine
        finally:
            if is_mine:
                self._gathering.release()

    def _gather(self, poller: SqsPoller) -> list[Message]:
        """A batch by its size, by 6 MB, or by the window since its first message."""
        due = time.monotonic() + poller.maximum_batching_window
        batch: dict[str, Message] = {}
        try:
            self._fill(poller, batch, due)
        except Exception:
            put_back(self._arn, batch.values())
            raise
        if self._ended.is_set():
            put_back(self._arn, batch.values())
            return []
        return [*batch.values()]

    def _fill(self, poller: SqsPoller, batch: dict[str, Message], due: float) -> None:
        characters = 0
        while not self._ended.is_set():
            for message in receive(poller, poller.batch_size - len(batch)):
                # One that came back meanwhile replaces its earlier self: only its last receipt handle is good.
                batch[message["MessageId"]] = message
                characters += len(message["Body"])
            left_s = due - time.monotonic()
            if len(batch) >= poller.batch_size or characters >= MAX_EVENT_BYTES or left_s <= 0:
                return
            queue = find_queue(self._arn)
            if queue is not None:
                wait_at(queue, left_s, self._ended.is_set)

    def _work(self, messages: list[Message]) -> None:
        with self._lock:
            self._working += 1
            self._batches += 1
            self._scale = woken(self._scale, self._bounds)
        failed = True
        try:
            self._grow()
            failed = bool(_serving(self._worker).poller.handle_messages(messages))
            self._trouble = ""
        except NotStartedError:
            raise
        except Exception as error:  # noqa: BLE001  (a poller goes on whatever happened)
            # A failed batch stays in flight until its visibility timeout is over: nothing more is to be done.
            _LOG.warning("batch of %d from %s failed: %s", len(messages), self._arn, error)
        finally:
            with self._lock:
                self._working -= 1
                self._errors += failed


def _serving(worker: EsmWorker) -> EsmWorker:
    """The worker that serves the mapping now.

    An update puts a new worker in place while pollers of the old one still receive: what they got is the new one's, or
    a failed message could be deleted by rules that no longer hold.
    """
    return provider("lambda").esm_workers.get(worker.uuid) or worker


def serve(worker: EsmWorker, poll: Callable[[], None]) -> None:
    """Poll until the mapping is stopped, deleted or replaced, and keep its state."""
    with worker._state_lock:
        if not worker._shutdown_event.is_set():
            worker.current_state = EsmState.ENABLED
            worker.update_esm_state_in_store(EsmState.ENABLED)
        worker.state_transition_reason = worker.user_state_reason
    poll()
    worker.poller.close()
    _settle(worker)


def _settle(worker: EsmWorker) -> None:
    """The mapping's last state.

    LocalStack's worker also writes after an update has put another in its place, so that an updated mapping looks
    disabled: here only the worker that still serves the mapping writes.
    """
    if worker.current_state == EsmState.DELETING:
        worker.delete_esm_in_store()
    elif worker.current_state == EsmState.DISABLING and provider("lambda").esm_workers.get(worker.uuid) is worker:
        worker.current_state = EsmState.DISABLED
        worker.update_esm_state_in_store(EsmState.DISABLED)


def patch() -> None:

    @replace(EsmWorker.poller_loop)
    def poller_loop(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]
        if isinstance(self.poller, SqsPoller):
            serve(self, PollerGroup(self).run)
        else:
            original(self, *args, **kwargs)
