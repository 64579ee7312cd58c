"""Rules about how much there is of something: messages in flight, requests a second, bytes of an item."""

from typing import Final

from dlqlab.lint import sources
from dlqlab.lint.functions import POLLERS_UNLIMITED
from dlqlab.lint.queues import IN_FLIGHT_MAX
from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.settings import Settings
from dlqlab.lint.waits import hidden_messages

ITEM_MAX_BYTES: Final = 400_000
HISTORY_ENTRY_BYTES: Final = 650
"""One attempt in a task's item: an error text of up to 500 characters, its type, two times, names of fields."""
GATEWAY_RATE_PER_S: Final = 10_000


def _backoffs_fit(settings: Settings) -> list[str] | None:
    if settings.load is None or settings.faults is None or settings.retry is None or settings.load.rate_per_s == 0:
        return None
    hidden = hidden_messages(settings.load.rate_per_s, settings.faults, settings.retry)
    hidden = min(hidden, settings.load.tasks)
    if hidden <= IN_FLIGHT_MAX:
        return []
    rate = f"{settings.load.rate_per_s:g} tasks/s"
    return [f"at {rate} some {hidden:,.0f} messages wait in backoffs, and {IN_FLIGHT_MAX:,} may be in flight"]


def _batches_fit(settings: Settings) -> list[str]:
    found = []
    for one, mapping in settings.mapped:
        batches = mapping.max_concurrency or POLLERS_UNLIMITED
        if mapping.batch_size * batches > IN_FLIGHT_MAX:
            held = f"{batches:,} batches of {mapping.batch_size:,} messages"
            found.append(f"{one.queue.name}: {held} at once, and {IN_FLIGHT_MAX:,} may be in flight")
    return found


def _rate_fits(settings: Settings) -> list[str] | None:
    if settings.load is None:
        return None
    rate = settings.load.rate_per_s
    return [] if rate <= GATEWAY_RATE_PER_S else [f"{rate:,.0f} tasks/s, API Gateway takes {GATEWAY_RATE_PER_S:,}"]


def _item_fits(settings: Settings) -> list[str] | None:
    if settings.load is None or settings.retry is None:
        return None
    attempts = settings.retry.max_attempts
    size = settings.load.payload_bytes + attempts * HISTORY_ENTRY_BYTES
    if size <= ITEM_MAX_BYTES:
        return []
    return [
        f"a payload of {settings.load.payload_bytes:,} bytes and {attempts} attempts make an item of {size:,} bytes"
    ]


RULES: Final = (
    Rule(
        id="backoffs-fit-in-flight",
        severity=Severity.WARNING,
        check=_backoffs_fit,
        why="A message in its backoff counts as in flight; at the limit SQS hands out no others (OverLimit), and the "
        "pipeline stands still.",
        source=sources.SQS_QUOTAS,
        remedy="Lower retry.base_s, factor or cap_s, or split the load over several queues.",
    ),
    Rule(
        id="batches-fit-in-flight",
        severity=Severity.WARNING,
        check=_batches_fit,
        why="At the limit SQS hands out no more messages (OverLimit).",
        source=sources.SQS_QUOTAS,
        remedy="Lower pipeline.batch_size or pipeline.max_concurrency.",
    ),
    Rule(
        id="gateway-rate",
        severity=Severity.WARNING,
        check=_rate_fits,
        why="API Gateway answers 429 to what is over the account's limit.",
        source=sources.GATEWAY_QUOTAS,
        remedy="Lower load.rate_per_s, or have the account's limit raised.",
    ),
    Rule(
        id="item-size",
        severity=Severity.WARNING,
        check=_item_fits,
        why="DynamoDB holds 400 KB an item: the history of the last attempts cannot be written, and they fail.",
        source=sources.DYNAMODB_LIMITS,
        remedy="Lower retry.max_retries or load.payload_bytes.",
    ),
)
