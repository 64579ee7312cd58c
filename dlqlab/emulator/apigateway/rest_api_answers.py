"""REST APIs answer 502, 413 and 504 to malformed answers of functions, large requests and slow functions, as AWS does.

LocalStack takes an object as a body, fails on others in ways of its own, knows no limit of 10 MiB, and waits for a
function for as long as it runs.
"""

import functools
import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

from localstack.http import Response
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    IntegrationFailureError,
    IntegrationTimeoutError,
    InternalServerError,
    RequestTooLargeError,
)
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import (
    RestApiAwsProxyIntegration,
    get_lambda_function_arn_from_invocation_uri,
)
from localstack.services.apigateway.next_gen.execute_api.router import ApiGatewayEndpoint
from localstack.services.lambda_.provider_utils import get_function_version_from_arn

from dlqlab.emulator.apigateway import proxy_answers
from dlqlab.emulator.functions import lambda_checks
from dlqlab.emulator.gateway import refusals

INTEGRATION_TIMEOUT_MS = 29_000
"""How long API Gateway waits for an integration that sets nothing else."""
_LOG = logging.getLogger(__name__)


def patch() -> None:
    ApiGatewayEndpoint.__call__ = _within_limit(ApiGatewayEndpoint.__call__)
    integration = RestApiAwsProxyIntegration
    integration.invoke = _in_time(integration.invoke)
    integration.call_lambda = staticmethod(_within_payload(integration.call_lambda))
    integration.parse_lambda_response = _parse_lambda_response
    integration._parse_body = staticmethod(_parse_body)


def _within_limit(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, request: Any, **parameters: Any) -> Any:
        if int(request.environ.get("CONTENT_LENGTH") or 0) <= refusals.REST_API_LIMIT:
            return original(self, request, **parameters)
        status, headers, body = refusals.content_length_exceeded()
        return Response(body, status=int(status[:3]), headers=dict(headers))

    return call


def _in_time(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def invoke(self: Any, context: Any) -> Any:
        limit_ms = int(context.integration.get("timeoutInMillis") or INTEGRATION_TIMEOUT_MS)
        if _timeout_ms(context.integration_request["uri"]) < limit_ms:  # it ends by itself: no thread is needed
            return _invoke(original, self, context)
        future: Future[Any] = Future()
        Thread(target=_into, args=(future, original, self, context), daemon=True, name="integration").start()
        try:
            return future.result(limit_ms / 1000)
        except TimeoutError as error:
            raise IntegrationTimeoutError("Endpoint request timed out") from error

    return invoke


def _into(future: "Future[Any]", *call: Any) -> None:
    try:
        future.set_result(_invoke(*call))
    except Exception as error:  # noqa: BLE001  (the one that waits gets it)
        future.set_exception(error)


def _invoke(original: Callable[..., Any], integration: Any, context: Any) -> Any:
    try:
        return original(integration, context)
    except IntegrationFailureError as error:  # which LocalStack makes of every other error
        if isinstance(error.__cause__, RequestTooLargeError):
            raise error.__cause__ from None
        raise


def _timeout_ms(uri: str) -> int:
    """The function's own time-out; 0 where there is no such function, which answers at once."""
    try:
        version = get_function_version_from_arn(get_lambda_function_arn_from_invocation_uri(uri))
    except Exception:  # noqa: BLE001  (the invocation itself tells what is wrong)
        return 0
    return int(version.config.timeout) * 1000


def _within_payload(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def call_lambda(*, event: bytes, **parameters: Any) -> bytes:
        if len(event) > lambda_checks.PAYLOAD_LIMIT:  # the body fits, but in base64 or JSON it does not
            raise RequestTooLargeError("Request Too Long")
        return original(event=event, **parameters)

    return call_lambda


def _parse_lambda_response(_self: Any, payload: bytes) -> Any:
    try:
        return proxy_answers.for_rest_api(payload)
    except proxy_answers.MalformedAnswerError as error:
        _LOG.warning("malformed Lambda proxy response: %s: %.500r", error, payload)
        raise InternalServerError("Internal server error", status_code=502) from error


def _parse_body(body: str | None, is_base64_encoded: object) -> bytes:
    if not body:
        return b""
    if not is_base64_encoded:
        return proxy_answers.encoded(body)
    try:
        return proxy_answers.decoded(body)
    except proxy_answers.MalformedAnswerError as error:
        _LOG.warning("malformed Lambda proxy response: %s", error)
        raise InternalServerError("Internal server error", status_code=500) from error
