"""What has to be done to rows before they are written: bodies are kept apart, requests and errors are read.

On the recorder's own thread, off the path of whoever gave the row; only what an invocation's plain answer says is found
out at once.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from dlqlab.contracts.recorded import Outcome
from dlqlab.emulator.mappings.responses import failed_ids, has_failures, misread_ids, named_ids
from dlqlab.emulator.recorder.calls import finished
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.describe import Keys
from dlqlab.emulator.recorder.harmless import FIELDS, is_harmless
from dlqlab.emulator.recorder.journal import Finish
from dlqlab.emulator.recorder.rows import (
    BODY,
    ENDED,
    ENDED_FIELDS,
    LOST,
    MESSAGE,
    MESSAGE_FIELDS,
    UNFINISHED_CALL,
    UNFINISHED_ENDED,
    UNFINISHED_MESSAGE,
)
from taskrules.redaction import redact_body, redact_text

BODY_MAX_CHARACTERS = 65_536
BODIES_MAX_BYTES = 512 * 1024 * 1024
BODIES_FULL = "bodies"
"""Why bodies are missing, in a ``LOST`` row: those on disk take all the room that they may."""
ERROR_MAX_CHARACTERS = 1_000
_SEEN_MAX = 4_096
_BODY_AT = 1 + MESSAGE_FIELDS.index("body_sha256")
_ERROR_AT = 1 + ENDED_FIELDS.index("error_type")
_OUTCOME_AT, _FAILED_AT = 1 + ENDED_FIELDS.index("outcome"), 1 + ENDED_FIELDS.index("failed_ids")
PLAIN_ANSWERS = frozenset({b'{"batchItemFailures": []}', b'{"batchItemFailures":[]}', b"null"})
"""The most usual answers to a batch, which need not be parsed: nothing failed."""
_OUTCOME_OK = Outcome.OK.value


class Finisher:
    """Finishes the rows of one record."""

    def __init__(self, *, keeps_bodies: bool, keys_of: Keys) -> None:
        self._keeps_bodies = keeps_bodies
        self._keys_of = keys_of
        self._room_bytes = BODIES_MAX_BYTES
        self._left_out = 0
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self.by_tag: Mapping[str, Finish] = {
            UNFINISHED_MESSAGE: self._message,
            UNFINISHED_ENDED: _ended,
            UNFINISHED_CALL: self._call,
        }

    def __call__(self, row: Row) -> Iterable[Row]:
        """The rows that are written of one."""
        finish = self.by_tag.get(row[0])
        return (row,) if finish is None else finish(row)

    def _message(self, row: Row) -> Iterable[Row]:
        body: str = row[_BODY_AT]
        encoded = body.encode("utf-8", "surrogatepass")
        hashed = hashlib.sha256(encoded)
        digest, text = hashed.digest(), hashed.hexdigest()
        message = (MESSAGE, *row[1:_BODY_AT], text, len(encoded), *row[_BODY_AT + 2 :])
        if not self._keeps_bodies or digest in self._seen:
            return (message,)
        kept = self._body(body, encoded, text)
        self._remember(digest)
        return kept, message

    def _body(self, body: str, encoded: bytes, sha256: str) -> Row:
        text, is_redacted = (body, False) if is_harmless(body, encoded) else redact_body(body, FIELDS)
        kept = text[:BODY_MAX_CHARACTERS]
        if len(kept) > self._room_bytes:
            self._left_out += 1
            return LOST, BODIES_FULL, self._left_out
        self._room_bytes -= len(kept)
        return BODY, sha256, kept, len(encoded), is_redacted, len(kept) < len(text)

    def _remember(self, digest: bytes) -> None:
        """Bodies come again soon, if at all; one that is written twice is one to the reader."""
        self._seen[digest] = None
        if len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)

    def _call(self, row: Any) -> Iterable[Row]:
        return finished(row, self._keys_of)


def _ended(row: Row) -> Iterable[Row]:
    outcome, ids, reports = row[_OUTCOME_AT], row[_FAILED_AT], row[_FAILED_AT + 1]
    kind, message = error_of(row[_ERROR_AT])
    failures = failures_of(ids, outcome, row[-1], reports=reports)
    return ((ENDED, *row[1:_ERROR_AT], kind, message, *failures, *row[_FAILED_AT + 2 : -1]),)


Failures = tuple[list[str] | None, list[str] | None, list[str] | None]
"""As the columns ``failed_ids``, ``named_ids`` and ``misread_ids``."""


def failures_of(ids: list[str] | None, outcome: str, answer: Any, *, reports: bool) -> Failures:
    """What an invocation that has been given these messages, if it is one of a mapping, says of them."""
    if ids is None:
        return None, None, None
    if outcome != _OUTCOME_OK:
        return ids, None, None
    failed = _failed(ids, answer, reports=reports)
    named = _named(ids, answer, is_asked=reports)
    return failed, named, _misread(ids, answer) if not failed and not named else []


def _failed(ids: list[str], answer: Any, *, reports: bool) -> list[str]:
    """Of a batch that was answered, what stays in the queue."""
    if not reports or answer in PLAIN_ANSWERS:
        return []
    failed = failed_ids(answer, set(ids))
    return [one for one in ids if one in failed]


def _named(ids: list[str], answer: Any, *, is_asked: bool) -> list[str] | None:
    """What an answer names; None where it has no batchItemFailures and nobody asks for them."""
    named = named_ids(answer) if answer not in PLAIN_ANSWERS else frozenset()
    if named or is_asked:
        return [one for one in ids if one in named]
    return [] if answer and has_failures(answer) else None


def _misread(ids: list[str], answer: Any) -> list[str]:
    misread = misread_ids(answer, set(ids)) if answer not in PLAIN_ANSWERS else ()
    return [one for one in ids if one in misread]


def error_of(document: bytes | None) -> tuple[str | None, str | None]:
    """Type and message of an error document; its beginning as the message where it is not one that Lambda knows."""
    if document is None:
        return None, None
    try:
        found = json.loads(document)
        kind, message = found.get("errorType"), found.get("errorMessage")
    except (ValueError, AttributeError, RecursionError):
        kind, message = None, document.decode(errors="replace")
    shown = None if message is None else redact_text(str(message))[:ERROR_MAX_CHARACTERS]
    return None if kind is None else str(kind), shown
