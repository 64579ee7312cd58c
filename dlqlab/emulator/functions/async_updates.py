"""Asynchronous invocations are neither lost nor delayed by an update of their function, nor cut short by its deletion.

LocalStack drops events that it has received when it stops a function's poller: they come back after the function's
time-out and a minute. It deletes the queue under invocations that run, whose destinations then get nothing. Here what a
poller has received is invoked, by the new version where there is one, and the queue goes with the last of them.
"""

import logging
import threading
from typing import Any

from localstack.services.lambda_.invocation import event_manager
from localstack.services.lambda_.invocation.event_manager import LambdaEventManager, Poller
from localstack.services.lambda_.invocation.lambda_service import LambdaService
from localstack.utils.patch import patch as replace

_LONG_POLL_S = 2
_BATCH = 10
_ERROR_PAUSE_S = 1.0
_LOG = logging.getLogger(__name__)
_emulator_ends = threading.Event()


def _run(poller: Poller) -> None:
    """Receive and invoke until the poller is stopped; what was received by then is invoked too."""
    version = poller.version_manager.function_version
    client = event_manager.get_sqs_client(version, client_config=event_manager.CLIENT_CONFIG)
    stopped: threading.Event = poller._shutdown_event
    while not stopped.is_set():
        try:
            answer = client.receive_message(
                QueueUrl=poller.event_queue_url,
                WaitTimeSeconds=_LONG_POLL_S,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=version.config.timeout + 60,
            )
        except Exception:  # noqa: BLE001  (as LocalStack)
            # As LocalStack: a queue that is gone or refuses is asked again until the poller is stopped.
            if not stopped.wait(_ERROR_PAUSE_S):
                _LOG.exception("cannot receive the events of %s", version.qualified_arn)
            continue
        for message in answer.get("Messages") or ():
            poller.invoker_pool.submit(poller.handle_message, message)
    poller.invoker_pool.shutdown(wait=False, cancel_futures=_emulator_ends.is_set())


def _stop_after_its_invocations(original: Any, manager: LambdaEventManager, poller: Poller) -> None:
    poller.stop()
    thread = manager.poller_thread
    if thread is not None:
        thread.join()
    poller.invoker_pool.shutdown(wait=True)
    original(manager)


def patch() -> None:

    @replace(Poller.run)
    def run(_original, self, *_args, **_kwargs):  # type: ignore[no-untyped-def]
        _run(self)

    @replace(Poller.stop)
    def stop_polling(_original, self):  # type: ignore[no-untyped-def]
        self._shutdown_event.set()

    @replace(LambdaEventManager.stop)
    def stop(original, self):  # type: ignore[no-untyped-def]
        poller = self.poller
        if poller is None or _emulator_ends.is_set():
            original(self)
            return
        # In a thread of its own: an invocation may take a quarter of an hour, and LocalStack's pool has few.
        target = _stop_after_its_invocations
        threading.Thread(target=target, args=(original, self, poller), daemon=True, name="dlqlab-last-events").start()

    @replace(LambdaService.stop)
    def stop_all(original, self):  # type: ignore[no-untyped-def]
        _emulator_ends.set()
        original(self)
