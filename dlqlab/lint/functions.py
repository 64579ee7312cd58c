"""Rules about functions: their timeouts, their concurrency, their variables."""

from collections.abc import Iterator
from typing import Final

from dlqlab.lint import sources
from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.settings import Consumer, Settings

TIMEOUT_MAX_S: Final = 900
VISIBILITY_FACTOR: Final = 6
POLLERS_UNLIMITED: Final = 1_250
"""Batches at once that a mapping without MaximumConcurrency may grow to."""
RECEIVES_ADVISED: Final = 5
API_TIMEOUT_MAX_S: Final = 29
VARIABLES_MAX_BYTES: Final = 4_096


def _visibility_covers_timeout(settings: Settings) -> list[str]:
    return [
        f"{one.function.name}: timeout {one.function.timeout_s} s, over the visibility timeout of "
        f"{one.queue.visibility_timeout_s} s of {one.queue.name}"
        for one in settings.consumers
        if one.function.timeout_s > one.queue.visibility_timeout_s
    ]


def _visibility_is_ample(settings: Settings) -> list[str]:
    found = []
    for one, mapping in settings.mapped:
        advised = VISIBILITY_FACTOR * one.function.timeout_s + mapping.batch_window_s
        if one.function.timeout_s <= one.queue.visibility_timeout_s < advised:
            found.append(
                f"{one.queue.name}: visibility timeout {one.queue.visibility_timeout_s} s, under {VISIBILITY_FACTOR} x "
                f"{one.function.timeout_s} s + window of {mapping.batch_window_s} s = {advised} s"
            )
    return found


def _timeout_range(settings: Settings) -> list[str]:
    return [
        f"{function.name}: timeout {function.timeout_s} s, outside 1 to {TIMEOUT_MAX_S} s"
        for function in settings.functions
        if not 1 <= function.timeout_s <= TIMEOUT_MAX_S
    ]


def _failures_raise(settings: Settings) -> list[str] | None:
    known = [one for one in settings.consumers if one.function.reports_failures is not None]
    if not known:
        return None
    return [f"{one.function.name} raises where a message fails" for one in known if not one.function.reports_failures]


def _limited(settings: Settings) -> Iterator[tuple[Consumer, int, int]]:
    """Consumers with reserved concurrency: what is reserved, and how many batches may run at once."""
    for one, mapping in settings.mapped:
        if one.function.reserved_concurrency is not None:
            yield one, one.function.reserved_concurrency, mapping.max_concurrency or POLLERS_UNLIMITED


def _not_switched_off(settings: Settings) -> list[str]:
    return [f"{one.function.name}: reserved concurrency 0" for one, reserved, _ in _limited(settings) if reserved == 0]


def _reserved_covers_pollers(settings: Settings) -> list[str]:
    return [
        f"{one.function.name}: reserved concurrency {reserved}, and its mapping may run {pollers:,} batches at once"
        for one, reserved, pollers in _limited(settings)
        if 0 < reserved < pollers
    ]


def _is_throttled(settings: Settings) -> bool:
    return any(one is settings.tasks and reserved < pollers for one, reserved, pollers in _limited(settings))


def _receives_survive_throttles(settings: Settings) -> list[str] | None:
    if settings.redrive is None:
        return None
    receives = settings.redrive.max_receive_count
    if receives >= RECEIVES_ADVISED or not _is_throttled(settings):
        return []
    return [f"maxReceiveCount {receives}, and {settings.tasks.function.name} can be throttled"]


def _receives_are_few(settings: Settings) -> list[str] | None:
    if settings.redrive is None:
        return None
    receives = settings.redrive.max_receive_count
    if receives >= RECEIVES_ADVISED or _is_throttled(settings):
        return []
    return [f"maxReceiveCount {receives}, AWS advises {RECEIVES_ADVISED} or more"]


def _api_answers_in_time(settings: Settings) -> list[str] | None:
    if settings.api is None:
        return None
    if settings.api.timeout_s <= API_TIMEOUT_MAX_S:
        return []
    return [f"{settings.api.name}: timeout {settings.api.timeout_s} s, API Gateway waits {API_TIMEOUT_MAX_S} s"]


def _variables_fit(settings: Settings) -> list[str] | None:
    known = [(one.name, one.variables_bytes) for one in settings.functions if one.variables_bytes is not None]
    if not known:
        return None
    return [f"{name}: {size:,} bytes of environment variables, over {VARIABLES_MAX_BYTES:,}" for name, size in known
            if size > VARIABLES_MAX_BYTES]  # fmt: skip


def _variables_are_read(settings: Settings) -> list[str]:
    return [] if settings.problem is None else [settings.problem]


RULES: Final = (
    Rule(
        id="visibility-covers-timeout",
        severity=Severity.ERROR,
        check=_visibility_covers_timeout,
        why="A task is handed to a second function while the first still works on it. Lambda refuses the mapping.",
        source=sources.MAPPING_CONFIGURE,
        remedy="Raise the visibility timeout to 6 times the function timeout, or lower the function timeout.",
    ),
    Rule(
        id="visibility-is-ample",
        severity=Severity.WARNING,
        check=_visibility_is_ample,
        why="While the function is throttled Lambda retries a batch that it has received; the messages must stay "
        "hidden so long.",
        source=sources.MAPPING_CONFIGURE,
        remedy="Raise the visibility timeout to 6 times the function timeout plus the batch window.",
    ),
    Rule(
        id="function-timeout-range",
        severity=Severity.ERROR,
        check=_timeout_range,
        why="Lambda refuses it.",
        source=sources.LAMBDA_QUOTAS,
        remedy="Give 1 to 900 s.",
    ),
    Rule(
        id="failures-raise",
        severity=Severity.WARNING,
        check=_failures_raise,
        why="A function that raises makes Lambda call it less often, and messages that are done come again where "
        "deleting fails.",
        source=sources.MAPPING_ERRORS,
        remedy="Deploy with dlqlab deploy, which proves that the mapping honours partial batch responses and then "
        "uses them.",
    ),
    Rule(
        id="function-switched-off",
        severity=Severity.ERROR,
        check=_not_switched_off,
        why="Every call is throttled; each throttled receive counts, so that all tasks end in the dead-letter "
        "queue untried.",
        source=sources.LAMBDA_RESERVED,
        remedy="Remove the reserved concurrency, or give more than 0.",
    ),
    Rule(
        id="reserved-covers-pollers",
        severity=Severity.WARNING,
        check=_reserved_covers_pollers,
        why="What is over is throttled, and each throttled receive brings a message nearer to the dead-letter "
        "queue without an attempt.",
        source=sources.MAPPING_SCALING,
        remedy="Set MaximumConcurrency of the mapping to at most what is reserved.",
    ),
    Rule(
        id="receives-survive-throttles",
        severity=Severity.WARNING,
        check=_receives_survive_throttles,
        why="Throttled receives count towards maxReceiveCount: tasks are dead-lettered with attempts left.",
        source=sources.MAPPING_CONFIGURE,
        remedy="Keep the mapping within the reserved concurrency, or raise maxReceiveCount (retry.max_retries) to 5 "
        "or more.",
    ),
    Rule(
        id="receives-are-few",
        severity=Severity.INFO,
        check=_receives_are_few,
        why="Receives without an attempt (throttles, crashes of batch mates) dead-letter a task early. Here the "
        "number of retries is the experiment, and the verdict looks for such tasks.",
        source=sources.MAPPING_CONFIGURE,
        remedy="In production set retry.max_retries to 4 or more, unless an early dead letter is what you want.",
    ),
    Rule(
        id="api-timeout",
        severity=Severity.WARNING,
        check=_api_answers_in_time,
        why="API Gateway answers 504 while the function goes on: the client sees a failure for a task that is "
        "accepted.",
        source=sources.GATEWAY_QUOTAS,
        remedy="Set the API function's timeout below 29 s.",
    ),
    Rule(
        id="variables-size",
        severity=Severity.ERROR,
        check=_variables_fit,
        why="Lambda refuses it.",
        source=sources.LAMBDA_QUOTAS,
        remedy="Shorten the function's environment variables to 4 KB in all.",
    ),
    Rule(
        id="variables-readable",
        severity=Severity.ERROR,
        check=_variables_are_read,
        why="The functions refuse to start with these variables: every invocation fails.",
        source=sources.APP_STRATEGY,
        remedy="Deploy again with dlqlab deploy SCENARIO.",
    ),
)
