"""Several pollers per SQS event source mapping, each waiting at the queue, instead of one that sleeps between polls.

Lambda starts with 5 concurrent batches per mapping and goes no higher than MaximumConcurrency ("Lambda event source
mapping scaling" for SQS, AWS Lambda developer guide). LocalStack has one poller, sleeps after every batch, and backs
off on an empty queue. Lambda also adds up to 300 batches a minute while there is a backlog: not here, where each would
be a process of its own on a laptop; give MaximumConcurrency to have more than 5.
"""

import logging
import threading
from typing import Any

from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState, EsmWorker
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.sqs.constants import (
    HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT,
    HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS,
)
from localstack.utils.patch import patch as replace

from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import provider, sqs_context

NAME = "concurrent_pollers"
INITIAL_POLLERS = 5
_WAIT_S = 1
"""How long a poller waits at an empty queue before it looks whether its mapping still exists."""
_ERROR_PAUSE_S = 2.0
_LOG = logging.getLogger(__name__)


def pollers_of(mapping: dict[str, Any]) -> int:
    """How many pollers a mapping gets."""
    maximum = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
    return int(maximum) if maximum else INITIAL_POLLERS


def receive(poller: SqsPoller) -> list[dict[str, Any]]:
    """One batch from the poller's queue; waits at an empty queue. A batching window is honoured as LocalStack does."""
    headers = {}
    if poller.batch_size > 10:  # noqa: PLR2004  (the API's limit, which event source mappings exceed)
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_MESSAGE_COUNT] = str(poller.batch_size)
    if poller.maximum_batching_window:
        headers[HEADER_LOCALSTACK_SQS_OVERRIDE_WAIT_TIME_SECONDS] = str(poller.maximum_batching_window)
    result = provider("sqs").receive_message(
        sqs_context(poller.source_arn, headers),
        queue_url=poller.queue_url,
        message_system_attribute_names=["All"],
        message_attribute_names=["All"],
        max_number_of_messages=min(poller.batch_size, 10),
        wait_time_seconds=_WAIT_S,
    )
    return result.get("Messages") or []


def _poll(worker: EsmWorker) -> None:
    while not worker._shutdown_event.is_set():  # noqa: SLF001
        try:
            messages = receive(worker.poller)
        except Exception:  # noqa: BLE001
            # As LocalStack: a queue that is gone or refuses is asked again until the mapping is removed.
            _LOG.exception("cannot receive from %s", worker.poller.source_arn)
            worker._shutdown_event.wait(_ERROR_PAUSE_S)  # noqa: SLF001
            continue
        if not messages:
            continue
        try:
            _serving(worker).poller.handle_messages(messages)
        except Exception as error:  # noqa: BLE001
            # A failed batch stays in flight until its visibility timeout is over: nothing more is to be done.
            _LOG.warning("batch of %d from %s failed: %s", len(messages), worker.poller.source_arn, error)


def _serving(worker: EsmWorker) -> EsmWorker:
    """The worker that serves the mapping now.

    An update puts a new worker in place while pollers of the old one still wait at the queue: what they receive is the
    new one's, or a failed message could be deleted by rules that no longer hold.
    """
    return provider("lambda").esm_workers.get(worker.uuid) or worker


def _run(worker: EsmWorker) -> None:
    with worker._state_lock:  # noqa: SLF001
        worker.current_state = EsmState.ENABLED
        worker.update_esm_state_in_store(EsmState.ENABLED)
        worker.state_transition_reason = worker.user_state_reason
    threads = [
        threading.Thread(target=_poll, args=(worker,), daemon=True, name=f"dlqlab-poller-{worker.uuid[:8]}-{number}")
        for number in range(pollers_of(worker.esm_config))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
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

    @replace(EsmWorker.poller_loop)
    def poller_loop(original, self, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202
        # Order within a message group allows one batch at a time: FIFO queues keep LocalStack's poller.
        if isinstance(self.poller, SqsPoller) and not self.poller.source_arn.endswith(".fifo"):
            _run(self)
        else:
            original(self, *args, **kwargs)
