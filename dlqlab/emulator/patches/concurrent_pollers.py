"""Pollers of an SQS event source mapping by Lambda's rules, each waiting at the queue, instead of one that sleeps.

How many there are says ``dlqlab.emulator.scaling``: 5 at first, more while a backlog lasts, fewer when it is quiet or
the function fails. LocalStack has one poller, sleeps after every batch, and backs off on an empty queue. A batch here
may be a process of its own, so the growth of a mapping without MaximumConcurrency ends at DLQLAB_POLLERS_MAX (10 unless
it is set); with it, at MaximumConcurrency.
"""

import logging
import threading
import time
from typing import Any

from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState, EsmWorker
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.sqs.constants import (
    HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT,
    HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS,
)
from localstack.services.sqs.models import StandardQueue
from localstack.services.sqs.queue import InterruptibleQueue
from localstack.utils.aws.arns import parse_arn
from localstack.utils.patch import patch as replace

from dlqlab.emulator import settings
from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import context_of_queue, provider
from dlqlab.emulator.scaling import Seen, first, follow, limits, wake

NAME = "concurrent_pollers"
_LONG_POLL_S = 20
"""As Lambda's; what ends the mapping, or a poller too many, ends the wait."""
_LOOK_S = 1.0
_ERROR_PAUSE_S = 2.0
_BATCH_OF_API = 10
_LOG = logging.getLogger(__name__)


class Crew:
    """The pollers of one mapping."""

    def __init__(self, worker: EsmWorker) -> None:
        self._worker = worker
        self._ended: threading.Event = worker._shutdown_event  # noqa: SLF001
        self._bounds = limits(worker.esm_config, settings.pollers_max())
        self._lock = threading.Lock()
        self._scale = first(self._bounds)
        self._threads: list[threading.Thread] = []
        self._present = self._working = self._batches = self._errors = 0

    def run(self) -> None:
        """Until the mapping is stopped, deleted or replaced; returns when the last poller has ended."""
        self._hire()
        looked = time.monotonic()
        while not self._ended.wait(_LOOK_S):
            now = time.monotonic()
            self._look(now - looked)
            looked = now
        self._call_in()
        for thread in self._threads:
            thread.join()

    def _look(self, elapsed_s: float) -> None:
        queue = _find_queue(self._worker.poller.source_arn)
        waiting = queue.approximate_number_of_messages if queue else 0
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
            self._call_in()
        self._hire()

    def _hire(self) -> None:
        """Start the pollers that are missing."""
        with self._lock:
            missing = max(0, self._scale.size - self._present)
            self._present += missing
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            new = [threading.Thread(target=self._poll, daemon=True, name="dlqlab-poller") for _ in range(missing)]
            for thread in new:
                thread.start()
            self._threads += new

    def _call_in(self) -> None:
        """Wake every poller that waits at the queue, so that those that are not wanted end."""
        queue = _find_queue(self._worker.poller.source_arn)
        if queue:
            with queue.visible.not_empty:
                queue.visible.not_empty.notify_all()

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
            except Exception:  # noqa: BLE001
                # As LocalStack: a queue that is gone or refuses is asked again until the mapping is removed.
                _LOG.exception("cannot receive from %s", self._worker.poller.source_arn)
                self._ended.wait(_ERROR_PAUSE_S)
                continue
            if messages:
                self._work(messages)
        # It may have been woken for a message that it now leaves to another.
        queue = _find_queue(self._worker.poller.source_arn)
        if queue:
            with queue.visible.not_empty:
                queue.visible.not_empty.notify()

    def _next_batch(self) -> list[dict[str, Any]]:
        """Wait until there is a message, then receive; empty when the wait was in vain."""
        queue = _find_queue(self._worker.poller.source_arn)
        if queue and not _wait_at(queue.visible, self._is_too_many):
            return []
        return receive(self._worker.poller)

    def _work(self, messages: list[dict[str, Any]]) -> None:
        with self._lock:
            self._working += 1
            self._batches += 1
            self._scale = wake(self._scale, self._bounds)
        self._hire()
        failed = True
        try:
            failed = bool(_serving(self._worker).poller.handle_messages(messages))
        except Exception as error:  # noqa: BLE001
            # A failed batch stays in flight until its visibility timeout is over: nothing more is to be done.
            _LOG.warning("batch of %d from %s failed: %s", len(messages), self._worker.poller.source_arn, error)
        with self._lock:
            self._working -= 1
            self._errors += failed


def receive(poller: SqsPoller) -> list[dict[str, Any]]:
    """One batch of what is there; a batching window is waited for as LocalStack does."""
    headers = {}
    if poller.batch_size > _BATCH_OF_API:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT] = str(poller.batch_size)
    if poller.maximum_batching_window:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS] = str(poller.maximum_batching_window)
    result = provider("sqs").receive_message(
        context_of_queue(poller.source_arn, headers),
        queue_url=poller.queue_url,
        message_system_attribute_names=["All"],
        message_attribute_names=["All"],
        max_number_of_messages=min(poller.batch_size, _BATCH_OF_API),
        wait_time_seconds=0,
    )
    return result.get("Messages") or []


def _find_queue(arn: str) -> StandardQueue | None:
    """The queue as it is now: one that was deleted and made again is another object."""
    queue = parse_arn(arn)
    return provider("sqs").get_store(queue["account"], queue["region"]).queues.get(queue["resource"])


def _wait_at(visible: InterruptibleQueue, is_too_many: Any) -> bool:
    """Wait for a message without taking it, for one long poll at most; whether there is one.

    ``queue.Queue.put`` wakes one waiter for each message. A waiter that is woken receives, or ends and wakes another.
    """
    with visible.not_empty:
        if not visible._qsize() and not visible.is_shutdown and not is_too_many():  # noqa: SLF001
            visible.not_empty.wait(_LONG_POLL_S)
        return bool(visible._qsize() or visible.is_shutdown) and not is_too_many()  # noqa: SLF001


def _serving(worker: EsmWorker) -> EsmWorker:
    """The worker that serves the mapping now.

    An update puts a new worker in place while pollers of the old one still receive: what they got is the new one's, or
    a failed message could be deleted by rules that no longer hold.
    """
    return provider("lambda").esm_workers.get(worker.uuid) or worker


def _run(worker: EsmWorker) -> None:
    with worker._state_lock:  # noqa: SLF001
        worker.current_state = EsmState.ENABLED
        worker.update_esm_state_in_store(EsmState.ENABLED)
        worker.state_transition_reason = worker.user_state_reason
    Crew(worker).run()
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
    expect(NAME, EsmWorker.poller_loop, "0c30912d7428")
    expect(NAME, EsmWorker.stop, "55e4147285f7")
    expect(NAME, EsmWorker.delete, "d7a6ba58742b")
    expect(NAME, SqsPoller.poll_events, "f82978977f64")
    expect(NAME, StandardQueue.receive, "99e0321c768a")
    expect(NAME, InterruptibleQueue.get, "dac89abc6d2e")

    @replace(EsmWorker.poller_loop)
    def poller_loop(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202
        # Order within a message group allows one batch at a time: FIFO queues keep LocalStack's poller.
        if isinstance(self.poller, SqsPoller) and not self.poller.source_arn.endswith(".fifo"):
            _run(self)
        else:
            original(self, *args, **kwargs)
