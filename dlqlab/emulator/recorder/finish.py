"""What has to be done to rows before they are written: bodies are kept apart, requests and errors are read.

On the recorder's own thread, off the path of whoever gave the row.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.describe import Item, Keys, error_code_of, items_of, operation_of
from dlqlab.emulator.recorder.rows import (
    BODY,
    CALL,
    ENDED,
    ENDED_FIELDS,
    LOST,
    MESSAGE,
    MESSAGE_FIELDS,
    UNFINISHED_CALL,
    UNFINISHED_ENDED,
    UNFINISHED_MESSAGE,
)
from taskrules.redaction import DEPTH_MAX, redact_body, redact_text
from taskrules.settings import REDACT_FIELDS

BODY_MAX_CHARACTERS = 65_536
BODIES_MAX_BYTES = 512 * 1024 * 1024
BODIES_FULL = "bodies"
"""Why bodies are missing, in a ``LOST`` row: those on disk take all the room that they may."""
ERROR_MAX_CHARACTERS = 1_000
_SEEN_MAX = 4_096
_BODY_AT = 1 + MESSAGE_FIELDS.index("body_sha256")
_ERROR_AT = 1 + ENDED_FIELDS.index("error_type")
_FIELDS = frozenset(name.strip().lower() for name in REDACT_FIELDS.split(","))
_SECRET_MARKS = ("AKIA", "ASIA", "earer", "-----BEGIN")
_MANY_DIGITS = re.compile(r"[2-6](?:[ -]?\d){12}")
"""What keys, tokens and numbers of cards have in them, whatever else they need to be redacted."""
_HTTP = frozenset({"execute-api", "lambda-url"})


class Finisher:
    """Finishes the rows of one record."""

    def __init__(self, *, keeps_bodies: bool, keys_of: Keys) -> None:
        self._keeps_bodies = keeps_bodies
        self._keys_of = keys_of
        self._room_bytes = BODIES_MAX_BYTES
        self._left_out = 0
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._finishers = {UNFINISHED_MESSAGE: self._message, UNFINISHED_ENDED: _ended, UNFINISHED_CALL: self._call}

    def __call__(self, row: Row) -> Iterable[Row]:
        finish = self._finishers.get(row[0])
        return (row,) if finish is None else finish(row)

    def _message(self, row: Row) -> Iterator[Row]:
        body: str = row[_BODY_AT]
        encoded = body.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(encoded)
        if self._keeps_bodies and digest.digest() not in self._seen:
            yield from self._body(body, digest.hexdigest(), len(encoded))
            self._remember(digest.digest())
        yield (MESSAGE, *row[1:_BODY_AT], digest.hexdigest(), len(encoded), *row[_BODY_AT + 2 :])

    def _body(self, body: str, sha256: str, size: int) -> Iterator[Row]:
        text, is_redacted = (body, False) if is_harmless(body) else redact_body(body, _FIELDS)
        kept = text[:BODY_MAX_CHARACTERS]
        if len(kept) > self._room_bytes:
            self._left_out += 1
            yield LOST, BODIES_FULL, self._left_out
            return
        self._room_bytes -= len(kept)
        yield BODY, sha256, kept, size, is_redacted, len(kept) < len(text)

    def _remember(self, digest: bytes) -> None:
        """Bodies come again soon, if at all; one that is written twice is one to the reader."""
        self._seen[digest] = None
        if len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)

    def _call(self, row: Row) -> Iterator[Row]:
        (
            _, seq, ts, duration_s, actor_kind, actor, request_id, service, operation, resource, status, trace,
            method, url, target, body, error_body,
        ) = row  # fmt: skip
        path = url.partition(b"?")[0].decode("latin-1")
        if service in _HTTP:
            operation = method.decode("latin-1")
            items: list[Item] = [(redact_text(path), None, None)]
        else:
            operation = operation or operation_of(target, url, body)
            resource = resource or (path if service == "sqs" and path != "/" else None)  # a queue's address
            items = items_of(service, operation, body, self._keys_of)
        function = actor if actor_kind == ActorKind.INVOCATION.value else None
        who = request_id, function, actor_kind, actor
        for found, key, update in items:
            end = status, error_code_of(error_body), trace
            yield CALL, seq, ts, duration_s, *who, service, operation, found or resource, key, update, *end


def is_harmless(body: str) -> bool:
    """Whether redaction would leave this body as it is, for the most usual ones and in a fraction of the time.

    Without escapes, what a body says stands in its text: no name of a field that is redacted, nothing that every secret
    has in it, and no depth at which all is taken out.
    """
    if "\\" in body or body.count("{") + body.count("[") > DEPTH_MAX:
        return False
    lower = body.lower()
    if any(name in lower for name in _FIELDS) or any(mark in body for mark in _SECRET_MARKS):
        return False
    return not _MANY_DIGITS.search(body)


def _ended(row: Row) -> Iterator[Row]:
    kind, message = error_of(row[_ERROR_AT])
    yield (ENDED, *row[1:_ERROR_AT], kind, message, *row[_ERROR_AT + 2 :])


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
