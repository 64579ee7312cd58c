"""Calls to LocalStack's services from inside its process, without HTTP. Not a patch: what patches share."""

from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.aws.arns import parse_arn


def provider(service: str) -> Any:
    """The object that implements a service; loads the service where that has not happened yet."""
    return SERVICE_PLUGINS.require(service)._provider  # noqa: SLF001


def sqs_context(queue_arn: str, headers: dict[str, str] | None = None) -> RequestContext:
    """A request context in the queue's account and region."""
    queue = parse_arn(queue_arn)
    context = RequestContext(Request(method="POST", path="/", headers=headers or {}))
    context.service = load_service("sqs")
    context.account_id, context.region = queue["account"], queue["region"]
    return context
