"""What a request asks for and what its answer says, of their bytes. Pure; on the recorder's own thread."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

_RESOURCES = (
    "QueueUrl",
    "TableName",
    "FunctionName",
    "TopicArn",
    "TargetArn",
    "StateMachineArn",
    "Bucket",
    "BucketName",
    "EventSourceArn",
    "EventBusName",
    "logGroupName",
    "SecretId",
    "StreamName",
    "StackName",
    "SourceArn",
    "QueueName",
    "Name",
)
"""Members that name what a call is about, of all services; the first that is there counts."""
_ERROR_JSON = re.compile(rb'"(?:__type|[cC]ode|ErrorCode)"\s*:\s*"(?:[^"#]*#)?([^":]+)')
_MESSAGE_ID = b'"messageId"'
"""Of an event's records only: within bodies the quotes are escaped."""
_ID = re.compile(rb'\s*:\s*"([^"]+)"')
_ERROR_XML = re.compile(rb"<Code>([^<]+)</Code>")
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_DECODE = json.JSONDecoder().raw_decode
_NONE: Mapping[str, Any] = {}
_QUOTED = json.encoder.encode_basestring_ascii
OF_SEVERAL = frozenset({"TransactWriteItems", "BatchWriteItem"})
_ITEMS_MAX = 100
"""Of one call: more than any call of DynamoDB takes."""

Keys = Callable[[str], tuple[str, ...] | None]
"""The names of a table's key attributes; None where the table is not known."""

Item = tuple[str | None, str | None, str | None]
"""Resource, item key and update expression."""
_UPDATE_MAX_CHARACTERS = 4_096
"""As long as DynamoDB takes an expression (DynamoDB developer guide, "Quotas")."""


def resource_of(members: Mapping[str, Any]) -> str | None:
    """What a call is about, of its members."""
    for name in _RESOURCES:
        value = members.get(name)
        if isinstance(value, str):
            return value
    return None


def operation_of(target: bytes | None, url: bytes, body: bytes) -> str | None:
    """The operation of a call by AWS's JSON or query protocol."""
    if target:
        return target.rpartition(b".")[2].decode("latin-1")
    for text in (body if body[:1] not in {b"{", b"<"} else b"", url.partition(b"?")[2]):
        if b"Action=" in text:
            found = parse_qs(text.decode("latin-1")).get("Action")
            if found:
                return found[0]
    return None


def members_of(body: bytes) -> Mapping[str, Any]:
    """The members of a request by a JSON protocol; none where it is by another.

    Args:
        body: empty where it was too long to be looked at.
    """
    try:
        members = _DECODE(body.decode())[0] if body[:1] == b"{" else _NONE
    except (ValueError, RecursionError):
        return _NONE
    return members  # what begins with a brace is an object


def items_of(service: str, operation: str | None, members: Mapping[str, Any], keys_of: Keys) -> Iterable[Item]:
    """What a call is about, of its members: one entry, or one for each item of a call about several."""
    if service == "dynamodb":
        if operation not in OF_SEVERAL:
            return (_item(members, keys_of),)
        return list(_written(operation, members, keys_of))[:_ITEMS_MAX] or (_item(members, keys_of),)
    handle = members.get("ReceiptHandle") if service == "sqs" else None
    return ((resource_of(members), message_id_of(handle) if isinstance(handle, str) else None, None),)


def _item(members: Mapping[str, Any], keys_of: Keys) -> Item:
    key, item = members.get("Key"), members.get("Item")
    if not isinstance(key, dict) and isinstance(item, dict):
        key = key_in(item, keys_of(str(members.get("TableName"))))
    return resource_of(members), item_key(key), update_in(members.get("UpdateExpression"))


def update_in(expression: Any) -> str | None:
    return expression[:_UPDATE_MAX_CHARACTERS] if isinstance(expression, str) else None


def item_key(key: Any) -> str | None:
    """The key of the item that a call of DynamoDB is about, as JSON."""
    return _key_text(key) if isinstance(key, dict) and key else None


def key_in(item: Mapping[str, Any], names: tuple[str, ...] | None) -> dict[str, Any] | None:
    """The key of an item, with the names of its attributes; None where they are not known."""
    return {name: item[name] for name in names if name in item} if names else None


def _key_text(key: Mapping[str, Any]) -> str:
    """A key as JSON; the most usual one, of one attribute that is a text, in a fifth of the encoder's time."""
    if len(key) == 1:
        (name, value), *_ = key.items()
        if isinstance(value, dict) and len(value) == 1:
            (kind, text), *_ = value.items()
            if isinstance(text, str):
                return f"{{{_QUOTED(name)}:{{{_QUOTED(kind)}:{_QUOTED(text)}}}}}"
    return _ENCODE(key)


def _written(operation: str | None, members: Mapping[str, Any], keys_of: Keys) -> Iterable[Item]:
    """The items of a transaction or a batch of writes."""
    if operation == "TransactWriteItems":
        for action in members.get("TransactItems") or ():
            for part in action.values():
                yield _item(part, keys_of)
    elif operation == "BatchWriteItem":
        for table, requests in (members.get("RequestItems") or {}).items():
            for request in requests:
                for part in request.values():
                    yield _item({"TableName": table, **part}, keys_of)


def message_id_of(receipt_handle: str) -> str | None:
    """The message that a receipt handle of the emulator is of."""
    try:
        parts = base64.b64decode(receipt_handle, validate=True).decode().split(" ")
    except (binascii.Error, ValueError):
        return None
    return parts[2] if len(parts) == 4 else None  # noqa: PLR2004  (random text, queue, message, time)


def message_ids_in(event: bytes) -> list[str]:
    """The messages of a batch, of the event that a function is given."""
    found = map(_ID.match, event.split(_MESSAGE_ID)[1:])
    return [one[1].decode() for one in found if one]  # without one it is a value


def error_code_of(body: bytes | None) -> str | None:
    """AWS's code of an error, of the answer's body."""
    if not body:
        return None
    found = _ERROR_XML.search(body) or _ERROR_JSON.search(body)
    return found[1].decode("latin-1") if found else None
