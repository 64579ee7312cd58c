"""Spans of requests: of clients to a REST API or a function URL, and of functions and clients to AWS.

Names and attributes: "Semantic conventions for HTTP spans" and "Semantic conventions for AWS SDK client spans" of
OpenTelemetry.
"""

from collections.abc import Mapping

from opentelemetry.semconv._incubating.attributes import aws_attributes as aws
from opentelemetry.semconv._incubating.attributes import rpc_attributes as rpc
from opentelemetry.semconv.attributes import error_attributes as errors
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes import url_attributes as url
from opentelemetry.semconv.attributes import user_agent_attributes as user_agent

from dlqlab.contracts.recorded import ActorKind
from dlqlab.traces import ids
from dlqlab.traces.model import About, Kind, Place, Row, Span, attributes

REQUEST_ID = "dlqlab.request_id"
"""The id of the recorder for a request that is no invocation: what the client sent as its own."""
API_GATEWAY, FUNCTION_URL, CLIENT = "API Gateway", "Lambda function URL", "client"
_SERVED_BY = {"execute-api": API_GATEWAY, "lambda-url": FUNCTION_URL}
_NAMES: Mapping[str, str] = {
    "cloudformation": "CloudFormation",
    "dynamodb": "DynamoDB",
    "events": "EventBridge",
    "lambda": "Lambda",
    "logs": "CloudWatch Logs",
    "monitoring": "CloudWatch",
    "scheduler": "Scheduler",
    "secretsmanager": "Secrets Manager",
    "states": "SFN",
    "xray": "XRay",
}
"""Services by the name with which requests are signed; others are that name in capitals: SQS, SNS, S3, SSM, STS."""
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def is_to_web(row: Row) -> bool:
    """Whether a call is a request to a REST API or a function URL."""
    return row["service"] in _SERVED_BY


def request_span(trace: str, row: Row, route: str | None) -> Span:
    """Of a request to a REST API or a function URL.

    Args:
        route: as the API has it (``/tasks/{id}``); None where no function shows it.
    """
    path, method, status = row["resource"] or "/", row["operation"], row["status"]
    is_failure = status >= _SERVER_ERROR
    return Span(
        at=request_place(trace, row),
        about=About.REQUEST,
        name=f"{method} {route}" if route else method,
        kind=Kind.SERVER,
        service=_SERVED_BY[row["service"]],
        start_ts=row["ts"],
        end_ts=row["ts"] + row["duration_s"],
        attributes=attributes(
            (http.HTTP_REQUEST_METHOD, method),
            (http.HTTP_ROUTE, route),
            (http.HTTP_RESPONSE_STATUS_CODE, status),
            (url.URL_PATH, path),
            (user_agent.USER_AGENT_ORIGINAL, row["actor"]),
            (REQUEST_ID, row["request_id"]),
            (errors.ERROR_TYPE, str(status) if is_failure else None),
        ),
        error="" if is_failure else None,
    )


def call_span(trace: str, row: Row, parent: Place | None) -> Span:
    """Of a call of an AWS API."""
    service, operation = service_name(row["service"]), row["operation"] or "Unknown"
    is_failure = row["status"] >= _CLIENT_ERROR
    kind = row["error_code"] or str(row["status"])
    table = [row["resource"]] if row["service"] == "dynamodb" and row["resource"] else None
    return Span(
        at=request_place(trace, row),
        about=About.CALL,
        name=f"{service}.{operation}",
        kind=Kind.CLIENT,
        service=row["function"] or CLIENT,
        start_ts=row["ts"],
        end_ts=row["ts"] + row["duration_s"],
        parent_id=parent.span_id if parent else None,
        attributes=attributes(
            (rpc.RPC_SYSTEM, "aws-api"),
            (rpc.RPC_SERVICE, service),
            (rpc.RPC_METHOD, operation),
            (http.HTTP_RESPONSE_STATUS_CODE, row["status"]),
            (aws.AWS_DYNAMODB_TABLE_NAMES, table),
            (aws.AWS_SQS_QUEUE_URL, row["resource"] if row["service"] == "sqs" else None),
            (aws.AWS_SNS_TOPIC_ARN, row["resource"] if row["service"] == "sns" else None),
            ("dlqlab.item_key", row["item_key"]),
            (REQUEST_ID, row["request_id"] if row["actor_kind"] == ActorKind.CLIENT else None),
            (errors.ERROR_TYPE, kind if is_failure else None),
        ),
        error=kind if is_failure else None,
    )


def request_place(trace: str, row: Row) -> Place:
    """Of a call's span, whatever it is to."""
    names = (row["cell"], row["request_id"], row["ts"], row["service"], row["operation"], row["resource"])
    return Place(trace, ids.span_id("call", *names, row["item_key"]))


def service_name(signed: str) -> str:
    """A service as AWS's SDKs name it."""
    return _NAMES.get(signed, signed.upper())
