"""Lambda events in their recorded shapes, with fresh ids: what SQS, the dead-letter queue and API Gateway deliver."""

import uuid
from collections.abc import Mapping
from typing import Any

ACCOUNT = "000000000000"
REGION = "us-east-1"
SCHEDULED: dict[str, Any] = {
    "version": "0",
    "id": "89d1a02d-5ec7-412e-82f5-13505f849b41",
    "account": "000000000000",
    "region": "us-east-1",
    "time": "2026-01-31T10:00:00Z",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "resources": ["arn:aws:events:us-east-1:000000000000:rule/dlqlab-local-sweeper-event"],
    "detail": {},
}
"""What a schedule's rule sends (EventBridge user guide, "Scheduled Event")."""


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def sqs_record(
    body: str,
    *,
    queue: str = "dlqlab-local-tasks",
    message_id: str | None = None,
    receipt_handle: str | None = None,
    receive_count: int = 1,
    attributes: Mapping[str, str] | None = None,
    trace_header: str | None = None,
    dead_letter_source: str | None = None,
) -> dict[str, Any]:
    """One record of an SQS event; ``dead_letter_source`` is the queue that SQS itself moved the message from."""
    system = {
        "ApproximateReceiveCount": str(receive_count),
        "SentTimestamp": "1700000000000",
        "SenderId": ACCOUNT,
        "ApproximateFirstReceiveTimestamp": "1700000000001",
    }
    if trace_header:
        system["AWSTraceHeader"] = trace_header
    if dead_letter_source:
        system["DeadLetterQueueSourceArn"] = queue_arn(dead_letter_source)
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": receipt_handle or str(uuid.uuid4()),
        "body": body,
        "attributes": system,
        "messageAttributes": {
            name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            for name, value in (attributes or {}).items()
        },
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(queue),
        "awsRegion": REGION,
    }


def sqs_event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def api_event(
    method: str,
    resource: str,
    *,
    body: str | None = None,
    is_base64: bool = False,
    headers: Mapping[str, str] | None = None,
    path_parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A REST API request as API Gateway's Lambda proxy integration passes it on."""
    return {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": dict(headers or {}),
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": dict(path_parameters) if path_parameters else None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "requestId": str(uuid.uuid4()),
            "stage": "api",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


class LambdaContext:
    """What Lambda passes beside the event."""

    def __init__(self, function_name: str = "dlqlab-local", remaining_ms: int = 10_000) -> None:
        self.function_name = function_name
        self.aws_request_id = str(uuid.uuid4())
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining_ms
