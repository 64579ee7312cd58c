"""Lambda refuses reserved variables, values out of bounds, requests and payloads over its limits, with AWS's errors.

LocalStack takes them: what would fail at the first deployment to AWS works here. A payload that is not JSON reaches the
function, and one of 20 MB does too.
"""

import functools
import io
from collections.abc import Callable
from typing import Any

from localstack.aws.api.lambda_ import InvalidRequestContentException
from localstack.services.lambda_ import api_utils, provider
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.lambda_.provider import LambdaProvider

from dlqlab.emulator.functions import lambda_checks

Check = Callable[[Any, Any], None]
"""Of the request's context and its members; raises what Lambda answers."""


def patch() -> None:
    LambdaProvider.create_function = _checked(LambdaProvider.create_function, _check_creation)
    LambdaProvider.update_function_configuration = _checked(
        LambdaProvider.update_function_configuration, _check_configuration
    )
    LambdaProvider.update_function_code = _checked(LambdaProvider.update_function_code, _check_code)
    LambdaProvider.publish_layer_version = _with_size(LambdaProvider.publish_layer_version)
    LambdaProvider.invoke = _with_payload(LambdaProvider.invoke)


def _checked(original: Callable[..., Any], check: Check) -> Callable[..., Any]:
    @functools.wraps(original)
    def checked(self: LambdaProvider, context: Any, request: Any) -> Any:
        check(context, request)
        return original(self, context, request)

    return checked


def _with_size(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def publish_layer_version(self: LambdaProvider, context: Any, **members: Any) -> Any:
        _check_size(context, members.get("content") or {}, "PublishLayerVersion")
        return original(self, context, **members)

    return publish_layer_version


def _with_payload(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def invoke(self: LambdaProvider, context: Any, function_name: str, **members: Any) -> Any:
        if members.get("payload"):
            payload = members["payload"].read()
            _check_payload(context, function_name, payload, is_event=members.get("invocation_type") == "Event")
            members["payload"] = io.BytesIO(payload)
        return original(self, context, function_name, **members)

    return invoke


def _check_creation(context: Any, request: Any) -> None:
    _check_size(context, request.get("Code") or {}, "CreateFunction")
    _check_configuration(context, request)
    _refuse(lambda_checks.creation_problem(request))
    name = request["FunctionName"]
    if lambda_checks.has_dots(name):
        pattern = f"Member must satisfy regular expression pattern: {api_utils.ARN_NAME_PATTERN_CREATE}"
        problem = f"Value '{name}' at 'functionName' failed to satisfy constraint: {pattern}"
        _refuse(f"1 validation error detected: {problem}")


def _check_configuration(_context: Any, request: Any) -> None:
    if problems := lambda_checks.validation_problems(request):
        raise provider.ValidationException(problems)
    _refuse(lambda_checks.parameter_problem(request))


def _check_code(context: Any, request: Any) -> None:
    _check_size(context, request, "UpdateFunctionCode")
    _refuse(lambda_checks.source_problem(request))


def _check_size(context: Any, code: Any, operation: str) -> None:
    limit = lambda_checks.CODE_REQUEST_LIMIT
    if (context.request.content_length or 0) > limit:
        raise provider.RequestEntityTooLargeException(lambda_checks.smaller(limit, operation))
    zipped = provider.config.LAMBDA_LIMITS_CODE_SIZE_ZIPPED
    if len(code.get("ZipFile") or b"") > zipped:
        raise provider.RequestEntityTooLargeException(f"Zipped size must be smaller than {zipped} bytes")


def _check_payload(context: Any, function_name: str, payload: bytes, *, is_event: bool) -> None:
    if problem := lambda_checks.payload_too_large(len(payload), is_event=is_event):
        raise provider.RequestEntityTooLargeException(problem)
    if payload and (problem := lambda_checks.payload_problem(payload)):
        account_id, region = api_utils.get_account_and_region(function_name, context)
        name, _ = api_utils.get_name_and_qualifier(function_name, None, context)
        if name in lambda_stores[account_id][region].functions:  # that it is not there comes first
            raise InvalidRequestContentException(problem, Type="User")


def _refuse(problem: str | None) -> None:
    if problem:
        raise provider.InvalidParameterValueException(problem, Type="User")
