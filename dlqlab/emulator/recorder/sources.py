"""Who asks for invocations: mappings, REST APIs, function URLs, services, functions, clients."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localstack.aws.api.lambda_ import InvocationType
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.lambda_.invocation.lambda_service import LambdaService

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.httpapi.calls import Calls
from dlqlab.emulator.mappings import concurrent_pollers, stream_pollers
from dlqlab.emulator.recorder import actors
from dlqlab.emulator.recorder.actors import HERE, Batch
from dlqlab.emulator.recorder.requests import is_http
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
class Source:
    """Who asked for an invocation: as the columns ``source``, ``source_arn`` and ``client_request_id``."""

    name: str | None
    arn: str | None = None
    request_id: str | None = None


@dataclass(slots=True)
class Asked:
    """Who asked for the asynchronous invocations that wait, by their request ids; the oldest are forgotten."""

    _sources: OrderedDict[str, Source] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request_id: str, source: Source) -> None:
        with self._lock:
            self._sources[request_id] = source
            if len(self._sources) > _REMEMBERED_MAX:
                self._sources.popitem(last=False)

    def find(self, request_id: str) -> Source | None:
        with self._lock:
            return self._sources.get(request_id)


def source_here() -> Source:
    """Who is asking for an invocation on this thread."""
    batch = HERE.batch
    if batch is not None:
        return Source("mapping", batch.queue_arn)
    actor = HERE.actor
    if HERE.stream_arn is not None:
        return Source("mapping", HERE.stream_arn)
    if HERE.api_arn is not None:
        return Source("api gateway", HERE.api_arn, actor.request_id)
    if actor.kind == ActorKind.SERVICE.value:
        name, _, arn = (actor.name or "").partition(" ")
        return Source("api gateway" if name == "apigateway" else name, arn or None, actor.request_id)
    if actor.kind == ActorKind.CLIENT.value and is_http():
        return Source("function url", None, actor.request_id)
    return Source(actor.kind, None, actor.request_id)


def source_of(invocation: Any, asked: Asked) -> Source:
    if invocation.invocation_type == InvocationType.Event:
        return asked.find(invocation.request_id) or Source(None)
    return source_here()


def _on_asking(witness: Witness, asked: Asked) -> None:
    original = LambdaService.invoke

    @functools.wraps(original)
    def invoke(self: LambdaService, **kwargs: Any) -> Any:
        try:
            if kwargs.get("invocation_type") == InvocationType.Event:
                asked.note(kwargs["request_id"], source_here())
        except Exception as error:  # noqa: BLE001  (it must be invoked)
            witness.failed(error)
        return original(self, **kwargs)

    LambdaService.invoke = invoke


def _mark_mappings() -> None:
    next_batch, handle_messages = concurrent_pollers.PollerGroup._next_batch, SqsPoller.handle_messages

    @functools.wraps(next_batch)
    def next_(self: concurrent_pollers.PollerGroup) -> Any:
        HERE.actor = actors.of_worker(self._worker)  # the thread is the mapping's own
        return next_batch(self)

    @functools.wraps(handle_messages)
    def handle(self: SqsPoller, messages: Any) -> Any:
        sender = getattr(self.processor, "sender", None)
        HERE.batch = Batch(self.source_arn, bool(getattr(sender, "report_batch_item_failures", False)))
        try:
            return handle_messages(self, messages)
        finally:
            HERE.batch = None

    concurrent_pollers.PollerGroup._next_batch = next_  # type: ignore[method-assign]
    SqsPoller.handle_messages = handle


def _mark_streams() -> None:
    original = stream_pollers.Lane.hand_over

    @functools.wraps(original)
    def hand_over(self: stream_pollers.Lane, event: bytes) -> Any:
        HERE.actor, HERE.stream_arn = actors.of_worker(self.worker), self.stream_arn  # the thread is the lane's own
        try:
            return original(self, event)
        finally:
            HERE.stream_arn = None

    stream_pollers.Lane.hand_over = hand_over  # type: ignore[method-assign]


def _mark_apis() -> None:
    original = RestApiAwsProxyIntegration.call_lambda

    @functools.wraps(original)
    def call_lambda(**kwargs: Any) -> bytes:
        HERE.api_arn = kwargs.get("source_arn")
        try:
            return original(**kwargs)  # type: ignore[no-any-return]
        finally:
            HERE.api_arn = None

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)


def _mark_http_apis() -> None:
    original = Calls.bound

    @functools.wraps(original)
    def bound(function_arn: str, event: bytes, source_arn: str, trace: str | None) -> Callable[[], Any]:
        invoke, actor = original(function_arn, event, source_arn, trace), HERE.actor

        def invoke_for() -> Any:
            before = HERE.actor
            HERE.actor, HERE.api_arn = actor, source_arn  # the thread may be one of its own
            try:
                return invoke()
            finally:
                HERE.actor, HERE.api_arn = before, None

        return invoke_for

    Calls.bound = staticmethod(bound)  # type: ignore[assignment,method-assign]
