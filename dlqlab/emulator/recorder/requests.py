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
from dlqlab.emulator.recorder.actors import HERE, SQS, Actor, Environment, Environments, Signed, caller, learn
from dlqlab.emulator.recorder.calls import HTTP_SERVICES, Told, path_shown
from dlqlab.emulator.recorder.describe import resource_of
from dlqlab.emulator.recorder.rows import SERVED_CALL, UNFINISHED_CALL
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


class Connection:
    """Watches the requests of one connection, which one thread serves one after the other.

    This runs before and after each of them, while nothing of it is in the processor's caches, so it does as little as
    it can: what a call is about is found out later (``calls``).
    """

    __slots__ = (
        "_began",
        "_body",
        "_doing",
        "_environment",
        "_environments",
        "_epoch",
        "_give_finished",
        "_method",
        "_numbers",
        "_scope",
        "_service",
        "_signed",
        "_target",
        "_told",
        "_witness",
        "service",
    )

    def __init__(self, witness: Witness, environments: Environments) -> None:
        self._witness, self._give_finished = witness, witness.give_finished
        self._numbers, self._epoch = witness.numbers, witness.epoch
        self._environments = environments
        self._doing = HERE.doing
        self._signed: Signed | None = None
        self._environment: Environment | None = None
        """Whose the last request was; it knows the next one by the beginning of its signature."""
        self._scope, self._service = b"", ""
        """Of that signature."""
        self._began: tuple[Any, ...] | None = None
        """The beginning of a ``SERVED_CALL`` row, of the request that is served; None for one that is not recorded."""
        self._method, self._target = b"", b""
        self._body: Any = None
        self._told: Told | None = None
        self.service: str | None = None
        """What the request is for that is served; None for one that is not recorded."""
        self._doing.connection = self

    def began(self, method: bytes, target: bytes, headers: Mapping[bytes, bytes], body: Any) -> None:
        try:
            environment = self._environment
            service: str | None
            if environment is not None and headers.get(b"authorization", b"").startswith(self._scope):
                actor, service = environment.actor, self._service
            else:
                actor, service = self._sender(target, headers)
            self._doing.actor, self.service = actor, service
            self._told = None
            if service is None:
                self._began = None
                return
            who, name, request_id = actor
            self._began = (
                SERVED_CALL,
                next(self._numbers),
                self._epoch + monotonic(),
                who,
                name,
                request_id,
                service,
                headers.get(b"x-amz-target"),
                headers.get(b"x-amzn-trace-id"),
            )
            self._method, self._target, self._body = method, target, body
        except Exception as error:  # noqa: BLE001  (it must be served)
            self._doing.actor, self.service, self._began = SQS, None, None
            self._witness.failed(error)

    def _sender(self, target: bytes, headers: Mapping[bytes, bytes]) -> tuple[Actor, str | None]:
        """Who sent a request, and for which service; None for one that is recorded already, or need not be."""
        signed = self._signed = self._environments.signed(headers, target)
        self._environment = None
        service = signed.service if signed else http_service(headers, target)
        if relays.HEADER in headers and (relayed := relays.find(headers[relays.HEADER])) is not None:
            actor, service = relayed.actor, service if relayed.is_call else None
        else:
            actor = caller(headers, signed)
            if signed is not None and signed.environment is not None:
                self._environment, self._scope, self._service = signed.environment, signed.scope, signed.service
        if signed is None and service is not None and actor.request_id is None:
            actor = actor._replace(request_id=f"request-{next(self._witness.numbers)}")
        return actor, service

    def answered(self, status: str, body: bytes) -> None:
        began = self._began
        if began is None:
            return
        try:
            ended_ts, service, error = self._epoch + monotonic(), self.service, None
            if status >= "4" or (service in _TAKE_BATCHES and b"Failed" in body and _REFUSED_IN_PART.search(body)):
                error = body[:BODY_MAX]
            elif service == "sts" and self._signed is not None:
                learn(self._signed.access_key, body, self._environments)
            said, resource, key, update = taps.said
            if said is self._body and error is None and self._told is None:
                row = began + (resource, key, update, ended_ts, status)  # noqa: RUF005  (unpacking makes a list first)
                self._give_finished(row)
            else:
                self._give(began, ended_ts, status, error)
            self._body = None  # it may be large, and this connection idle from now on
        except Exception as trouble:  # noqa: BLE001  (the answer must be sent)
            self._witness.failed(trouble)

    def _give(self, began: tuple[Any, ...], ended_ts: float, status: str, error: bytes | None) -> None:
        """A call that has to be parsed, or of which more is known than its body says."""
        body, told = self._body, self._told
        if self.service in HTTP_SERVICES:
            if error is None:
                self._give_finished((*began, path_shown(self._target, told), self._method, None, ended_ts, status))
                return
            body = b""
        elif not isinstance(body, bytes) or len(body) > BODY_MAX:
            body = b""
        request = self._method, self._target, body
        size = len(body) + len(error or b"")
        self._witness.journal.give((UNFINISHED_CALL, began, request, ended_ts, status, error, told), size)

    def parsed(self, service: str, operation: str, members: Mapping[str, Any]) -> None:
        """LocalStack's chain has parsed a request; the first one is the client's, others are what that leads to."""
        if self._told is None and service == self.service:
            self._told = Told(operation, resource_of(members))

    def routed(self, url: bytes) -> None:
        """A request to an HTTP API has this address in full."""
        self._told = Told(url=url)


class Watch:
    """Watches requests."""

    def __init__(self, witness: Witness, environments: Environments) -> None:
        self._witness = witness
        self._environments = environments

    def connection(self) -> Connection:
        return Connection(self._witness, self._environments)


def is_http() -> bool:
    """Whether this thread serves a request to a REST API or a function URL."""
    connection = HERE.doing.connection
    return connection is not None and connection.service in HTTP_SERVICES


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
            if is_http():
                HERE.doing.connection.routed(f"/_aws/execute-api/{api.id}/{stage}{path}".encode())
        except Exception as error:  # noqa: BLE001  (it must be served)
            witness.failed(error)
        return original(api, stage, path, *more)

    endpoint.routed = routed  # type: ignore[assignment]


def _note_parsed(witness: Witness, _chain: Any, context: RequestContext, _response: Any) -> None:
    """LocalStack's handler: it knows the operation whatever the protocol."""
    connection = HERE.doing.connection
    if connection is None or context.operation is None or context.service is None:
        return
    try:
        name = context.service.signing_name
        connection.parsed(name, context.operation.name, context.service_request or {})
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
