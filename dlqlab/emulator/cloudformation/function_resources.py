"""Aliases, URLs and asynchronous settings of functions in stacks are updated.

LocalStack has no update of them, and reports one as done; the list of weights that a template gives an alias is no
argument of Lambda's API, and fails there.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.lambda_.resource_providers.aws_lambda_eventinvokeconfig import LambdaEventInvokeConfigProvider
from localstack.services.lambda_.resource_providers.aws_lambda_url import LambdaUrlProvider
from localstack.services.lambda_.resource_providers.lambda_alias import LambdaAliasProvider


def patch() -> None:
    LambdaAliasProvider.create = _weighing(LambdaAliasProvider.create)
    LambdaAliasProvider.update = _update_alias
    LambdaEventInvokeConfigProvider.update = _update_invocations
    LambdaUrlProvider.update = _update_url


def _weighing(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Any, request: Any) -> Any:
        model = request.desired_state
        given = model.get("RoutingConfig")
        if given is None:
            return original(self, request)
        model["RoutingConfig"] = _weights(model)
        try:
            return original(self, request)
        finally:
            model["RoutingConfig"] = given

    return create


def _update_alias(_self: Any, request: Any) -> Any:
    model, before = request.desired_state, request.previous_state
    client = request.aws_client_factory.lambda_
    given = _given(model, "FunctionName", "FunctionVersion", "Name", "Description")
    model["Id"] = client.update_alias(**given, RoutingConfig=_weights(model))["AliasArn"]
    place = {"FunctionName": model["FunctionName"], "Qualifier": model["Name"]}
    old, new = ((each.get("ProvisionedConcurrencyConfig") or {}) for each in (before, model))
    if new and new != old:
        client.put_provisioned_concurrency_config(**place, **new)
    elif old and not new:
        client.delete_provisioned_concurrency_config(**place)
    return _done(model)


def _weights(model: Mapping[str, Any]) -> dict[str, Any]:
    """Weights by version, of the list that templates have; none take away those that there were."""
    given = (model.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or []
    return {"AdditionalVersionWeights": {one["FunctionVersion"]: float(one["FunctionWeight"]) for one in given}}


def _update_invocations(_self: Any, request: Any) -> Any:
    """What is not given is as at first: PutFunctionEventInvokeConfig replaces all."""
    model = request.desired_state
    names = ("FunctionName", "Qualifier", "DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    request.aws_client_factory.lambda_.put_function_event_invoke_config(**_given(model, *names))
    model["Id"] = request.previous_state["Id"]
    return _done(model)


def _update_url(_self: Any, request: Any) -> Any:
    model = request.desired_state
    given = _given(model, "Qualifier", "AuthType", "InvokeMode")
    answer = request.aws_client_factory.lambda_.update_function_url_config(
        FunctionName=model["TargetFunctionArn"], Cors=model.get("Cors") or {}, **given
    )
    model |= {name: answer[name] for name in ("FunctionArn", "FunctionUrl")}
    return _done(model)


def _given(model: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: model[name] for name in names if model.get(name) is not None}


def _done(model: Mapping[str, Any]) -> Any:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)
