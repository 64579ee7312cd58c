"""Rules about queues, their redrive policy and the names of everything."""

from typing import Final

from dlqlab.lint import sources
from dlqlab.lint.rule import Rule, Severity
from dlqlab.lint.settings import Settings

VISIBILITY_MAX_S: Final = 43_200
RETENTION_S: Final = (60, 1_209_600)
RETENTION_DEFAULT_S: Final = 345_600
DELAY_MAX_S: Final = 900
RECEIVES_MAX: Final = 1_000
MESSAGE_BYTES_MAX: Final = 1_048_576
ESCAPED: Final = 3  # bytes that one byte of a payload takes at most once it is escaped to ASCII: é is \u00e9
PAYLOAD_MAX_BYTES: Final = 262_144
IN_FLIGHT_MAX: Final = 120_000


def _visibility_range(settings: Settings) -> list[str]:
    return [
        f"{one.queue.name}: visibility timeout {one.queue.visibility_timeout_s} s, outside 0 to {VISIBILITY_MAX_S} s"
        for one in settings.consumers
        if not 0 <= one.queue.visibility_timeout_s <= VISIBILITY_MAX_S
    ]


def _retention_range(settings: Settings) -> list[str] | None:
    known = [(one.queue.name, one.queue.retention_s) for one in settings.consumers if one.queue.retention_s is not None]
    if not known:
        return None
    low, high = RETENTION_S
    return [f"{name}: retention {kept} s, outside {low} to {high} s" for name, kept in known
            if not low <= kept <= high]  # fmt: skip


def _delay_range(settings: Settings) -> list[str] | None:
    known = [(one.queue.name, one.queue.delay_s) for one in settings.consumers if one.queue.delay_s is not None]
    if not known:
        return None
    return [f"{name}: delay {delay} s, outside 0 to {DELAY_MAX_S} s" for name, delay in known
            if not 0 <= delay <= DELAY_MAX_S]  # fmt: skip


def _has_redrive(settings: Settings) -> list[str]:
    if settings.redrive is not None:
        return []
    return [f"{settings.tasks.queue.name} has no redrive policy"]


def _redrive_allowed(settings: Settings) -> list[str] | None:
    if settings.redrive is None or settings.dead_letter_queue is None:
        return None
    if settings.redrive.is_allowed:
        return []
    return [f"{settings.dead_letter_queue.name} does not list {settings.tasks.queue.name} among its sources"]


def _receives_range(settings: Settings) -> list[str] | None:
    if settings.redrive is None:
        return None
    receives = settings.redrive.max_receive_count
    return [] if 1 <= receives <= RECEIVES_MAX else [f"maxReceiveCount {receives}, outside 1 to {RECEIVES_MAX}"]


def _receives_cover_attempts(settings: Settings) -> list[str] | None:
    if settings.redrive is None or settings.retry is None:
        return None
    receives, attempts = settings.redrive.max_receive_count, settings.retry.max_attempts
    if receives >= attempts:
        return []
    return [f"maxReceiveCount {receives}, and the retry policy makes {attempts} attempts"]


def _receives_end_with_attempts(settings: Settings) -> list[str] | None:
    if settings.redrive is None or settings.retry is None:
        return None
    receives, attempts = settings.redrive.max_receive_count, settings.retry.max_attempts
    if receives <= attempts:
        return []
    return [f"maxReceiveCount {receives}, and the retry policy makes only {attempts} attempts"]


def _dead_letters_outlive(settings: Settings) -> list[str] | None:
    source = settings.tasks.queue.retention_s
    kept = settings.dead_letter_queue.retention_s if settings.dead_letter_queue else None
    if source is None or kept is None:
        return None
    return [] if kept > source else [f"dead letters are kept for {kept} s, tasks for {source} s"]


def _same_type(settings: Settings) -> list[str] | None:
    if settings.dead_letter_queue is None:
        return None
    queues = (settings.tasks.queue, settings.dead_letter_queue)
    kinds = {queue.name: "FIFO" if queue.is_fifo else "standard" for queue in queues}
    return [] if len(set(kinds.values())) == 1 else [", ".join(f"{name} is {kind}" for name, kind in kinds.items())]


def _message_fits(settings: Settings) -> list[str]:
    limit = settings.tasks.queue.max_message_bytes
    payload = settings.load.payload_bytes if settings.load else PAYLOAD_MAX_BYTES
    room = MESSAGE_BYTES_MAX if limit is None else limit
    if payload * ESCAPED <= room:
        return []
    return [f"a payload of {payload:,} bytes makes a message of up to {payload * ESCAPED:,}; {room:,} fit"]


def _prefixes(settings: Settings) -> list[str] | None:
    kinds = (settings.queue_names, settings.function_names)
    if not any(kinds):
        return None
    return [
        f"{short} is the beginning of {long}"
        for names in map(sorted, map(set, kinds))  # metrics of queues and functions have dimensions of different names
        for short in names
        for long in names
        if short != long and long.startswith(short)
    ]


RULES: Final = (
    Rule(
        id="visibility-range",
        severity=Severity.ERROR,
        check=_visibility_range,
        why="SQS refuses it; LocalStack takes it without the patch queue_limits.",
        source=sources.SQS_ATTRIBUTES,
        remedy=f"Give 0 to {VISIBILITY_MAX_S} s (12 h).",
    ),
    Rule(
        id="retention-range",
        severity=Severity.ERROR,
        check=_retention_range,
        why="SQS refuses it.",
        source=sources.SQS_ATTRIBUTES,
        remedy="Give 60 s to 14 days (1209600 s).",
    ),
    Rule(
        id="delay-range",
        severity=Severity.ERROR,
        check=_delay_range,
        why="SQS refuses it.",
        source=sources.SQS_ATTRIBUTES,
        remedy="Give 0 to 900 s; a longer wait needs a visibility timeout or a schedule.",
    ),
    Rule(
        id="redrive-policy",
        severity=Severity.ERROR,
        check=_has_redrive,
        why="A task that always fails comes back until its retention ends, then it is deleted without a trace.",
        source=sources.SQS_DEAD_LETTERS,
        remedy="Give the task queue a RedrivePolicy with the dead-letter queue and maxReceiveCount.",
    ),
    Rule(
        id="redrive-allowed",
        severity=Severity.ERROR,
        check=_redrive_allowed,
        why="SQS does not move messages to a dead-letter queue that does not allow their source.",
        source=sources.SQS_DEAD_LETTERS,
        remedy="Add the task queue's ARN to the dead-letter queue's RedriveAllowPolicy.",
    ),
    Rule(
        id="receive-count-range",
        severity=Severity.ERROR,
        check=_receives_range,
        why="SQS refuses it.",
        source=sources.SQS_DEAD_LETTERS,
        remedy=f"Give 1 to {RECEIVES_MAX}.",
    ),
    Rule(
        id="receives-cover-attempts",
        severity=Severity.ERROR,
        check=_receives_cover_attempts,
        why="SQS moves the message to the dead-letter queue before the policy's last retries were made.",
        source=sources.SQS_DEAD_LETTERS,
        remedy="Set maxReceiveCount to retry.max_retries + 1.",
    ),
    Rule(
        id="receives-end-with-attempts",
        severity=Severity.WARNING,
        check=_receives_end_with_attempts,
        why="After its last attempt a task is received again for nothing, and the processor has to bury it.",
        source=sources.APP_STRATEGY,
        remedy="Set maxReceiveCount to retry.max_retries + 1, or raise retry.max_retries.",
    ),
    Rule(
        id="dead-letters-outlive-tasks",
        severity=Severity.WARNING,
        check=_dead_letters_outlive,
        why="In a standard queue the age counts from the first enqueue: a dead letter may expire as it arrives.",
        source=sources.SQS_RETENTION,
        remedy="Keep dead letters longer than tasks: 14 days where tasks are kept for 4.",
    ),
    Rule(
        id="queue-types",
        severity=Severity.ERROR,
        check=_same_type,
        why="SQS refuses a dead-letter queue of another type than its source.",
        source=sources.SQS_DEAD_LETTERS,
        remedy="Make both queues standard, or both FIFO.",
    ),
    Rule(
        id="message-size",
        severity=Severity.ERROR,
        check=_message_fits,
        why="SQS refuses the message, and the API answers 503 for a payload that it should take (up to 256 KiB).",
        source=sources.SQS_QUOTAS,
        remedy="Set MaximumMessageSize to 1048576 (1 MiB), or send smaller payloads.",
    ),
    Rule(
        id="name-prefix",
        severity=Severity.INFO,
        check=_prefixes,
        why="LocalStack adds up the metrics of both where the shorter name is asked for; AWS does not, and neither "
        "does LocalStack with the patch match_dimensions.",
        source=sources.LOCALSTACK_DIMENSIONS,
        remedy="Name them so that no name begins with another, or keep the patch on.",
    ),
)
