"""The DynamoDB service. Chosen by LocalStack's ``PROVIDER_OVERRIDE_DYNAMODB=moto``."""

import json
import os
import threading
import zlib
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.api.dynamodb import ConditionalCheckFailedException, DynamodbApi
from localstack.aws.skeleton import DispatchTable
from localstack.aws.spec import load_service
from localstack.http import Response
from localstack.services.moto import dispatch_to_moto
from localstack.services.plugins import Service
from localstack.state import StateVisitor

from dlqlab.emulator import settings
from dlqlab.emulator.dynamodb.operations import descriptions
from dlqlab.emulator.dynamodb.operations.engine import CHECKED, Engine
from dlqlab.emulator.dynamodb.operations.engine import OPERATIONS as ON_ITEMS
from dlqlab.emulator.dynamodb.search import OPERATIONS as SEARCHES
from dlqlab.emulator.dynamodb.search import Search
from dlqlab.emulator.dynamodb.single_item import OPERATIONS as ITEMS
from dlqlab.emulator.dynamodb.single_item import Answer, SingleItem
from dlqlab.emulator.dynamodb.unsupported import VALIDATION, UnsupportedError

HTTP_OK, HTTP_BAD_REQUEST = 200, 400
_CONDITION_FAILED = "The conditional request failed"
_ERROR_TYPES = "com.amazonaws.dynamodb.v20120810#"
_VALIDATION_TYPES = "com.amazon.coral.validate#"
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode  # dumps would make one each time
_NO_MEMBERS: dict[str, Any] = {"ResponseMetadata": {}}
"""Stands for an answer without members: LocalStack would parse the body of an answer that it takes for missing."""


class MotoDynamoDBProvider(DynamodbApi):  # type: ignore[misc]
    """All operations work on moto's tables, one at a time.

    moto checks a condition and writes in two steps, and serves requests on many threads; DynamoDB's conditional writes
    are atomic. So is this provider, by one lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def accept_state_visitor(self, visitor: StateVisitor) -> None:
        from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415  (heavy, and only for persistence)

        visitor.visit(dynamodb_backends)


_serves_all: list[bool] = []
"""Not empty where requests are refused as DynamoDB does."""


def serve_all_operations() -> None:
    """Let services that are made from now on serve items in full, and refuse what DynamoDB refuses."""
    _serves_all.append(True)


def dispatch_table(provider: MotoDynamoDBProvider, *, fast: bool, full: bool = False) -> DispatchTable:
    """A handler for every operation.

    The answers are DynamoDB's wire format already, so they go out as they are, not parsed and written again.

    Args:
        fast: serve single-item operations, scans and queries by the fast path where it can.
        full: serve what the fast path declines as DynamoDB does, and leave to moto what is on tables.
    """
    fast_path = FastPath(provider.lock)

    def by_moto(context: RequestContext, _request: Any) -> Response:
        with provider.lock:
            return dispatch_to_moto(context)

    engine = Engine(provider.lock)

    def by_engine(context: RequestContext, request: Any) -> Response:
        try:
            return _respond(context, engine.answer(context.operation.name, *_call(context)))
        except UnsupportedError:
            return by_moto(context, request)

    def checked(context: RequestContext, _request: Any) -> Response:
        return _on_table(context, engine, provider.lock)

    declined = by_engine if full else by_moto

    def by_fast_path(context: RequestContext, request: Any) -> Response:
        try:
            answer = fast_path.answer(context.operation.name, *_call(context))
        except UnsupportedError:
            return declined(context, request)
        return _respond(context, answer)

    handlers: DispatchTable = dict.fromkeys(load_service("dynamodb").operation_names, by_moto)
    if full:
        handlers |= dict.fromkeys(ON_ITEMS, by_engine) | dict.fromkeys(CHECKED, checked)
    return handlers | dict.fromkeys(ITEMS | SEARCHES, by_fast_path) if fast else handlers


def _on_table(context: RequestContext, engine: Engine, lock: threading.Lock) -> Response:
    """Moto's answer to an operation on a table, or DynamoDB's refusal."""
    operation, (body, account_id, region) = context.operation.name, _call(context)
    with lock:
        refusal = engine.check(operation, body, account_id, region)
        if refusal and not _is_twice_by_localstack(context, refusal):
            return _respond(context, refusal)
        members = json.loads(body)
        table = descriptions.moto_table(account_id, region, members["TableName"])
        definitions = list(table.attr) if table else []
        response = dispatch_to_moto(context)
        if response.status_code == HTTP_OK and operation in descriptions.TABLES:
            table = table or descriptions.moto_table(account_id, region, members["TableName"])
            descriptions.remember_class(table, members)
            descriptions.complete_definitions(table, definitions)
            answer = descriptions.described(operation, table, json.loads(response.get_data()))
            return _respond(context, Answer(answer))
        if operation == "UpdateTimeToLive" and table is not None:
            descriptions.forget_disabled(table.ttl)
        return response


def _is_twice_by_localstack(context: RequestContext, refusal: Answer) -> bool:
    """Whether LocalStack's CloudFormation enables the TTL of a table for the second time, as it does with each."""
    twice = refusal.error is not None and refusal.error.message == descriptions.TTL_ENABLED
    return twice and bool(context.is_internal_call)


def _call(context: RequestContext) -> tuple[bytes, str, str]:
    return context.request.get_data(), context.account_id, context.region


class FastPath:
    """Single items and searches, without moto."""

    def __init__(self, lock: threading.Lock) -> None:
        """Args:
        lock: the provider's.
        """
        single_item, search = SingleItem(lock), Search(lock)
        self._parts = dict.fromkeys(ITEMS, single_item.answer) | dict.fromkeys(SEARCHES, search.answer)

    def answer(self, operation: str, body: bytes, account_id: str, region: str) -> Answer:
        """Serve a call.

        Raises:
            UnsupportedError: the full path, or moto, must serve it; nothing has been changed.
        """
        part = self._parts.get(operation)
        if part is None:
            raise UnsupportedError(operation)
        try:
            return part(operation, body, account_id=account_id, region=region)
        except UnicodeEncodeError as error:
            raise UnsupportedError("half of a surrogate pair") from error


def wire(answer: Answer, request_id: str) -> tuple[int, dict[str, str], bytes, dict[str, Any]]:
    """The answer as DynamoDB sends it: status, headers, body; and the members in the body."""
    members: dict[str, Any] = dict(answer.body)
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": request_id}
    status = HTTP_OK
    if answer.condition_failed:
        status = HTTP_BAD_REQUEST
        headers["X-Amzn-ErrorType"] = "ConditionalCheckFailedException"
        members = _error("ConditionalCheckFailedException", _CONDITION_FAILED, members)
    elif answer.error:
        status = HTTP_BAD_REQUEST
        headers["X-Amzn-ErrorType"] = answer.error.code
        members = _error(answer.error.code, answer.error.message, members)
    body = _ENCODE(members).encode()
    headers["x-amz-crc32"] = str(zlib.crc32(body))
    return status, headers, body, members


def _error(code: str, message: str, members: dict[str, Any]) -> dict[str, Any]:
    """As DynamoDB writes it: the message has a capital where something comes along."""
    prefix = _VALIDATION_TYPES if code == VALIDATION else _ERROR_TYPES
    return {"__type": prefix + code, ("Message" if members else "message"): message, **members}


def _respond(context: RequestContext, answer: Answer) -> Response:
    """The answer for LocalStack; tells it what the answer is, so that it need not parse it."""
    status, headers, body, members = wire(answer, context.request_id)
    if answer.condition_failed:
        context.service_exception = ConditionalCheckFailedException(_CONDITION_FAILED)
    elif answer.error:
        context.service_exception = CommonServiceException(answer.error.code, answer.error.message)
    else:
        context.service_response = members or _NO_MEMBERS
    return Response(body, status, headers)


def make_service() -> Service:
    fast = os.environ.get(settings.DYNAMODB, settings.DYNAMODB_FAST) == settings.DYNAMODB_FAST

    def handlers(provider: MotoDynamoDBProvider) -> DispatchTable:
        return dispatch_table(provider, fast=fast, full=fast and bool(_serves_all))

    return Service.for_provider(MotoDynamoDBProvider(), dispatch_table_factory=handlers)
