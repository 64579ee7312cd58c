"""FilterLogEvents goes to the log store straight from the server, past LocalStack's chain of handlers.

The chain writes each page of up to 10,000 lines, reads what it has written by the description of the service, and
throws that away: four times the cost of the page. What the store refuses goes through the chain, which words the error.
"""

import json
from dataclasses import dataclass
from typing import Any

from localstack.aws.api import ServiceException
from localstack.services.logs.models import get_moto_logs_backend
from localstack.services.logs.provider import LogsProvider
from localstack.utils.strings import long_uid
from moto.core.exceptions import JsonRESTError

from dlqlab.emulator.gateway import shortcut
from dlqlab.emulator.logs import operations

TARGET = "Logs_20140328"
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_TYPES = {"logGroupName": str, "logStreamNames": list, "startTime": int, "endTime": int, "limit": int, "nextToken": str}
"""Members that are known here; a filter pattern only where patterns are obeyed."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the operation needs to know of a request."""

    account_id: str
    region: str


def answer(call: shortcut.Call) -> shortcut.Reply | None:
    """The store's answer; None where the chain must serve the call."""
    is_own = operations.is_served("filter_log_events")
    types = _TYPES | {"filterPattern": str} if is_own else _TYPES
    asked = shortcut.members(call.body, types) if call.operation == "FilterLogEvents" else None
    if asked is None or "logGroupName" not in asked:
        return None
    try:
        found = _own(call, asked) if is_own else _motos(call, asked)
    except (JsonRESTError, ServiceException):
        return None
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", long_uid())]
    return "200 OK", headers, _ENCODE(found).encode()


def _own(call: shortcut.Call, asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = LogsProvider.filter_log_events(None, Account(call.account_id, call.region), asked)
    return found


def _motos(call: shortcut.Call, asked: dict[str, Any]) -> dict[str, Any]:
    lines, token, searched = get_moto_logs_backend(call.account_id, call.region).filter_log_events(
        log_group_name=asked["logGroupName"],
        log_stream_names=asked.get("logStreamNames", []),
        start_time=asked.get("startTime"),
        end_time=asked.get("endTime"),
        limit=asked.get("limit"),
        next_token=asked.get("nextToken"),
        filter_pattern=None,
        interleaved=False,
    )
    return {"events": lines, "nextToken": token, "searchedLogStreams": searched}


def patch() -> None:
    shortcut.serve(target=TARGET, service="logs", answer=answer)
