"""What a body is about: the part that a sender wrote, out of the envelopes that services put it in.

Envelopes nest, as S3's notification in SNS's message in a queue. They are known by the fields that AWS documents:
"Amazon SNS message and JSON formats" (Type, TopicArn, Message), "AWS service event metadata" of EventBridge
(detail-type, source, detail), "Event message structure" of S3 (Records with eventSource aws:s3), "Lambda proxy
integrations in API Gateway" (body, requestContext), and the Records that Lambda hands to functions of SQS and SNS.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

DEPTH_MAX = 8
"""Envelopes in envelopes that are opened."""


def content_of(body: str) -> Any:
    """The innermost content of a body: a JSON value, or a text that is none."""
    found = _parsed(body)
    for _ in range(DEPTH_MAX):
        inner = _inner(found)
        if inner is found:
            break
        found = _parsed(inner) if isinstance(inner, str) else inner
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _inner(value: Any) -> Any:
    """What is in an envelope; the value itself where it is none."""
    if not isinstance(value, dict):
        return value
    if "TopicArn" in value and isinstance(value.get("Message"), str):
        return value["Message"]
    if {"detail-type", "source", "detail"} <= value.keys():
        return value["detail"]
    if "requestContext" in value and isinstance(value.get("body"), str):
        return _decoded(value)
    if set(value) == {"Records"} and isinstance(value["Records"], list) and len(value["Records"]) == 1:
        return _record(value["Records"][0], value)
    return value


def _record(record: Any, otherwise: Any) -> Any:
    """The only record of a notification. Several are several tasks' and stay as they are."""
    match record:
        case {"Sns": dict() as message}:
            return message
        case {"eventSource": "aws:sqs", "body": str() as body}:
            return body
        case {"eventSource": "aws:s3", "s3": dict()}:
            return record
        case _:
            return otherwise


def _decoded(request: Mapping[str, Any]) -> str:
    body: str = request["body"]
    if request.get("isBase64Encoded") is not True:
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return body
