"""Event source mappings and API Gateway call the Lambda service in-process instead of over HTTP to themselves.

The same service method runs with the same arguments; the two HTTP round trips, their signing, parsing and
serialisation are left out. Mappings of SQS queues only with the patch sqs_records, which hands over their batches.
"""

from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.event_source_mapping.senders.lambda_sender import LambdaSender

from dlqlab.emulator.core.invocations import invoke
from dlqlab.emulator.mappings.sqs_records import Delivery, Response


def _invoke_of_mapping(sender: LambdaSender, event: bytes, trace_header: str | None) -> Response:
    result = invoke(sender.target_arn, event, trace_header)
    return Response(bool(result.is_error), result.payload, result.request_id, result.executed_version)


def patch() -> None:

    Delivery.invoke = staticmethod(_invoke_of_mapping)

    def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:  # noqa: ARG001  (LocalStack's signature)
        return bytes(invoke(function_arn, event).payload or b"")

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
