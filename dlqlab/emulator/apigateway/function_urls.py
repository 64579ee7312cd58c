"""Function URLs have an address that every machine can reach, and their answers follow AWS's rules.

LocalStack's address, ``http://ID.lambda-url.REGION.127.0.0.1:PORT/``, is a name that no name service knows. Requests
with such a name in their Host header are served as before.
"""

import base64
import json
import logging
from typing import Any

from localstack import config
from localstack.aws.api import ServiceException
from localstack.aws.api.lambda_ import FunctionUrlAuthType
from localstack.http import Response
from localstack.services.lambda_ import provider, urlrouter
from localstack.services.lambda_.invocation.lambda_models import FunctionUrlConfig
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.lambda_.urlrouter import FunctionUrlRouter
from localstack.utils.aws.request_context import AWS_REGION_REGEX
from localstack.utils.patch import patch as replace

from dlqlab.emulator.apigateway import proxy_answers
from dlqlab.emulator.functions import lambda_checks

PREFIX = "/_aws/lambda-url/"
_LOG = logging.getLogger(__name__)


def address(region: str, url_id: str) -> str:
    """The function's address: the emulator's own, and a path."""
    return f"{config.external_service_url().rstrip('/')}{PREFIX}{region}/{url_id}/"


def function_path(path: str) -> str:
    """The path that the function sees, of the path that was asked for."""
    if not path.startswith(PREFIX):
        return path
    return "/" + path.removeprefix(PREFIX).partition("/")[2].partition("/")[2]


def _with_address(*, function_arn: str, url_id: str, **settings: Any) -> FunctionUrlConfig:
    region = function_arn.split(":")[3]
    settings["url"] = address(region, url_id)
    return FunctionUrlConfig(function_arn=function_arn, url_id=url_id, **settings)


def as_aws(event: dict[str, Any]) -> dict[str, Any]:
    """The event as Lambda makes it ("Invoking Lambda function URLs": request payload format).

    LocalStack leaves cookies among the headers, has an empty query as an object, and puts every text that is not ASCII
    in base64.
    """
    made = dict(event)
    headers = dict(made["headers"])
    if cookies := [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]:
        made["cookies"] = cookies
    made["headers"] = headers
    if not made.get("queryStringParameters"):
        made.pop("queryStringParameters", None)
    kind = headers.get("content-type", "").lower()
    if made.get("isBase64Encoded") and any(name in kind for name in ("text", "json", "xml", "javascript")):
        try:
            made["body"] = base64.b64decode(made["body"]).decode()
        except UnicodeDecodeError:
            return made
        made["isBase64Encoded"] = False
    return made


def _needs_signature(region: str, url_id: str) -> bool:
    """Whether the URL is for signed requests only (``AuthType`` ``AWS_IAM``)."""
    return any(
        settings.auth_type == FunctionUrlAuthType.AWS_IAM
        for account_id in list(lambda_stores.keys())
        for function in list(lambda_stores[account_id][region].functions.values())
        for settings in list(function.function_url_configs.values())
        if settings.url_id.lower() == url_id.lower()
    )


def _is_signed(request: Any) -> bool:
    """Whether there is a signature; as elsewhere in the emulator, it is not checked."""
    return request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 ") or "X-Amz-Signature" in request.args


def patch() -> None:
    provider.FunctionUrlConfig = _with_address

    @replace(FunctionUrlRouter.register_routes)
    def register_routes(original, self):  # type: ignore[no-untyped-def]
        if not self.registered:
            path = f"{PREFIX}<regex('{AWS_REGION_REGEX}'):region>/<api_id>/"
            handler = self.handle_lambda_url_invocation
            self.router.add(path, endpoint=handler, defaults={"path": ""}, strict_slashes=False)
            self.router.add(f"{path}<path:path>", endpoint=handler)
        original(self)

    @replace(FunctionUrlRouter.handle_lambda_url_invocation)
    def handle_lambda_url_invocation(original, self, request, **parameters):  # type: ignore[no-untyped-def]
        if int(request.environ.get("CONTENT_LENGTH") or 0) > lambda_checks.PAYLOAD_LIMIT:
            return _message(413, "Request Entity Too Large")
        if _needs_signature(parameters["region"], parameters["api_id"]) and not _is_signed(request):
            return _message(403, "Forbidden")
        try:
            return original(self, request, **parameters)
        except ServiceException as error:  # such as too many at once
            return _message(error.status_code, error.message)

    @replace(urlrouter.event_for_lambda_url)
    def event_for_lambda_url(original, api_id, request):  # type: ignore[no-untyped-def]
        event = original(api_id, request)
        event["rawPath"] = event["requestContext"]["http"]["path"] = function_path(event["rawPath"])
        return as_aws(event)

    urlrouter.lambda_result_to_response = to_response


def _message(status: int, text: str) -> Response:
    return Response(json.dumps({"Message": text}, separators=(",", ":")), status, {"Content-Type": "application/json"})


def to_response(result: Any) -> Response:
    """The HTTP answer of an invocation's result, by the rules of payload format 2.0."""
    payload = result.payload or b""
    payload = payload.encode() if isinstance(payload, str) else payload
    try:
        answer = proxy_answers.for_function_url(payload)
    except proxy_answers.MalformedAnswerError as error:
        _LOG.warning("malformed answer of a function behind a URL: %s: %.500r", error, payload)
        return Response("Internal Server Error", 502)
    response = Response(answer.body, answer.status)
    response.headers.update(answer.headers)
    response.headers["x-amzn-RequestId"] = result.request_id
    for cookie in answer.cookies:
        response.headers.add("Set-Cookie", cookie)
    return response
