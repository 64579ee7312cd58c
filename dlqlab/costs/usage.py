"""What a load uses of AWS, counted from a simulation's exact totals.

The counts follow the app: which calls it makes for a task, an attempt, a dead letter. Bytes of lines and items are
those of the app with ids of AWS's length; tests hold them against the app.
"""

import math
from dataclasses import dataclass
from typing import Final

from dlqlab.twin.contract import Simulation, Totals

MEMORY_MB: Final = 256
"""Of each function: app/.chalice/config.json."""
SQS_CHUNK_BYTES: Final = 65_536
RECEIVE_MAX: Final = 10  # messages that one call of ReceiveMessage or DeleteMessageBatch takes
ENVELOPE_BYTES: Final = 200  # of a message around its payload
ITEM_BYTES: Final = 700  # of a task's item without payload and history
HISTORY_BYTES: Final = 200  # of one attempt in it
LETTER_BYTES: Final = 700  # of an archived letter without its payload
WRITE_UNIT_BYTES: Final = 1_024
READ_UNIT_BYTES: Final = 4_096
LINE_BYTES: Final = 26
"""CloudWatch Logs adds so many to each event (PutLogEvents, Logs API reference)."""
ACCEPTED_BYTES: Final = 350 + LINE_BYTES
STARTED_BYTES: Final = 375 + LINE_BYTES
ENDED_BYTES: Final = 425 + LINE_BYTES
SKIPPED_BYTES: Final = 350 + LINE_BYTES
DEAD_LETTERED_BYTES: Final = 560 + LINE_BYTES  # without its payload
INVOCATION_BYTES: Final = 250 + 3 * LINE_BYTES
"""START, END and REPORT."""
METRICS_BYTES: Final = 450 + LINE_BYTES
"""The line of metrics of an invocation of processor or monitor."""
METRICS: Final = 9
"""Custom metrics: 3 of the processor, 3 of the monitor over all causes of dead letters and 3 for one cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Counts of what AWS charges for; a price table has a price for each."""

    sqs_requests: float
    api_requests: float
    lambda_requests: float
    lambda_gb_s: float
    dynamodb_write_units: float
    dynamodb_read_units: float
    log_gb: float
    metric_hours: float


def usage_of(simulation: Simulation, *, memory_mb: int = MEMORY_MB) -> Usage:
    """What a simulated load and its drain use."""
    totals, payload_bytes = simulation.totals, simulation.scenario.load.payload_bytes
    busy_s = totals.api_busy_s + totals.processor_busy_s + totals.monitor_busy_s
    init_s = totals.cold_starts * simulation.parameters.cold_start_s.mean_s
    hours = math.ceil((totals.load_s + totals.drained_s) / 3600)
    return Usage(
        sqs_requests=sqs_requests(totals, payload_bytes),
        api_requests=totals.tasks,
        lambda_requests=totals.tasks + totals.invocations + totals.monitor_invocations,
        lambda_gb_s=(busy_s + init_s) * memory_mb / 1024,
        dynamodb_write_units=write_units(totals, payload_bytes),
        dynamodb_read_units=totals.dead_lettered * _units(_item_bytes(totals, payload_bytes), READ_UNIT_BYTES),
        log_gb=log_bytes(totals, payload_bytes) / 1e9,
        metric_hours=METRICS * hours,
    )


def sqs_requests(totals: Totals, payload_bytes: int) -> float:
    """Requests to both queues, each once for every 64 KiB that it carries.

    Lambda receives and deletes in batches of up to 10; it deletes what an invocation leaves no failure of. SQS's own
    move to the dead-letter queue is not a request.
    """
    message_bytes = payload_bytes + ENVELOPE_BYTES
    sends = (totals.accepted + totals.put_off) * _units(message_bytes, SQS_CHUNK_BYTES)
    received = _calls(totals.receives, totals.invocations, message_bytes)
    useful = totals.invocations - totals.wasted_invocations
    deleted = max(useful, math.ceil(totals.completed / RECEIVE_MAX))
    letters = _calls(totals.dead_lettered, totals.monitor_invocations, message_bytes) + totals.monitor_invocations
    return sends + received + deleted + totals.visibility_changes + totals.empty_receives + letters


def write_units(totals: Totals, payload_bytes: int) -> float:
    """Write units of the task table, its index of pending tasks, and the archive.

    For a task: create, mark as enqueued, and the index's entry made and removed. For an attempt: claim and end. For a
    dead letter: archive and close. For a call counted by the breaker nothing is added: the totals do not tell.
    """
    created = _units(ITEM_BYTES + payload_bytes, WRITE_UNIT_BYTES)
    item = _units(_item_bytes(totals, payload_bytes), WRITE_UNIT_BYTES)
    letter = _units(LETTER_BYTES + payload_bytes, WRITE_UNIT_BYTES)
    return totals.accepted * (2 * created + 2) + totals.attempts * 2 * item + totals.dead_lettered * (letter + item)


def log_bytes(totals: Totals, payload_bytes: int) -> float:
    """Bytes of all functions' logs."""
    api = totals.accepted * ACCEPTED_BYTES + totals.tasks * INVOCATION_BYTES
    events = totals.attempts * (STARTED_BYTES + ENDED_BYTES) + totals.skipped * SKIPPED_BYTES
    letters = totals.dead_lettered * (DEAD_LETTERED_BYTES + payload_bytes)
    batches = (totals.invocations + totals.monitor_invocations) * (INVOCATION_BYTES + METRICS_BYTES)
    return api + events + letters + batches


def _item_bytes(totals: Totals, payload_bytes: int) -> float:
    """Of a task's item with the history of an average task."""
    return ITEM_BYTES + payload_bytes + HISTORY_BYTES * totals.attempts / max(1, totals.accepted)


def _calls(messages: int, batches: int, message_bytes: int) -> float:
    """Calls that fetch so many messages in so many batches: 10 at most each, and charged by what they carry."""
    by_size = messages * message_bytes / SQS_CHUNK_BYTES
    return max(batches, messages / RECEIVE_MAX, by_size)


def _units(size: float, unit: int) -> int:
    return max(1, math.ceil(size / unit))
