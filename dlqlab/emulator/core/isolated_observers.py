"""What only counts, times or reports an invocation or a queue operation cannot fail it, nor what depends on its result.

In LocalStack metrics of queues, counters for its telemetry, timers of idle environments and the report of an
asynchronous failure run inside the operation: an exception of theirs fails it after it is done, so that it is repeated.
A trace header that cannot be handed to a function is replaced by a new one.
"""

import functools
from collections.abc import Callable
from typing import Any

from localstack.services.apigateway.next_gen.execute_api.handlers.analytics import IntegrationUsageCounter
from localstack.services.lambda_.event_source_mapping import esm_event_processor
from localstack.services.lambda_.invocation import execution_environment, version_manager
from localstack.services.lambda_.invocation.event_manager import Poller
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.sqs.provider import CloudwatchDispatcher
from localstack.utils.analytics.metrics.counter import LabeledCounter, ThreadSafeCounter
from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.emulator.core.isolation import isolated

_OBSERVERS: tuple[tuple[Any, str, str], ...] = (
    (version_manager.LambdaVersionManager, "store_logs", "log lines of functions"),
    (CloudwatchDispatcher, "dispatch_metric_message_sent", "metrics of queues"),
    (CloudwatchDispatcher, "dispatch_metric_message_deleted", "metrics of queues"),
    (CloudwatchDispatcher, "dispatch_metric_received", "metrics of queues"),
    (ThreadSafeCounter, "increment", "LocalStack's own counters"),
    (IntegrationUsageCounter, "__call__", "LocalStack's own counters"),
    # Else an event whose destination cannot be reported to does not reach the function's dead-letter queue either.
    (Poller, "process_success_destination", "reports to on-success destinations"),
    (Poller, "process_failure_destination", "reports to on-failure destinations"),
)
"""Class, method, and what is lost when it fails. None of them returns anything."""


class NoCounter:
    """In place of a counter that cannot be found."""

    def increment(self, value: int = 1) -> None:
        """Count nothing."""


class GuardedTimer:
    """A timer that its user need not worry about."""

    _guard = isolated("timers of execution environments")

    def __init__(self, make: Callable[..., Any], interval_s: float, function: Callable[..., object]) -> None:
        self._timer: Any = None
        with self._guard:
            self._timer = make(interval_s, function)

    def start(self) -> None:
        with self._guard:
            self._timer.start()

    def cancel(self) -> None:
        with self._guard:
            self._timer.cancel()


def guard(owner: Any, name: str, part: str) -> None:
    """Let no exception of a method out."""
    original, inside = getattr(owner, name), isolated(part)

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> None:
        with inside:
            original(*args, **kwargs)

    setattr(owner, name, method)


def _guard_labels() -> None:
    original, inside = LabeledCounter.labels, isolated("LocalStack's own counters")

    @functools.wraps(original)
    def labels(*args: Any, **kwargs: Any) -> Any:
        with inside:
            return original(*args, **kwargs)
        return NoCounter()

    LabeledCounter.labels = labels


def _guard_metrics() -> None:
    original, inside = version_manager.start_thread, isolated("metrics of functions")

    @functools.wraps(original)
    def start_thread(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not str(kwargs.get("name")).startswith("record-cloudwatch-metric"):
            return original(method, *args, **kwargs)
        with inside:
            return original(method, *args, **kwargs)
        return None

    version_manager.start_thread = start_thread


def _guard_timers() -> None:
    execution_environment.Timer = functools.partial(GuardedTimer, execution_environment.Timer)


def _clean_trace_headers() -> None:
    original = ExecutionEnvironment.invoke

    @functools.wraps(original)
    def invoke(self: Any, invocation: Any) -> Any:
        header = invocation.trace_context.get("aws_trace_header")
        if header is not None and not is_sendable(header):
            invocation.trace_context["aws_trace_header"] = TraceHeader().ensure_root_exists()
        return original(self, invocation)

    ExecutionEnvironment.invoke = invoke


def is_sendable(header: Any) -> bool:
    """Whether a trace header can stand in a header of HTTP, as which a function gets it."""
    with isolated("trace headers"):
        text = header.to_header_str()
        return bool(text.isascii() and text.isprintable())
    return False


def _nothing(_events: Any) -> str:
    return ""


def patch() -> None:
    for owner, name, part in _OBSERVERS:
        guard(owner, name, part)
    _guard_labels()
    _guard_metrics()
    _guard_timers()
    _clean_trace_headers()
    # Writes all events of a batch as JSON for a log that is none, and fails for a binary attribute.
    esm_event_processor.to_json_str = _nothing
