"""Changes to LocalStack's behaviour: each small, named, switchable, and guarded against a changed LocalStack.

A patch module has a docstring that says what it changes and why, and a function ``patch()``. It states the functions
that it replaces, or relies on, with ``expect``: when LocalStack's source of one of them changes, the start fails and
names the patch.
"""

import hashlib
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from typing import Any

from dlqlab.emulator import settings

ALL: tuple[str, ...] = (
    "exact_visibility",
    "concurrent_pollers",
    "sqs_records",
    "mapping_rules",
    "fifo_groups",
    "direct_invoke",
    "direct_logs",
    "subscription_filters",
    "log_filter_resources",
    "batched_metrics",
    "embedded_metrics",
    "metric_filters",
    "oldest_message",
    "exact_dimensions",
    "lean_chain",
    "unparsed_dynamodb",
    "direct_dynamodb",
    "exact_dynamodb",
    "direct_sqs",
    "direct_api",
    "shared_timers",
    "quick_ids",
    "quick_headers",
    "filed_logs",
    "filter_patterns",
    "direct_log_reads",
    "prompt_create",
    "queue_limits",
    "batch_entries",
    "receipt_handles",
    "redelivery_order",
    "redrive",
    "message_retention",
    "lambda_requests",
    "rest_api_answers",
    "function_urls",
    "stack_addresses",
    "event_rules",
    "event_dead_letters",
    "alarm_histories",
    "alarm_actions",
    "logs_insights",
    "version_updates",
    "async_updates",
    "function_dead_letters",
    "served_runtimes",
    "isolated_observers",
    "recorder",
)
"""Every patch in the order in which they are applied."""
RECORDER = "recorder"


class PatchError(RuntimeError):
    """LocalStack is not the one that a patch was written for."""


def by_default() -> tuple[str, ...]:
    """All of them; without the recorder where DLQLAB_RECORDER is off.

    Raises:
        UsageError: DLQLAB_RECORDER makes no sense.
    """
    return ALL if settings.is_recorder_on() else tuple(name for name in ALL if name != RECORDER)


def apply(names: tuple[str, ...]) -> None:
    """Apply the named patches.

    Raises:
        PatchError: a name is unknown, or LocalStack's source changed under a patch.
    """
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise PatchError(f"no patch named {unknown[0]}: there are {', '.join(ALL)}")
    for name in names:
        importlib.import_module(f"{__name__}.{name}").patch()


def summary(name: str) -> str:
    """The first line of a patch's docstring, without importing LocalStack."""
    spec = importlib.util.find_spec(f"{__name__}.{name}")
    if spec is None or spec.origin is None:
        raise PatchError(f"no patch named {name}: there are {', '.join(ALL)}")
    with open(spec.origin) as file:  # noqa: PTH123
        source = file.read()
    return source.split('"""')[1].strip().splitlines()[0]


def fingerprint(function: Callable[..., Any]) -> str:
    """The first 12 hex digits of SHA-256 over a function's source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def expect(patch: str, function: Callable[..., Any], expected: str) -> None:
    """Refuse to patch a function whose source is not the one that the patch was written for."""
    found = fingerprint(function)
    if found != expected:
        raise PatchError(
            f"patch {patch}: {function.__module__}.{function.__qualname__} has changed (fingerprint {found}, expected "
            f"{expected}); use the locked LocalStack, or start without this patch (--without-patch {patch})"
        )
