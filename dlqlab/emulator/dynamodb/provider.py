"""The DynamoDB service. Chosen by LocalStack's ``PROVIDER_OVERRIDE_DYNAMODB=moto``."""

import json
import os
import threading
import zlib
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.api.dynamodb import ConditionalCheckFailedException, DynamodbApi
from localstack.aws.skeleton import DispatchTable
from localstack.aws.spec import load_service
from localstack.http import Response
from localstack.services.moto import dispatch_to_moto
from localstack.services.plugins import Service
from localstack.state import StateVisitor

from dlqlab.emulator import settings
from dlqlab.emulator.dynamodb.search import OPERATIONS as SEARCHES
from dlqlab.emulator.dynamodb.search import Search
from dlqlab.emulator.dynamodb.single_item import OPERATIONS as ITEMS
from dlqlab.emulator.dynamodb.single_item import Answer, SingleItem
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError

_CONDITION_FAILED = "The conditional request failed"
_ERROR_TYPE = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
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


def dispatch_table(provider: MotoDynamoDBProvider, *, fast: bool) -> DispatchTable:
    """A handler for every operation.

    The answers are DynamoDB's wire format already, so they go out as they are, not parsed and written again.

    Args:
        fast: serve single-item operations, scans and queries by the fast path where it can.
    """
    fast_path = FastPath(provider.lock)

    def by_moto(context: RequestContext, _request: Any) -> Response:
        with provider.lock:
            return dispatch_to_moto(context)

    def by_fast_path(context: RequestContext, request: Any) -> Response:
        try:
            answer = fast_path.answer(
                context.operation.name,
                context.request.get_data(),
                account_id=context.account_id,
                region=context.region,
            )
        except UnsupportedError:
            return by_moto(context, request)
        return _respond(context, answer)

    handlers: DispatchTable = dict.fromkeys(load_service("dynamodb").operation_names, by_moto)
    return handlers | dict.fromkeys(ITEMS | SEARCHES, by_fast_path) if fast else handlers


class FastPath:
    """Single items and searches, without moto."""

    def __init__(self, lock: threading.Lock) -> None:
        """Args:
        lock: the provider's.
        """
        single_item, search = SingleItem(lock), Search(lock)
        self._parts = dict.fromkeys(ITEMS, single_item.answer) | dict.fromkeys(SEARCHES, search.answer)

    def answer(self, operation: str, body: bytes, *, account_id: str, region: str) -> Answer:
        """Serve a call.

        Raises:
            UnsupportedError: moto must serve it; nothing has been changed.
        """
        part = self._parts.get(operation)
        if part is None:
            raise UnsupportedError(operation)
        return part(operation, body, account_id=account_id, region=region)


def wire(answer: Answer, request_id: str) -> tuple[int, dict[str, str], bytes, dict[str, Any]]:
    """The answer as DynamoDB sends it: status, headers, body; and the members in the body."""
    members: dict[str, Any] = dict(answer.body)
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": request_id}
    status = 200
    if answer.condition_failed:
        status = 400
        headers["X-Amzn-ErrorType"] = "ConditionalCheckFailedException"
        # As DynamoDB writes it: the capital where an item comes along.
        members = {"__type": _ERROR_TYPE, ("Message" if members else "message"): _CONDITION_FAILED, **members}
    body = _ENCODE(members).encode()
    headers["x-amz-crc32"] = str(zlib.crc32(body))
    return status, headers, body, members


def _respond(context: RequestContext, answer: Answer) -> Response:
    """The answer for LocalStack; tells it what the answer is, so that it need not parse it."""
    status, headers, body, members = wire(answer, context.request_id)
    if answer.condition_failed:
        context.service_exception = ConditionalCheckFailedException(_CONDITION_FAILED)
    else:
        context.service_response = members or _NO_MEMBERS
    return Response(body, status, headers)


def make_service() -> Service:
    fast = os.environ.get(settings.DYNAMODB, settings.DYNAMODB_FAST) == settings.DYNAMODB_FAST

    def handlers(provider: MotoDynamoDBProvider) -> DispatchTable:
        return dispatch_table(provider, fast=fast)

    return Service.for_provider(MotoDynamoDBProvider(), dispatch_table_factory=handlers)
