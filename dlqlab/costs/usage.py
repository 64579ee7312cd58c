"""What AWS charges for, and how large the app's messages, items and lines are that it is charged for.

Bytes of lines and items are those of the app with ids of AWS's length; tests hold them against the app.
"""

from dataclasses import dataclass
from typing import Final

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
