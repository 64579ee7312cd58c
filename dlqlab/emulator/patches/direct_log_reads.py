"""FilterLogEvents goes to the log store straight from the server, past LocalStack's chain of handlers.

The chain writes each page of up to 10,000 lines, reads what it has written by the description of the service, and
throws that away: four times the cost of the page. What the store refuses goes through the chain, which words the error.
"""

import json

from localstack.services.logs.models import get_moto_logs_backend
from localstack.utils.strings import long_uid
from moto.core.exceptions import JsonRESTError
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse

from dlqlab.emulator import direct
from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import provider

NAME = "direct_log_reads"
TARGET = "Logs_20140328"
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_TYPES = {"logGroupName": str, "logStreamNames": list, "startTime": int, "endTime": int, "limit": int, "nextToken": str}
"""Members that are known here; a filter pattern is not."""


def answer(call: direct.Call) -> direct.Reply | None:
    """The store's answer; None where the chain must serve the call."""
    asked = direct.members(call.body, _TYPES) if call.operation == "FilterLogEvents" else None
    if asked is None or "logGroupName" not in asked:
        return None
    provider("logs")  # its provider completes moto's log store
    try:
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
    except JsonRESTError:
        return None
    body = _ENCODE({"events": lines, "nextToken": token, "searchedLogStreams": searched}).encode()
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", long_uid())]
    return "200 OK", headers, body


def patch() -> None:
    expect(NAME, LogsResponse.filter_log_events, "bcfea899647e")
    expect(NAME, LogsBackend.filter_log_events, "23e7a4bccbf7")
    direct.serve(NAME, target=TARGET, service="logs", answer=answer)
