"""SendMessage and ChangeMessageVisibility go to the SQS service straight from the server, past the chain of handlers.

They are the calls that functions make of SQS. The same service methods run with the same arguments. What the service
refuses goes through the chain as well, which words the error: a refused call has changed nothing.
"""

import json
from collections.abc import Callable
from typing import Any

from localstack.aws.api import RequestContext, ServiceException
from localstack.utils.strings import long_uid

from dlqlab.emulator.core import taps
from dlqlab.emulator.core.services import provider, sqs_context
from dlqlab.emulator.gateway import shortcut

TARGET = "AmazonSQS"
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode

Members = dict[str, Any]


def _send(context: RequestContext, call: Members) -> Members:
    answer = provider("sqs").send_message(
        context,
        queue_url=call["QueueUrl"],
        message_body=call["MessageBody"],
        delay_seconds=call.get("DelaySeconds"),
        message_attributes=call.get("MessageAttributes"),
        message_system_attributes=call.get("MessageSystemAttributes"),
    )
    return {name: value for name, value in answer.items() if value is not None}


def _hide(context: RequestContext, call: Members) -> Members:
    provider("sqs").change_message_visibility(
        context,
        queue_url=call["QueueUrl"],
        receipt_handle=call["ReceiptHandle"],
        visibility_timeout=call["VisibilityTimeout"],
    )
    return {}


_SERVED: dict[str, tuple[Callable[[RequestContext, Members], Members], dict[str, type], frozenset[str]]] = {
    "SendMessage": (
        _send,
        {
            "QueueUrl": str,
            "MessageBody": str,
            "DelaySeconds": int,
            "MessageAttributes": dict,
            "MessageSystemAttributes": dict,
        },
        frozenset({"QueueUrl", "MessageBody"}),
    ),
    "ChangeMessageVisibility": (
        _hide,
        {"QueueUrl": str, "ReceiptHandle": str, "VisibilityTimeout": int},
        frozenset({"QueueUrl", "ReceiptHandle", "VisibilityTimeout"}),
    ),
}
"""By operation: who serves it, its members with their types, and those that must be there."""


def answer(call: shortcut.Call) -> shortcut.Reply | None:
    """The service's answer; None where the chain must serve the call, and nothing has been changed."""
    served = _SERVED.get(call.operation)
    if served is None:
        return None
    serve, types, required = served
    members = _members(call.body, types)
    if members is None or not required <= members.keys() or members.get("MessageAttributes"):
        return None
    taps.said = call.body, members.get("QueueUrl"), members.get("ReceiptHandle"), None
    try:
        trace = call.headers.get(b"x-amzn-trace-id")
        headers = {"X-Amzn-Trace-Id": trace.decode("latin-1")} if trace else None
        found = serve(sqs_context(call.account_id, call.region, headers), members)
    except (ServiceException, UnicodeError):  # the latter for half a surrogate pair
        return None
    body = _ENCODE(found).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-RequestId": long_uid(),
        "Content-Length": str(len(body)),
    }
    return "200 OK", [*headers.items()], body


def _members(body: bytes, types: dict[str, type]) -> Members | None:
    """The call's members, if they are only such as are known here and are what they should be."""
    members = shortcut.members(body, types)
    if members is None:
        return None
    for attribute in (members.get("MessageSystemAttributes") or {}).values():
        if not isinstance(attribute, dict) or any(type(value) is not str for value in attribute.values()):
            return None  # a binary value is decoded by the chain
        if "StringValue" not in attribute or "BinaryValue" in attribute:
            return None
    return members


def patch() -> None:
    shortcut.serve(target=TARGET, service="sqs", answer=answer)
