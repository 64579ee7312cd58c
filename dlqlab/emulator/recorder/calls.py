"""Calls with their bytes to rows of calls. Pure.

For most calls this is left to whoever reads the record: the emulator then writes what it has anyway.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.describe import (
    Item,
    Keys,
    error_code_of,
    item_key,
    items_of,
    key_in,
    members_of,
    message_id_of,
    operation_of,
    update_in,
)
from dlqlab.emulator.recorder.rows import CALL, SERVED_CALL, SERVED_CALL_FIELDS, UNFINISHED_CALL_FIELDS
from taskrules.redaction import redact_text

_HTTP = frozenset({"execute-api", "lambda-url"})
_INVOCATION = ActorKind.INVOCATION.value
_SERVICE, _RESOURCE, _KEY, _UPDATE, _URL, _BODY, _ITEM, _ERROR, _SIZE = (
    1 + UNFINISHED_CALL_FIELDS.index(name)
    for name in ("service", "resource", "item_key", "update", "url", "body", "item", "error_body", "size")
)
_OBJECTS_SIZE = 4
"""How many times its bytes an item takes once it is parsed."""
_SERVED_LENGTH = 1 + len(SERVED_CALL_FIELDS)


def note_members(row: list[Any], body: bytes, members: Mapping[str, Any]) -> None:
    """Put into an unfinished row what its call is about, instead of its body.

    Args:
        body: the one whose members these are; it is left alone if the row is of another.
    """
    if row[_BODY] is not body or row[_URL] != b"/":
        return  # a service calls another in between, or the address says more
    get = members.get
    if row[_SERVICE] == "dynamodb":
        row[_RESOURCE], row[_KEY], row[_UPDATE] = get("TableName"), get("Key"), get("UpdateExpression")
        row[_ITEM] = item = get("Item")
        row[_SIZE] *= 0 if item is None else _OBJECTS_SIZE
    elif row[_SERVICE] == "sqs":
        row[_RESOURCE], row[_KEY], row[_SIZE] = get("QueueUrl"), get("ReceiptHandle"), 0
    else:
        return
    row[_BODY] = None


def leave_to_readers(row: list[Any]) -> None:
    """Finish the row of a call that was served, where nothing is left to be found out of it: for most calls."""
    if row[_BODY] is None and row[_ITEM] is None:
        row[0] = SERVED_CALL
        del row[_SERVED_LENGTH:]  # what may hold secrets


def finished(row: list[Any], keys_of: Keys) -> Iterable[Row]:
    """What is written of an unfinished row."""
    if row[_BODY] is not None:
        return described(row, keys_of)
    if isinstance(row[_ITEM], dict) and not isinstance(row[_KEY], dict):
        row[_KEY] = key_in(row[_ITEM], keys_of(str(row[_RESOURCE])))
    if row[_ERROR] is not None:
        return described(row, keys_of)
    row[_ITEM] = None
    leave_to_readers(row)
    return (row,)


def completed(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows as they were written, with those of calls described."""
    for row in rows:
        if row[0] == SERVED_CALL:
            yield from described([*row, b"", b"/", None, None, None, 0], _of_no_table)
        else:
            yield row


def described(row: list[Any], keys_of: Keys) -> Iterable[Row]:
    """Rows of calls of an unfinished row: several for a call about several items."""
    (
        _, seq, ts, actor_kind, actor, request_id, service, operation, trace_header, resource, key, update,
        ended_ts, answered, method, url, body, _, error_body, _,
    ) = row  # fmt: skip
    trace = trace_header.decode("latin-1") if trace_header else None
    items: Iterable[Item]
    if service in _HTTP:
        operation, items = method.decode("latin-1"), ((_shown(url), None, None),)
    else:
        if not isinstance(operation, str):
            operation = operation_of(operation, url, body or b"")
        if body is None:
            items, resource = (_told(service, resource, key, update),), None
        else:
            items = items_of(service, operation, members_of(body), keys_of)
        if resource is None and service == "sqs" and (path := _path(url)) != "/":
            resource = path  # a queue's address
    function = actor if actor_kind == _INVOCATION else None
    head = (CALL, seq, ts, ended_ts - ts, request_id, function, actor_kind, actor, service, operation)
    end = int(answered[:3]), error_code_of(error_body), trace
    return [(*head, found or resource, item, said, *end) for found, item, said in items]


def _told(service: str, resource: Any, key: Any, update: Any) -> Item:
    name = resource if isinstance(resource, str) else None
    if service == "sqs":
        return name, message_id_of(key) if isinstance(key, str) else None, None
    return name, item_key(key), update_in(update)


def _of_no_table(_table: str) -> None:
    """The names of keys, which are not needed where a key is known."""


@functools.lru_cache(1024)
def _shown(url: bytes) -> str:
    return redact_text(_path(url))


def _path(url: bytes) -> str:
    return url.partition(b"?")[0].decode("latin-1")
