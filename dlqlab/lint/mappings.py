"""Rules about event source mappings."""

from typing import Final

from dlqlab.lint import sources
from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.settings import PARTIAL_RESPONSES, Settings

BATCH_MAX: Final = 10_000
BATCH_MAX_FIFO: Final = 10
BATCH_MAX_WITHOUT_WINDOW: Final = 10
WINDOW_MAX_S: Final = 300
CONCURRENCY: Final = (2, 1_000)
POLLERS_LEAST: Final = (2, 200)
POLLERS_MOST: Final = (2, 10_000)
POLLERS_MOST_EVERYWHERE: Final = 2_000
"""AWS's pages differ: see ``sources.POLLERS``."""
INVOCATION_MAX_BYTES: Final = 6 * 1024 * 1024


def _one_mapping(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name} has {one.mappings} event source mappings to {one.function.name}, expected 1"
        for one in settings.consumers
        if one.mappings != 1
    ]


def _enabled(settings: Settings) -> list[str]:
    return [
        f"the mapping of {one.queue.name} is disabled" for one, mapping in settings.mapped if not mapping.is_enabled
    ]


def _batch_range(settings: Settings) -> list[str]:
    found = []
    for one, mapping in settings.mapped:
        most = BATCH_MAX_FIFO if one.queue.is_fifo else BATCH_MAX
        if not 1 <= mapping.batch_size <= most:
            kind = "FIFO" if one.queue.is_fifo else "standard"
            found.append(f"{one.queue.name}: batch size {mapping.batch_size}, outside 1 to {most} of a {kind} queue")
    return found


def _window_range(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name}: window {mapping.batch_window_s} s, outside 0 to {WINDOW_MAX_S} s"
        for one, mapping in settings.mapped
        if not 0 <= mapping.batch_window_s <= WINDOW_MAX_S
    ]


def _window_of_fifo(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name}: window {mapping.batch_window_s} s on a FIFO queue"
        for one, mapping in settings.mapped
        if one.queue.is_fifo and mapping.batch_window_s
    ]


def _batch_has_window(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name}: batch size {mapping.batch_size} without a window"
        for one, mapping in settings.mapped
        if mapping.batch_size > BATCH_MAX_WITHOUT_WINDOW and mapping.batch_window_s < 1 and not one.queue.is_fifo
    ]


def _concurrency_range(settings: Settings) -> list[str]:
    low, high = CONCURRENCY
    return [
        f"{one.queue.name}: MaximumConcurrency {mapping.max_concurrency}, outside {low} to {high}"
        for one, mapping in settings.mapped
        if mapping.max_concurrency is not None and not low <= mapping.max_concurrency <= high
    ]


def _pollers_range(settings: Settings) -> list[str]:
    found = []
    for one, mapping in settings.mapped:
        if mapping.pollers is None:
            continue
        least, most = mapping.pollers
        fits = POLLERS_LEAST[0] <= least <= POLLERS_LEAST[1] and POLLERS_MOST[0] <= most <= POLLERS_MOST[1]
        if not fits or least > most:
            found.append(f"{one.queue.name}: provisioned pollers {least} to {most}")
    return found


def _pollers_disputed(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name}: up to {mapping.pollers[1]:,} provisioned pollers"
        for one, mapping in settings.mapped
        if mapping.pollers is not None and POLLERS_MOST_EVERYWHERE < mapping.pollers[1] <= POLLERS_MOST[1]
    ]


def _one_limit(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name}: MaximumConcurrency {mapping.max_concurrency} and provisioned pollers {mapping.pollers}"
        for one, mapping in settings.mapped
        if mapping.max_concurrency is not None and mapping.pollers is not None
    ]


def _silent_loss(settings: Settings) -> list[str]:
    return [
        f"the mapping of {one.queue.name} has response types {list(mapping.response_types)}, and {one.function.name} "
        "reports failed messages in its answer"
        for one, mapping in settings.mapped
        if one.function.reports_failures and PARTIAL_RESPONSES not in mapping.response_types
    ]


def _batch_fits(settings: Settings) -> list[str] | None:
    mapping = settings.tasks.mapping
    if settings.load is None or mapping is None:
        return None
    size = mapping.batch_size * settings.load.payload_bytes
    if size <= INVOCATION_MAX_BYTES:
        return []
    batch = f"{mapping.batch_size} messages of {settings.load.payload_bytes:,} bytes"
    return [f"{batch} are {size:,}, an invocation takes {INVOCATION_MAX_BYTES:,}"]


RULES: Final = (
    Rule(
        id="one-mapping",
        severity=Severity.ERROR,
        check=_one_mapping,
        why="Without a mapping nobody works on the queue, and no message moves to the dead-letter queue; two "
        "share the messages.",
        source=sources.MAPPING_CONFIGURE,
        remedy="Deploy again: dlqlab destroy, then dlqlab deploy.",
    ),
    Rule(
        id="mapping-enabled",
        severity=Severity.ERROR,
        check=_enabled,
        why="Nobody works on the queue; a message moves to the dead-letter queue only when it is received.",
        source=sources.MAPPING_API,
        remedy="Enable the mapping.",
    ),
    Rule(
        id="batch-range",
        severity=Severity.ERROR,
        check=_batch_range,
        why="Lambda refuses it.",
        source=sources.MAPPING_PARAMETERS,
        remedy="Give 1 to 10000, on a FIFO queue 1 to 10.",
    ),
    Rule(
        id="window-range",
        severity=Severity.ERROR,
        check=_window_range,
        why="Lambda refuses it.",
        source=sources.MAPPING_API,
        remedy="Give 0 to 300 s.",
    ),
    Rule(
        id="fifo-window",
        severity=Severity.ERROR,
        check=_window_of_fifo,
        why="Lambda refuses a batching window on a FIFO queue.",
        source=sources.MAPPING_PARAMETERS,
        remedy="Set the window to 0.",
    ),
    Rule(
        id="batch-has-window",
        severity=Severity.ERROR,
        check=_batch_has_window,
        why="Lambda refuses a batch size over 10 without a window of at least 1 s.",
        source=sources.MAPPING_API,
        remedy="Set pipeline.batch_window_s to 1 or more, or the batch size to 10 or less.",
    ),
    Rule(
        id="max-concurrency-range",
        severity=Severity.ERROR,
        check=_concurrency_range,
        why="Lambda refuses it.",
        source=sources.MAPPING_SCALING,
        remedy="Give 2 to 1000, or none.",
    ),
    Rule(
        id="pollers-range",
        severity=Severity.ERROR,
        check=_pollers_range,
        why="Lambda refuses it.",
        source=sources.POLLERS,
        remedy="Give a least of 2 to 200 and a most of 2 to 10000 pollers, the least not over the most.",
    ),
    Rule(
        id="pollers-disputed",
        severity=Severity.WARNING,
        check=_pollers_disputed,
        why="AWS's pages differ: the API reference takes 2 to 10,000 pollers for SQS, the SDKs' model and the CDK's "
        "reference 2 to 2,000, so that CloudFormation or an account may refuse it.",
        source=f"{sources.POLLERS} and {sources.POLLERS_CDK}",
        remedy="Give a most of 2000 pollers, or try it on an account first.",
    ),
    Rule(
        id="one-concurrency-limit",
        severity=Severity.ERROR,
        check=_one_limit,
        why="Lambda refuses both at once.",
        source=sources.MAPPING_SCALING,
        remedy="Choose MaximumConcurrency or provisioned pollers.",
    ),
    Rule(
        id="silent-loss",
        severity=Severity.ERROR,
        check=_silent_loss,
        why="Lambda ignores the answer and deletes the whole batch: each failed task is lost without a retry, a "
        "dead letter or an error.",
        source=sources.MAPPING_ERRORS,
        remedy="Set FunctionResponseTypes to ReportBatchItemFailures: dlqlab deploy does it and proves it.",
    ),
    Rule(
        id="batch-payload",
        severity=Severity.INFO,
        check=_batch_fits,
        why="Lambda hands over fewer messages than the batch size: what was tuned for this size will not see it.",
        source=sources.LAMBDA_QUOTAS,
        remedy="Lower pipeline.batch_size or load.payload_bytes.",
    ),
)
