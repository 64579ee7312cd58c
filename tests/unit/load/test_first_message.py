"""A load whose first message cannot be sent, or not be known again, is refused before it begins."""

import re

import pytest

from dlqlab.errors import UsageError
from dlqlab.load.first_message import LIMITS, check_first
from dlqlab.load.messages import EntrySettings


def entry(body: str, *, kind: str = "queue", key: str = "", method: str = "POST") -> EntrySettings:
    return EntrySettings(kind=kind, address="orders", body=body, key=key, method=method)


@pytest.mark.parametrize("kind", [*LIMITS, "bucket"])
def test_sound_message_passes(kind: str) -> None:
    check_first(entry('{"order": {"id": "{{key}}"}}', kind=kind, key="order.id"), 1)


@pytest.mark.parametrize("kind", LIMITS)
def test_body_over_the_limit_is_refused(kind: str) -> None:
    """One byte more than fits is too much."""
    limit, what = LIMITS[kind]
    check_first(entry("x" * limit, kind=kind), 1)
    with pytest.raises(UsageError, match=re.escape(f"{limit + 1:,} bytes, and {what} may have {limit:,}")):
        check_first(entry("x" * (limit + 1), kind=kind), 1)


@pytest.mark.parametrize("body", ['{"id": "{{key}}"}', "no JSON", '{"order": "o"}'])
def test_key_that_is_not_in_the_body_is_refused(body: str) -> None:
    """With the body that it was looked for in."""
    with pytest.raises(UsageError, match=r"task\.key is 'order\.id', and the first body has nothing there: "):
        check_first(entry(body, key="order.id"), 1)


def test_request_without_a_body_needs_no_key() -> None:
    check_first(entry("", kind="http", key="order.id", method="GET"), 1)
