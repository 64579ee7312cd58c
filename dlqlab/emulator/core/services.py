"""Calls to LocalStack's services from inside its process, without HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.utils.aws.arns import parse_arn
from werkzeug.datastructures import Headers


def provider(service: str) -> Any:
    """The object that implements a service; loads the service where that has not happened yet."""
    return SERVICE_PLUGINS.require(service)._provider


@dataclass(slots=True)
class BareRequest:
    """What the services look at of a request; a whole one takes longer to make than most calls."""

    headers: Headers
    base_url: str = ""


def sqs_context(account_id: str, region: str, headers: Mapping[str, str] | None = None) -> RequestContext:
    """A request context of SQS in an account and region."""
    context = RequestContext(BareRequest(Headers(headers)))
    context.service = load_service("sqs")
    context.account_id, context.region = account_id, region
    return context


def context_of_queue(queue_arn: str, headers: Mapping[str, str] | None = None) -> RequestContext:
    """A request context in the queue's account and region."""
    queue = parse_arn(queue_arn)
    return sqs_context(queue["account"], queue["region"], headers)
