"""Calls of a survey: pages joined, and services that do not answer noted instead of raised."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Clients = Callable[[str], Any]
"""A boto3 client by the name of its service."""


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """The items of all pages of an operation."""
    if client.can_paginate(operation):
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page.get(key, ())
        return
    yield from getattr(client, operation)(**arguments).get(key, ())


def asked[T](what: str, notes: list[str], ask: Callable[[], T]) -> T | None:
    """The answer, or None where the service does not answer: a note says so, because what it holds is not known."""
    try:
        return ask()
    except ClientError as error:
        reason = error.response["Error"].get("Message") or str(error)
    except BotoCoreError as error:
        reason = str(error)
    notes.append(f"{what}: not known, {reason.partition(chr(10))[0]}")
    return None
