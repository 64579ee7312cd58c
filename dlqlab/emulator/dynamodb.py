"""DynamoDB served by moto's backend: LocalStack's own provider downloads and runs a Java server.

Chosen by LocalStack's ``PROVIDER_OVERRIDE_DYNAMODB=moto``.
"""

import threading
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.skeleton import DispatchTable
from localstack.aws.spec import load_service
from localstack.http import Response
from localstack.services.moto import dispatch_to_moto
from localstack.services.plugins import Service
from localstack.state import StateVisitor


class MotoDynamoDBProvider(DynamodbApi):  # type: ignore[misc]
    """All operations go to moto, one at a time.

    moto checks a condition and writes in two steps, and serves requests on many threads; DynamoDB's conditional writes
    are atomic. So is this provider, by one lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def accept_state_visitor(self, visitor: StateVisitor) -> None:
        from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415  (heavy, and only for persistence)

        visitor.visit(dynamodb_backends)


def dispatch_table(provider: MotoDynamoDBProvider) -> DispatchTable:
    """One handler for every operation.

    moto's answer is DynamoDB's wire format already, so it goes out as it is instead of being parsed and written again.
    """

    def handle(context: RequestContext, _request: Any) -> Response:
        with provider.lock:
            return dispatch_to_moto(context)

    return dict.fromkeys(load_service("dynamodb").operation_names, handle)


def make_service() -> Service:
    return Service.for_provider(MotoDynamoDBProvider(), dispatch_table_factory=dispatch_table)
