"""Calls with their bytes to rows of calls. Pure; on the recorder's own thread, and by whoever reads the record.

Of most calls the emulator writes what the row is made of, and leaves the making to readers.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.describe import (
    OF_SEVERAL,
    Item,
    Keys,
    error_code_of,
    item_key,
    items_of,
    key_in,
    members_of,
    message_id_of,
    operation_of,
    resource_of,
    update_in,
)
from dlqlab.emulator.recorder.rows import CALL
from taskrules.redaction import redact_text

HTTP_SERVICES = frozenset({"execute-api", "lambda-url"})
_SQS = "sqs"
_ITSELF: Iterable[Item] = ((None, None, None),)
_LEFT_TO_READERS = frozenset({"dynamodb", _SQS})
_INVOCATION = ActorKind.INVOCATION.value
_OF_SEVERAL = tuple(operation.encode() for operation in OF_SEVERAL)


class Told(NamedTuple):
    """What is found out of a call while it is served."""

    operation: str | None = None
    resource: str | None = None
    url: bytes | None = None


class _Served(NamedTuple):
    """A ``SERVED_CALL`` row without its tag."""

    seq: int
    ts: float
    actor_kind: str
    actor: str | None
    request_id: str | None
    service: str
    target: bytes | None
    """The header X-Amz-Target."""
    trace_header: bytes | None
    resource: Any
    key: Any
    update: Any
    ended_ts: float
    status: str


_SERVICE, _TARGET = 1 + _Served._fields.index("service"), 1 + _Served._fields.index("target")


def finished(row: Row, keys_of: Keys) -> Iterable[Row]:
    """What is written of an ``UNFINISHED_CALL`` row."""
    _, began, (method, url, body), ended_ts, status, error_body, told = row
    service, target = began[_SERVICE], began[_TARGET]
    head: tuple[Any, ...] = began[1:]
    if service in HTTP_SERVICES:
        call = _Served._make((*head, path_shown(url, told), method, None, ended_ts, status))
        return _rows(call, method.decode("latin-1"), _ITSELF, error_body)
    members = members_of(body)
    is_plain = told is None and error_body is None and target and url == b"/" and not target.endswith(_OF_SEVERAL)
    if is_plain and service in _LEFT_TO_READERS:
        return ((*began, *_said(service, members, keys_of), ended_ts, status),)
    operation = (None if told is None else told.operation) or operation_of(target, url, body)
    resource = told.resource if told is not None else None
    if resource is None and service == _SQS and (path := _path(url)) != "/":
        resource = path  # a queue's address
    call = _Served._make((*head, resource, None, None, ended_ts, status))
    return _rows(call, operation, items_of(service, operation, members, keys_of), error_body)


def _said(service: str, members: Mapping[str, Any], keys_of: Keys) -> tuple[Any, Any, Any]:
    """Resource, key or receipt handle, and update expression, as the call has them."""
    get = members.get
    if service == _SQS:
        return get("QueueUrl") or resource_of(members), get("ReceiptHandle"), None
    table, key, item = get("TableName"), get("Key"), get("Item")
    if isinstance(item, dict) and not isinstance(key, dict):
        key = key_in(item, keys_of(str(table)))
    return resource_of(members) if table is None else table, key, get("UpdateExpression")


def call_rows(row: Row) -> list[Row]:
    """What a ``SERVED_CALL`` row, as it was written, says."""
    call = _Served(*row[1:])
    if call.service in HTTP_SERVICES:
        return _rows(call, call.key.decode("latin-1"), _ITSELF, None)
    return _rows(call._replace(resource=None), operation_of(call.target, b"/", b""), (_told(call),), None)


def _rows(call: _Served, operation: str | None, items: Iterable[Item], error_body: bytes | None) -> list[Row]:
    """Args:
    items: what is not known of them is the call's resource.
    """
    trace = call.trace_header.decode("latin-1") if call.trace_header else None
    function = call.actor if call.actor_kind == _INVOCATION else None
    spent_s = call.ended_ts - call.ts
    who = call.request_id, function, call.actor_kind, call.actor
    head = (CALL, call.seq, call.ts, spent_s, *who, call.service, operation)
    end = int(call.status[:3]), error_code_of(error_body), trace
    return [(*head, found or call.resource, item, said, *end) for found, item, said in items]


def _told(call: _Served) -> Item:
    name = call.resource if isinstance(call.resource, str) else None
    if call.service == _SQS:
        return name, message_id_of(call.key) if isinstance(call.key, str) else None, None
    return name, item_key(call.key), update_in(call.update)


def path_shown(url: bytes, told: Told | None) -> str:
    """The path of a request to one of ``HTTP_SERVICES``, as it is written."""
    return _redacted(url if told is None else told.url or url)


@functools.lru_cache(1024)
def _redacted(url: bytes) -> str:
    return redact_text(_path(url))


def _path(url: bytes) -> str:
    return url.partition(b"?")[0].decode("latin-1")
