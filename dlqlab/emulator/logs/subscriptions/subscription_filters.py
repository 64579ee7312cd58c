"""Subscription filters send the matching lines of a log group to functions and streams, outside of what logs them.

LocalStack sends every line whatever the pattern, inside the call that stores it, and cannot create a log stream in a
group with a filter. Here a function is invoked asynchronously, as AWS does, and a stream of Kinesis or Firehose gets a
record; one that is gone, slow or fails loses its lines and delays nobody. A function that receives what its own
invocations log would be invoked for ever: after 16 rounds its lines are dropped, with a warning. Logical destinations
are refused.
"""

import fnmatch
from collections.abc import Iterator
from typing import Any

from localstack.aws.api.logs import InvalidParameterException, LimitExceededException, ResourceNotFoundException
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.utils.patch import patch as replace
from moto.core.utils import unix_time_millis
from moto.logs.models import LogEvent, LogGroup, LogsBackend, SubscriptionFilter

from dlqlab.emulator.core.isolation import isolated
from dlqlab.emulator.logs import operations
from dlqlab.emulator.logs.subscriptions import streams
from dlqlab.emulator.logs.subscriptions.delivery import close, forward

FILTERS_MAX = 2  # of a log group
_GUARD = isolated("lines for the subscribers of log groups")
_REFUSED = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)


def put_subscription_filter(_provider: Any, context: Any, request: dict[str, Any]) -> None:
    pattern = operations.pattern_of(request["filterPattern"], "Invalid filter pattern")
    operations.refuse_unsupported(request, "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields")
    group = operations.group_of(context, request["logGroupName"])
    name, destination, role = request["filterName"], request["destinationArn"], request.get("roleArn") or ""
    _check_destination(group, destination, role)
    if name not in group.subscription_filters and len(group.subscription_filters) >= FILTERS_MAX:
        raise LimitExceededException("Resource limit exceeded.")
    operations.check_regex_quota(operations.backend_of(context), group, pattern, except_name=name)
    found = group.subscription_filters.get(name)
    if found is None:
        found = SubscriptionFilter(name, group.name, request["filterPattern"], destination, role)
        group.subscription_filters[name] = found
    else:
        found.update(request["filterPattern"], destination, role)
    found.distribution = request.get("distribution") or "ByLogStream"


def _check_destination(group: LogGroup, destination: str, role: str | None) -> None:
    parts = destination.split(":")
    if len(parts) < 6 or parts[0] != "arn":  # noqa: PLR2004  (arn:partition:service:region:account:resource)
        raise InvalidParameterException(f"destinationArn {destination} is not an ARN of a function")
    service = parts[2]
    if service in streams.SERVICES:
        _check_stream(destination, streams.SERVICES[service], role)
        return
    if service != "lambda":
        raise InvalidParameterException(
            f"PutSubscriptionFilter operation cannot work with destinationArn for vendor {service}"
        )
    if role:
        raise InvalidParameterException("destinationArn for vendor lambda cannot be used with roleArn")
    if not _may_invoke(group, destination):
        raise InvalidParameterException(_REFUSED)


def _check_stream(destination: str, kind: str, role: str | None) -> None:
    if not role:
        raise InvalidParameterException(f"destinationArn for vendor {kind.lower()} cannot be used without roleArn")
    if not streams.exists(destination):
        raise InvalidParameterException(
            f"Could not deliver message to specified {kind} stream. Ensure that the {kind} stream exists and is ACTIVE."
        )


def _may_invoke(group: LogGroup, function_arn: str) -> bool:
    """Whether there is such a function and its policy lets CloudWatch Logs invoke it for this group."""
    name, qualifier, account_id, region = function_locators_from_arn(function_arn)
    function = lambda_stores[account_id][region].functions.get(name)
    if function is None:
        return False
    if qualifier and qualifier not in {*function.versions, *function.aliases}:
        return False
    policy = function.permissions.get(qualifier or "$LATEST")
    return policy is not None and any(_allows(statement, group) for statement in policy.policy.Statement)


def _allows(statement: dict[str, Any], group: LogGroup) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else principal
    names = {"*", "logs.amazonaws.com", f"logs.{group.region}.amazonaws.com"}
    if not names.intersection([services] if isinstance(services, str) else services or []):
        return False
    if statement.get("Action") not in {"lambda:InvokeFunction", "lambda:*", "*"}:
        return False
    return all(
        _agrees(key.lower(), str(value), group)
        for condition in statement.get("Condition", {}).values()
        for key, value in condition.items()
    )


def _agrees(key: str, value: str, group: LogGroup) -> bool:
    if key == "aws:sourceaccount":
        return bool(value == group.account_id)
    if key == "aws:sourcearn":
        return any(fnmatch.fnmatchcase(arn, value) for arn in (group.arn, f"{group.arn}:*"))
    return True


def describe_subscription_filters(_provider: Any, context: Any, request: dict[str, Any]) -> dict[str, Any]:
    group = operations.group_of(context, request["logGroupName"])
    prefix = request.get("filterNamePrefix") or ""
    found = sorted(group.subscription_filters.items())
    return {"subscriptionFilters": [dict(_described(one)) for name, one in found if name.startswith(prefix)]}


def _described(found: SubscriptionFilter) -> Iterator[tuple[str, Any]]:
    for name, value in found.to_json().items():
        if name == "distribution":
            yield name, found.distribution
        elif name != "roleArn" or value:
            yield name, value


def delete_subscription_filter(_provider: Any, context: Any, request: dict[str, Any]) -> None:
    group = operations.group_of(context, request["logGroupName"])
    if request["filterName"] not in group.subscription_filters:
        raise ResourceNotFoundException("The specified subscription filter does not exist.")
    del group.subscription_filters[request["filterName"]]
    close(group.account_id, group.region, group.name, request["filterName"])


def patch() -> None:
    for operation, answer in (
        ("PutSubscriptionFilter", put_subscription_filter),
        ("DescribeSubscriptionFilters", describe_subscription_filters),
        ("DeleteSubscriptionFilter", delete_subscription_filter),
    ):
        operations.serve(operation, answer)

    @operations.around_storing
    def store(_original, self, log_events):  # type: ignore[no-untyped-def]
        self.last_ingestion_time = int(unix_time_millis())
        self.stored_bytes += sum(len(event["message"]) for event in log_events)
        events = [LogEvent(self.last_ingestion_time, event) for event in log_events]
        self.events += events
        self.upload_sequence_token += 1
        if events and self.log_group.subscription_filters:
            with _GUARD:
                forward(self, events)
        return f"{self.upload_sequence_token:056d}"

    @replace(LogGroup.create_log_stream)
    def create_log_stream(original, self, log_stream_name):  # type: ignore[no-untyped-def]
        # The function below LocalStack's, which looks for a filter where there may be two.
        original.__wrapped__(self, log_stream_name)

    @replace(LogsBackend.delete_log_group)
    def delete_log_group(original, self, log_group_name):  # type: ignore[no-untyped-def]
        original(self, log_group_name)
        close(self.account_id, self.region_name, log_group_name)
