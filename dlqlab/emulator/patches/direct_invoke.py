"""Event source mappings and API Gateway call the Lambda service in-process instead of over HTTP to themselves.

The same service method runs with the same arguments; the two HTTP round trips, their signing, parsing and
serialisation are left out. A message body reaches the function byte for byte, where LocalStack parses and rewrites it.
"""

import json
from typing import Any

from localstack.aws.api.lambda_ import InvocationType
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.lambda_.event_source_mapping.pollers.poller import get_batch_item_failures
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller, transform_into_events
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.utils.patch import patch as replace
from localstack.utils.strings import long_uid
from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.emulator.patches import expect
from dlqlab.emulator.patches.in_process import context_of_queue, provider

NAME = "direct_invoke"


def invoke(function_arn: str, payload: bytes, trace_header: str | None = None) -> InvocationResult:
    """Invoke a function and wait for its result."""
    function_name, qualifier, account_id, region = function_locators_from_arn(function_arn)
    header = TraceHeader.from_header_str(trace_header).ensure_root_exists()
    return provider("lambda").lambda_service.invoke(
        function_name=function_name,
        qualifier=qualifier,
        region=region,
        account_id=account_id,
        invocation_type=InvocationType.RequestResponse,
        client_context=None,
        request_id=long_uid(),
        payload=payload,
        trace_context={"aws_trace_header": header},
    )


def _delete(poller: SqsPoller, messages: list[dict[str, Any]], ids: set[str]) -> None:
    """Delete the messages with these ids, as Lambda does after it handled them."""
    context = context_of_queue(poller.source_arn)
    done = [message for message in messages if message["MessageId"] in ids]
    for start in range(0, len(done), 10):
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(done[start : start + 10])
        ]
        provider("sqs").delete_message_batch(context, queue_url=poller.queue_url, entries=entries)


def _failed_ids(result: InvocationResult, *, reports_items: bool, ids: set[str]) -> set[str]:
    """Which messages of a batch stay in the queue ("Handling errors for an SQS event source in Lambda", AWS)."""
    if result.is_error:
        return ids
    if not reports_items:
        return set()
    try:
        answer = json.loads(result.payload or b"null")
    except json.JSONDecodeError:
        return ids
    failed = get_batch_item_failures(answer, ids) if answer is None or isinstance(answer, dict) else None
    return ids if failed is None else set(failed)


def handle_batch(poller: SqsPoller, messages: list[dict[str, Any]]) -> bool:
    """Invoke the function with one batch and delete what it handled; whether the function failed as a whole."""
    sender = poller.processor.sender
    trace = next((message["Attributes"].get("AWSTraceHeader") for message in messages), None)
    records = poller.add_source_metadata(transform_into_events(messages))
    result = invoke(sender.target_arn, json.dumps({"Records": records}).encode(), trace)
    ids = {message["MessageId"] for message in messages}
    failed = _failed_ids(result, reports_items=sender.report_batch_item_failures, ids=ids)
    _delete(poller, messages, ids - failed)
    return bool(result.is_error)


def patch() -> None:
    expect(NAME, SqsPoller.handle_messages, "65e0b988da3f")
    expect(NAME, SqsPoller.delete_messages, "717f047bf268")
    expect(NAME, transform_into_events, "0b1d02bf8013")
    expect(NAME, RestApiAwsProxyIntegration.call_lambda, "75964f5a1a6a")

    @replace(SqsPoller.handle_messages)
    def handle_messages(original, self, messages):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return original(self, messages) if self.filter_patterns else handle_batch(self, messages)

    def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:  # noqa: ARG001
        return bytes(invoke(function_arn, event).payload or b"")

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
