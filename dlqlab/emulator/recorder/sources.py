"""Who asks for invocations: mappings, REST APIs, function URLs, services, functions, clients."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.lambda_.invocation.event_manager import LambdaEventManager

from dlqlab.emulator.httpapi.calls import Calls
from dlqlab.emulator.mappings import concurrent_pollers, stream_pollers
from dlqlab.emulator.recorder import actors
from dlqlab.emulator.recorder.actors import HERE, Actor
from dlqlab.emulator.recorder.askers import asker_of
from dlqlab.emulator.recorder.witness import Witness

_REMEMBERED_MAX = 10_000


def install(witness: Witness) -> "Asked":
    """Have each thread know for whom it invokes; returns who asked for what runs later."""
    asked = Asked()
    _on_asking(witness, asked)
    _mark_mappings()
    _mark_streams()
    _mark_apis()
    _mark_http_apis()
    return asked


@dataclass(slots=True)
class Asked:
    """Who asked for the asynchronous invocations that wait, by their request ids; the oldest are forgotten."""

    _askers: OrderedDict[str, tuple[Any, ...]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request_id: str, asker: tuple[Any, ...]) -> None:
        with self._lock:
            self._askers[request_id] = asker
            if len(self._askers) > _REMEMBERED_MAX:
                self._askers.popitem(last=False)

    def find(self, request_id: str) -> tuple[Any, ...] | None:
        with self._lock:
            return self._askers.get(request_id)


def _on_asking(witness: Witness, asked: Asked) -> None:
    original = LambdaEventManager.enqueue_event

    @functools.wraps(original)
    def enqueue_event(self: LambdaEventManager, invocation: Any) -> Any:
        try:
            asked.note(invocation.request_id, asker_of(HERE.doing))
        except Exception as error:  # noqa: BLE001  (it must be invoked)
            witness.failed(error)
        return original(self, invocation=invocation)

    LambdaEventManager.enqueue_event = enqueue_event


def _mark_mappings() -> None:
    next_batch, handle_messages = concurrent_pollers.PollerGroup._next_batch, SqsPoller.handle_messages

    @functools.wraps(next_batch)
    def next_(self: concurrent_pollers.PollerGroup) -> Any:
        actor: Actor | None = self.recorded_actor  # type: ignore[attr-defined]
        if actor is None:
            actor = self.recorded_actor = actors.of_worker(self._worker)  # type: ignore[attr-defined]
        HERE.doing.actor = actor  # the thread is the mapping's own
        return next_batch(self)

    @functools.wraps(handle_messages)
    def handle(self: SqsPoller, messages: Any) -> Any:
        doing = HERE.doing
        doing.poller, doing.is_invoked = self, False
        try:
            return handle_messages(self, messages)
        finally:
            doing.poller = None

    concurrent_pollers.PollerGroup.recorded_actor = None  # type: ignore[attr-defined]
    concurrent_pollers.PollerGroup._next_batch = next_  # type: ignore[method-assign]
    SqsPoller.handle_messages = handle


def _mark_streams() -> None:
    original = stream_pollers.Lane.hand_over

    @functools.wraps(original)
    def hand_over(self: stream_pollers.Lane, event: bytes) -> Any:
        doing = HERE.doing
        doing.actor, doing.stream_arn = actors.of_worker(self.worker), self.stream_arn  # the thread is the lane's own
        try:
            return original(self, event)
        finally:
            doing.stream_arn = None

    stream_pollers.Lane.hand_over = hand_over  # type: ignore[method-assign]


def _mark_apis() -> None:
    original = RestApiAwsProxyIntegration.call_lambda

    @functools.wraps(original)
    def call_lambda(**kwargs: Any) -> bytes:
        doing = HERE.doing
        doing.api_arn = kwargs.get("source_arn")
        try:
            return original(**kwargs)  # type: ignore[no-any-return]
        finally:
            doing.api_arn = None

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)


def _mark_http_apis() -> None:
    original = Calls.bound

    @functools.wraps(original)
    def bound(function_arn: str, event: bytes, source_arn: str, trace: str | None) -> Callable[[], Any]:
        invoke, actor = original(function_arn, event, source_arn, trace), HERE.doing.actor

        def invoke_for() -> Any:
            doing = HERE.doing  # the thread may be one of its own
            before = doing.actor
            doing.actor, doing.api_arn = actor, source_arn
            try:
                return invoke()
            finally:
                doing.actor, doing.api_arn = before, None

        return invoke_for

    Calls.bound = staticmethod(bound)  # type: ignore[assignment,method-assign]
