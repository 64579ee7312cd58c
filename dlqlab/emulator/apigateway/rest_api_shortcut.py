"""Requests to a deployed REST API go to API Gateway straight from the server, past the chain of handlers of AWS's APIs.

The handlers find nothing to do for them; the one that knows the API's address comes after ten others. API Gateway's own
steps are unchanged. A browser's requests go through the chain, which checks where they come from.
"""

import functools
import re

from localstack.aws.app import LocalstackAwsGateway
from localstack.http import Request, Response
from localstack.services.apigateway.next_gen.execute_api.router import ApiGatewayEndpoint
from localstack.utils.patch import patch as replace
from rolo.gateway import Gateway

from dlqlab.emulator.core.services import provider

_ADDRESS = re.compile(r"/_aws/execute-api/(?P<api_id>[A-Za-z0-9]+)/(?P<stage>[A-Za-z0-9_-]+)/(?P<path>.*)", re.DOTALL)
_FOR_THE_CHAIN = ("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_CONTENT_ENCODING", "HTTP_UPGRADE")
"""Headers that make LocalStack do more than serve the request: checks of the origin, decoding, WebSockets."""


def address(request: Request) -> dict[str, str] | None:
    """What the route to a REST API finds in the path; None where the chain must serve the request."""
    found = _ADDRESS.fullmatch(request.environ["PATH_INFO"])
    if not found or any(name in request.environ for name in _FOR_THE_CHAIN):
        return None
    return found.groupdict()


@functools.cache
def _endpoint() -> ApiGatewayEndpoint:
    return provider("apigateway").router.handler


def patch() -> None:

    @replace(Gateway.process)
    def process(original, self, request, response):  # type: ignore[no-untyped-def]
        known = address(request) if isinstance(self, LocalstackAwsGateway) else None
        if known is None:
            original(self, request, response)
        else:
            answer: Response = _endpoint()(request, **known)
            response.update_from(answer)
