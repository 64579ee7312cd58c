"""A dead letter of an asynchronous invocation is kept as AWS keeps it, and names its invocation.

LocalStack loses the event of a function whose concurrency is zero, whose error is long or that was given its queue just
before, writes the others anew, and invents the request id. Here the body is the event as it was sent; the attributes
are those of "Adding a dead-letter queue" (AWS Lambda developer guide): the invocation's request id, the status code,
the first 1 KB of the error message. That page does not say which code a throttled invocation has: here it is 429.
"""

import json
import logging
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.lambda_.invocation.event_manager import Poller, SQSInvocation
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.utils.aws.arns import parse_arn, sqs_queue_url_for_arn
from localstack.utils.aws.client_types import ServicePrincipal

from dlqlab.emulator.core.services import provider

_MESSAGE_BYTES = 1024
_ILLEGAL = "\ufffe\uffff"
_OK, _THROTTLED = "200", "429"
_LOG = logging.getLogger(__name__)


def _attributes(request_id: str, document: bytes | str | None) -> dict[str, Any]:
    """Of a dead letter; ``document`` is what the function answered, None where it was not invoked."""
    values = {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", _THROTTLED if document is None else _OK),
        "ErrorMessage": ("String", _error_message(document)),
    }
    return {name: {"DataType": data_type, "StringValue": value} for name, (data_type, value) in values.items() if value}


def _error_message(document: bytes | str | None) -> str:
    """Of an error document, in what a message's attribute can hold."""
    if document is None:
        return "Rate Exceeded."
    try:
        message = json.loads(document)["errorMessage"]
    except (ValueError, KeyError, TypeError):  # a runtime may report what it likes
        message = document.decode(errors="replace") if isinstance(document, bytes) else document
    legal = "".join("?" if one in _ILLEGAL or (one < " " and one not in "\t\n\r") else one for one in str(message))
    return legal.encode(errors="replace")[:_MESSAGE_BYTES].decode(errors="ignore")


def _version(poller: Poller) -> FunctionVersion:
    """The one that serves now: an event that the poller of an earlier one still received is the later one's."""
    manager = poller.version_manager
    current = provider("lambda").lambda_service.lambda_running_versions.get(manager.function_arn)
    return (current or manager).function_version


def _keep(poller: Poller, sqs_invocation: SQSInvocation, result: InvocationResult) -> None:
    version = _version(poller)
    target = version.config.dead_letter_arn
    if not target:
        return
    request_id = sqs_invocation.invocation.request_id
    try:
        body = sqs_invocation.invocation.payload.decode()
        _send(version, target, body, _attributes(request_id, result.payload))
    except Exception:  # noqa: BLE001  (as on AWS: that the dead letter is lost too is told, and changes nothing else)
        _LOG.exception("event %s of %s is lost: %s takes none", request_id, version.qualified_arn, target)


def _send(version: FunctionVersion, target: str, body: str, attributes: dict[str, Any]) -> None:
    place = parse_arn(target)
    clients = connect_to.with_assumed_role(
        role_arn=version.config.role, service_principal=ServicePrincipal.lambda_, region_name=place["region"]
    )
    sender = {"source_arn": version.id.unqualified_arn(), "service_principal": ServicePrincipal.lambda_}
    if place["service"] == "sqs":
        clients.sqs.request_metadata(**sender).send_message(
            QueueUrl=sqs_queue_url_for_arn(target), MessageBody=body, MessageAttributes=attributes
        )
    else:
        clients.sns.request_metadata(**sender).publish(TopicArn=target, Message=body, MessageAttributes=attributes)


def patch() -> None:
    Poller.process_dead_letter_queue = _keep
