"""The first message of a load, looked at before any is sent: what is wrong with it is wrong with all of them."""

from collections.abc import Mapping

from dlqlab.errors import UsageError
from dlqlab.lineage.keys import key_finder
from dlqlab.load.messages import EntrySettings, FromTemplate

_MIB = 1024 * 1024
LIMITS: Mapping[str, tuple[int, str]] = {
    "queue": (_MIB, "a message of SQS"),
    "topic": (256 * 1024, "a message of SNS"),
    "bus": (256 * 1024, "an event of EventBridge"),
    "stream": (_MIB - 256, "the data of a record of Kinesis"),
    "http": (10 * _MIB, "a request to API Gateway"),
}
"""Most bytes of a body ("Amazon SQS message quotas", "Amazon SNS endpoints and quotas", "Amazon EventBridge quotas",
"Amazon API Gateway quotas"; of Kinesis 1 MiB with the partition key, which has at most 256 characters).
"""
_SHOWN = 120


def check_first(entry: EntrySettings, seed: int) -> None:
    """Refuse a load whose first message has no key where one is declared, or is longer than the entry takes.

    Raises:
        UsageError: names the field, its value and the remedy.
    """
    body = FromTemplate(entry, seed).compose(0).body
    limit, what = LIMITS.get(entry.kind, (None, ""))
    size = len(body.encode())
    if limit is not None and size > limit:
        raise UsageError(
            f"entry.body makes a first body of {size:,} bytes, and {what} may have {limit:,}: give a shorter template"
        )
    has_body = entry.method not in {"GET", "HEAD"}
    if entry.key and has_body and key_finder(entry.key)(body) is None:
        shown = body if len(body) <= _SHOWN else f"{body[:_SHOWN]}..."
        raise UsageError(
            f"task.key is {entry.key!r}, and the first body has nothing there: {shown}: give where entry.body has the "
            "task's key, or leave task.key out"
        )
