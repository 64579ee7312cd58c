"""How services word the errors that faults from outside have them answer with. Pure.

Source: "Common Errors" of each API's reference, "Error handling with DynamoDB" (DynamoDB developer guide), "Error
responses" (Amazon S3 API reference), "Common error types" (SNS). The clients of AWS's SDKs try throttling and errors of
the service again, and a denied access not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dlqlab.contracts.injection import Kind
from dlqlab.emulator.iam.refused import code_and_status


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An answer of a service: its code, message and HTTP status."""

    code: str
    message: str
    status: int


_RATE = "Rate exceeded"
_THROTTLING = ServiceError("ThrottlingException", _RATE, 400)
_THROTTLED: Mapping[str, ServiceError] = {
    "dynamodb": ServiceError(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API.",
        400,
    ),
    "sqs": ServiceError("RequestThrottled", "Request throttled.", 403),
    "sns": ServiceError("Throttled", _RATE, 429),
    "s3": ServiceError("SlowDown", "Please reduce your request rate.", 503),
    "lambda": ServiceError("TooManyRequestsException", "Rate Exceeded.", 429),
    "kinesis": ServiceError(
        "ProvisionedThroughputExceededException",
        "Rate exceeded for shard shardId-000000000000 in stream under account.",
        400,
    ),
    "firehose": ServiceError("ServiceUnavailableException", "Slow down.", 503),
    "secretsmanager": _THROTTLING,
    "kms": _THROTTLING,
}
_INTERNAL = ServiceError("InternalFailure", "The request processing has failed because of an unknown error.", 500)
_FAILED: Mapping[str, ServiceError] = {
    "dynamodb": ServiceError("InternalServerError", "Internal server error", 500),
    "s3": ServiceError("InternalError", "We encountered an internal error. Please try again.", 500),
    "sns": ServiceError("InternalError", "An internal error occurred.", 500),
    "lambda": ServiceError("ServiceException", "An error occurred and the request cannot be processed.", 500),
    "events": ServiceError("InternalException", "This exception occurs due to unexpected causes.", 500),
    "secretsmanager": ServiceError("InternalServiceError", "An error occurred on the server side.", 500),
}


def error_of(kind: Kind, service: str, operation: str, fault: str) -> ServiceError:
    """What a service answers to a call that a fault strikes.

    Args:
        service: as AWS signs it.
        fault: the fault's name, which a denied access tells, because policies would not.
    """
    if kind is Kind.CALL_THROTTLED:
        return _THROTTLED.get(service, _THROTTLING)
    if kind is Kind.CALL_DENIED:
        code, status = code_and_status(service)
        return ServiceError(code, f"not authorized to perform {service}:{operation} (fault {fault})", status)
    return _FAILED.get(service, _INTERNAL)
