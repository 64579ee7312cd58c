"""The messages of an event that a mapping hands to a function, as cases. Pure."""

import json
from collections.abc import Callable
from typing import Any

from dlqlab.contracts.injection import Case

KeyOf = Callable[[str], str | None]


def cases_of(payload: bytes, request_id: str, key_of: KeyOf) -> list[Case]:
    """A case for each SQS message of an event; one for any other event, which is its request's.

    Args:
        payload: the event as JSON.
        key_of: finds a task's key in a body.
    """
    try:
        event = json.loads(payload)
    except ValueError:
        event = None
    records = event.get("Records") if isinstance(event, dict) else None
    found = [_case(one, key_of) for one in records if _is_message(one)] if isinstance(records, list) else []
    return found or [Case(key=key_of(payload.decode("utf-8", "replace")) or request_id)]


def _is_message(record: Any) -> bool:
    return isinstance(record, dict) and record.get("eventSource") == "aws:sqs" and "messageId" in record


def _case(record: Any, key_of: KeyOf) -> Case:
    message_id = str(record["messageId"])
    count = int((record.get("attributes") or {}).get("ApproximateReceiveCount") or 1)
    return Case(key=key_of(str(record.get("body", ""))) or message_id, message_id=message_id, receive_count=count)


def with_failures(document: bytes, message_ids: list[str]) -> bytes:
    """A function's answer with these messages added to its batchItemFailures; one that cannot be read stays."""
    try:
        answer = json.loads(document) if document else None
    except ValueError:
        return document
    answer = {} if answer is None else answer
    named = answer.get("batchItemFailures") if isinstance(answer, dict) else 0
    if named is not None and not isinstance(named, list):
        return document
    added = [{"itemIdentifier": one} for one in message_ids]
    return json.dumps({**answer, "batchItemFailures": [*(named or []), *added]}).encode()
