"""Every request to the emulator: who sent it, what it asks, and how it was answered.

The server tells of each request on the thread that serves it (``taps``). What has to be parsed is parsed later, by the
recorder's own thread (``describe``).
"""

import functools
import re
from collections.abc import Mapping
from time import monotonic
from typing import Any

from localstack.aws import handlers
from localstack.aws.api import RequestContext
from localstack.aws.app import LocalstackAwsGateway

from dlqlab.emulator.core import taps
from dlqlab.emulator.httpapi import endpoint
from dlqlab.emulator.recorder import relays
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor, Environments, Signed, caller, learn
from dlqlab.emulator.recorder.calls import leave_to_readers, note_members
from dlqlab.emulator.recorder.describe import resource_of
from dlqlab.emulator.recorder.rows import UNFINISHED_CALL, UNFINISHED_CALL_FIELDS
from dlqlab.emulator.recorder.witness import Witness

BODY_MAX = 65_536
"""Of a request's or an answer's body that is looked at; what is longer is not parsed."""
_EXECUTE_API, _LAMBDA_URL = "execute-api", "lambda-url"
_HTTP = (
    (re.compile(rb"/restapis/[^/]+/[^/]+/_user_request_"), _EXECUTE_API),
    (re.compile(rb"/_aws/lambda-url/"), _LAMBDA_URL),
)
_REFUSED_IN_PART = re.compile(rb'"Failed":\s*\[\s*\{|"FailedEntryCount":\s*[1-9]|<BatchResultErrorEntry>')
"""In the answer to a batch: the status says 200, and entries were refused."""
_TAKE_BATCHES = frozenset({"sqs", "sns", "events"})
"""Others' answers hold what users have written, which may have the same words."""
_SERVICE, _OPERATION, _RESOURCE, _ENDED, _STATUS, _URL, _ERROR, _SIZE = (
    1 + UNFINISHED_CALL_FIELDS.index(name)
    for name in ("service", "operation", "resource", "ended_ts", "status", "url", "error_body", "size")
)


class Watch:
    """Watches requests. This runs before and after each of them, so it calls and looks up as little as it can.

    What a thread knows of its last request stays until its next one: it does nothing else in between.
    """

    def __init__(self, witness: Witness, environments: Environments) -> None:
        self._witness = witness
        self._environments = environments

    def began(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
        witness = self._witness
        try:
            signed = HERE.signed
            if (
                signed is not None
                and signed.environment is not None
                and headers.get(b"authorization", b"").startswith(signed.scope)
                and relays.HEADER not in headers
            ):  # as the last request on this connection
                actor = signed.environment.actor
                service: str | None = signed.service
            else:
                signed = HERE.signed = self._environments.signed(headers, target)
                actor, service = self._sender(target, headers, signed)
            seq, ts = next(witness.numbers), witness.epoch + monotonic()
            if signed is None and service is not None and actor.request_id is None:
                actor = actor._replace(request_id=f"request-{seq}")
            HERE.actor = actor
            if service is None:
                HERE.call = None
                return
            read = body if signed is not None and isinstance(body, bytes) and len(body) <= BODY_MAX else b""
            HERE.call = [
                UNFINISHED_CALL,
                seq,
                ts,
                *actor,
                service,
                headers.get(b"x-amz-target"),
                headers.get(b"x-amzn-trace-id"),
                None,
                None,
                None,
                None,
                None,
                method,
                target,
                read,
                None,
                None,
                len(read),
            ]
        except Exception as error:  # noqa: BLE001  (it must be served)
            HERE.actor, HERE.call = SQS, None
            witness.failed(error)

    @staticmethod
    def _sender(target: bytes, headers: Mapping[bytes, bytes], signed: Signed | None) -> tuple[Actor, str | None]:
        """Who sent a request, and for which service; None for one that is recorded already, or need not be."""
        service = signed.service if signed else http_service(headers, target)
        if relays.HEADER in headers and (relayed := relays.find(headers[relays.HEADER])) is not None:
            return relayed.actor, service if relayed.is_call else None
        return caller(headers, signed), service

    def parsed(self, body: bytes, members: Mapping[str, Any]) -> None:
        row = HERE.call
        if row is not None:
            try:
                note_members(row, body, members)
            except Exception as error:  # noqa: BLE001  (it must be served)
                self._witness.failed(error)

    def answered(self, status: str, body: bytes) -> None:
        row = HERE.call
        if row is None:
            return
        witness = self._witness
        try:
            row[_ENDED], row[_STATUS] = witness.epoch + monotonic(), status
            size = row[_SIZE]
            if status >= "4" or (
                row[_SERVICE] in _TAKE_BATCHES and b"Failed" in body and _REFUSED_IN_PART.search(body)
            ):
                row[_ERROR] = body[:BODY_MAX]
                size += len(row[_ERROR])
            else:
                if row[_SERVICE] == "sts" and HERE.signed is not None:
                    learn(HERE.signed.access_key, body, self._environments)
                leave_to_readers(row)
            witness.journal.give(row, size)
        except Exception as trouble:  # noqa: BLE001  (the answer must be sent)
            witness.failed(trouble)


def is_http() -> bool:
    """Whether this thread serves a request to a REST API or a function URL."""
    row = HERE.call
    return row is not None and row[_SERVICE] in {_EXECUTE_API, _LAMBDA_URL}


def install(witness: Witness, environments: Environments) -> None:
    """Watch requests from now on, with what LocalStack's chain of handlers finds out about those that go through it."""
    original = LocalstackAwsGateway.__init__

    @functools.wraps(original)
    def init(self: LocalstackAwsGateway, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.request_handlers.insert(
            self.request_handlers.index(handlers.parse_service_request) + 1, functools.partial(_note_parsed, witness)
        )

    LocalstackAwsGateway.__init__ = init
    _note_stages(witness)
    taps.watch = Watch(witness, environments)


def _note_stages(witness: Witness) -> None:
    """A request to an HTTP API is recorded with its stage, which the address leaves out where it is ``$default``."""
    original = endpoint.routed

    @functools.wraps(original)
    def routed(api: Any, stage: str, path: str, *more: Any) -> Any:
        try:
            if (row := HERE.call) is not None:
                row[_URL] = f"/_aws/execute-api/{api.id}/{stage}{path}".encode()
        except Exception as error:  # noqa: BLE001  (it must be served)
            witness.failed(error)
        return original(api, stage, path, *more)

    endpoint.routed = routed  # type: ignore[assignment]


def _note_parsed(witness: Witness, _chain: Any, context: RequestContext, _response: Any) -> None:
    """LocalStack's handler: it knows the operation whatever the protocol."""
    row = HERE.call
    if row is None or context.operation is None:
        return
    try:
        row[_OPERATION] = context.operation.name
        row[_RESOURCE] = resource_of(context.service_request or {})
    except Exception as error:  # noqa: BLE001  (it must be served)
        witness.failed(error)


def http_service(headers: Mapping[bytes, bytes], target: bytes) -> str | None:
    """Of an unsigned request: what of the user's it is for; None where it is for something of the emulator's own."""
    if target.startswith(b"/_aws/execute-api/"):
        return _EXECUTE_API
    for pattern, service in _HTTP:
        if pattern.match(target):
            return service
    host = headers.get(b"host", b"")
    if b".execute-api." in host:
        return _EXECUTE_API
    return _LAMBDA_URL if b".lambda-url." in host else None
