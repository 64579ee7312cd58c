"""One invocation of a function by a service beside Lambda: the Lambda service itself is called, without HTTP."""

from localstack.aws.api.lambda_ import InvocationType
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.utils.strings import long_uid
from localstack.utils.xray.trace_header import TraceHeader

from dlqlab.emulator.core.services import provider


def invoke(
    function_arn: str,
    payload: bytes,
    trace_header: str | None = None,
    *,
    kind: InvocationType = InvocationType.RequestResponse,
    request_id: str | None = None,
) -> InvocationResult:
    """Invoke a function, and wait for its result unless it is asynchronous.

    Args:
        function_arn: with a version or an alias where it is meant.
        trace_header: what X-Amzn-Trace-Id says of the trace; without one it is a trace of its own.
        kind: whether to wait (RequestResponse) or not (Event).
        request_id: of the invocation; default: a new one.

    Raises:
        ServiceException: Lambda refuses it, as it would refuse the request.
    """
    function_name, qualifier, account_id, region = function_locators_from_arn(function_arn)
    header = TraceHeader.from_header_str(trace_header).ensure_root_exists()
    return provider("lambda").lambda_service.invoke(
        function_name=function_name,
        qualifier=qualifier,
        region=region,
        account_id=account_id,
        invocation_type=kind,
        client_context=None,
        request_id=request_id or long_uid(),
        payload=payload,
        trace_context={"aws_trace_header": header},
    )
