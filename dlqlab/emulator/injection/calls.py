"""What is done to functions' calls of AWS's APIs: refused, failed, slow, cut off before they are done or after.

LocalStack's chain of handlers knows the operation whatever the protocol, and writes an error as that protocol does.
Calls that would be served past it go through it while calls are struck.
"""

import functools
import json
import re
import time
from typing import Any

from localstack.aws import handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.app import LocalstackAwsGateway

from dlqlab.contracts.aims import is_meant_call
from dlqlab.contracts.injection import Case, Fault, Kind, Place
from dlqlab.emulator.gateway import shortcut
from dlqlab.emulator.injection import connections
from dlqlab.emulator.injection.errors import error_of
from dlqlab.emulator.injection.invocations import RUNNING, Running
from dlqlab.emulator.injection.state import HOLDER
from dlqlab.emulator.recorder.describe import resource_of

_KEY = re.compile(r"Credential=([^/,\s]+)/\d{8}/")
_KEY_BYTES = re.compile(rb"Credential=([^/,\s]+)/\d{8}/")
_ATTEMPT = re.compile(r"attempt=(\d+)")
_REFUSING = frozenset({Kind.CALL_THROTTLED, Kind.CALL_FAILED, Kind.CALL_DENIED, Kind.CALL_RESET})


def install() -> None:
    """Strike calls from now on, where a plan says so."""
    _through_the_chain()
    original = LocalstackAwsGateway.__init__

    @functools.wraps(original)
    def init(self: LocalstackAwsGateway, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.request_handlers.insert(self.request_handlers.index(handlers.parse_service_request) + 1, _strike)

    LocalstackAwsGateway.__init__ = init


def _through_the_chain() -> None:
    quick = shortcut.reply

    @functools.wraps(quick)
    def reply(method: bytes, path: bytes, headers: shortcut.Headers, body: bytes) -> shortcut.Reply | None:
        in_force = HOLDER.in_force
        if in_force is not None and in_force.has(Place.CALL):
            found = _KEY_BYTES.search(headers.get(b"authorization", b""))
            if found and found[1].decode() in RUNNING:
                return None
        return quick(method, path, headers, body)

    shortcut.reply = reply


def _strike(_chain: Any, context: RequestContext, _response: Any) -> None:
    in_force = HOLDER.in_force
    if in_force is None or not in_force.has(Place.CALL) or context.service is None or context.operation is None:
        return
    found = _KEY.search(context.request.headers.get("Authorization", ""))
    running = RUNNING.get(found[1]) if found else None
    if running is None:
        return
    service, operation = context.service.signing_name, context.operation.name
    resource = _resource(context)
    case = _case(context, running, f"{service}:{operation}")
    fault = in_force.struck(
        Place.CALL, case, lambda one: is_meant_call(one, running.function, f"{service}:{operation}", resource)
    )
    if fault:
        in_force.tell(
            fault,
            case,
            function=running.function,
            message_id=case.message_id or None,
            receive_count=case.receive_count if case.message_id else None,
            request_id=running.request_id,
            service=service,
            operation=operation,
            resource=resource,
        )
        _act(fault, service, operation)


def _act(fault: Fault, service: str, operation: str) -> None:
    if fault.kind is Kind.CALL_SLOW:
        time.sleep(fault.seconds)
        return
    if fault.kind in {Kind.CALL_RESET, Kind.CALL_ANSWER_LOST}:
        connections.close()
    if fault.kind in _REFUSING:
        error = error_of(fault.kind, service, operation, fault.name)
        raise CommonServiceException(error.code, error.message, error.status, sender_fault=error.status < 500)  # noqa: PLR2004  (of HTTP)


def _resource(context: RequestContext) -> str | None:
    members = context.service_request or {}
    if context.service is not None and context.service.service_name == "dynamodb":
        try:
            members = json.loads(context.request.data)  # it is not parsed before
        except ValueError:
            return None
    return resource_of(members)


def _case(context: RequestContext, running: Running, call: str) -> Case:
    """Of the message that the call is for, as far as that can be told: its key stands in it, or there is only one."""
    headers = context.request.headers
    client_id = headers.get("amz-sdk-invocation-id", "")
    known = running.calls.setdefault(call, {})
    nth = known.setdefault(client_id or f"call {len(known)}", len(known) + 1)
    attempt = _ATTEMPT.search(headers.get("amz-sdk-request", ""))
    cases = running.cases
    if len(cases) > 1:
        text = context.request.get_data(as_text=True)
        cases = [one for one in cases if one.key in text] or cases
    return Case(
        key=cases[0].key,
        message_id=cases[0].message_id,
        receive_count=cases[0].receive_count,
        nth=nth,
        attempt=int(attempt[1]) if attempt else 1,
    )
