"""Event source mappings and API Gateway call the Lambda service in-process instead of over HTTP to themselves.

The same service method runs with the same arguments; the two HTTP round trips, their signing, parsing and
serialisation are left out. Mappings of SQS queues only with the patch sqs_records, which hands over their batches.
"""

from localstack.aws.api.lambda_ import InvocationType
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import RestApiAwsProxyIntegration
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.lambda_.event_source_mapping.senders.lambda_sender import LambdaSender
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.utils.strings import long_uid
from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.emulator.core.services import provider
from dlqlab.emulator.mappings.sqs_records import Delivery, Response


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


def _invoke_of_mapping(sender: LambdaSender, event: bytes, trace_header: str | None) -> Response:
    result = invoke(sender.target_arn, event, trace_header)
    return Response(bool(result.is_error), result.payload, result.request_id, result.executed_version)


def patch() -> None:

    Delivery.invoke = staticmethod(_invoke_of_mapping)

    def call_lambda(function_arn: str, event: bytes, source_arn: str, credentials: str | None = None) -> bytes:  # noqa: ARG001  (LocalStack's signature)
        return bytes(invoke(function_arn, event).payload or b"")

    RestApiAwsProxyIntegration.call_lambda = staticmethod(call_lambda)
