"""Which messages of a batch a function's response calls failed.

Source: "Success and failure conditions" of "Handling errors for an SQS event source in Lambda" (AWS Lambda developer
guide). An identifier that is not in the batch makes the whole batch fail, as an empty one does.
"""

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any

_SAYS_FAILED = re.compile(r"item\W*_?(failure|identifier)|status_?code", re.IGNORECASE)
_NO_LETTER = re.compile(r"[^a-z]")


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


def misread_ids(payload: str | bytes | None, ids: AbstractSet[str]) -> AbstractSet[str]:
    """The messages of a batch of ``ids`` that a response calls failed in a form that Lambda does not read: their ids in
    a list whose name is not spelt ``batchItemFailures`` or that is not at the top, or all by the status of an error, as
    API Gateway has it.
    """
    text = payload.decode(errors="replace") if isinstance(payload, bytes) else payload or ""
    response = _parsed(text) if _SAYS_FAILED.search(text) else None
    if isinstance(response, dict) and _is_error(response):
        return ids
    return ids & frozenset(_called_failed(response))


def _is_error(response: dict[str, Any]) -> bool:
    status = next((value for name, value in response.items() if _plain(name) == "statuscode"), None)
    return str(status).isdecimal() and int(str(status)) >= HTTPStatus.BAD_REQUEST


def _called_failed(value: Any) -> Iterator[str]:
    """All texts below a name like batchItemFailures or itemIdentifier, at any depth, and in JSON that is a text."""
    if isinstance(value, dict):
        for name, item in value.items():
            is_said = _plain(name) in {"batchitemfailures", "itemidentifier"}
            yield from _texts(item) if is_said else _called_failed(item)
    elif isinstance(value, list):
        for item in value:
            yield from _called_failed(item)
    elif isinstance(value, str) and value[:1] in {"{", "["}:
        yield from _called_failed(_parsed(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _parsed(text: str) -> Any:
    """None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _plain(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


def has_failures(payload: str | bytes) -> bool:
    """Whether the response is an object with batchItemFailures, whatever they are."""
    text = payload.decode(errors="replace") if isinstance(payload, bytes) else payload
    if "batchItemFailures" not in text:
        return False
    try:
        response = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(response, dict) and "batchItemFailures" in response


def _identifier(item: Any) -> str | None:
    found = item.get("itemIdentifier") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None
