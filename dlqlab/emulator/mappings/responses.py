"""Which messages of a batch a function's response calls failed.

Source: "Success and failure conditions" of "Handling errors for an SQS event source in Lambda" (AWS Lambda developer
guide). An identifier that is not in the batch makes the whole batch fail, as an empty one does.
"""

import json
from collections.abc import Set as AbstractSet
from typing import Any


def failed_ids(payload: str | bytes | None, ids: AbstractSet[str]) -> AbstractSet[str]:
    """The failed messages of a batch of ``ids``; all of them where the response is not one that Lambda reads."""
    if not payload:
        return frozenset()
    try:
        response = json.loads(payload)
    except (ValueError, RecursionError):
        return ids
    if response is None:
        return frozenset()
    failures = response.get("batchItemFailures") if isinstance(response, dict) else False
    if failures is None:
        return frozenset()
    if not isinstance(failures, list):
        return ids
    named = [_identifier(item) for item in failures]
    return ids if any(one not in ids for one in named) else frozenset(filter(None, named))


def named_ids(payload: str | bytes | None) -> AbstractSet[str]:
    """What the response names in batchItemFailures, whether or not its mapping looks at it; nothing where that is no
    list.
    """
    text = payload.decode(errors="replace") if isinstance(payload, bytes) else payload or ""
    if "batchItemFailures" not in text:
        return frozenset()
    try:
        response = json.loads(text)
    except (ValueError, RecursionError):
        return frozenset()
    failures = response.get("batchItemFailures") if isinstance(response, dict) else None
    return frozenset(filter(None, map(_identifier, failures))) if isinstance(failures, list) else frozenset()


def _identifier(item: Any) -> str | None:
    found = item.get("itemIdentifier") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None
