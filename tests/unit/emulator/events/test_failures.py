"""What a dead letter of EventBridge tells of its failure."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dlqlab.emulator.events.failures import attributes, error_code


def _error(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "as it is"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "SendMessage")  # type: ignore[arg-type]  # as much of it as is read


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_error("AWS.SimpleQueueService.NonExistentQueue"), "NO_RESOURCE"),
        (_error("QueueDoesNotExist"), "NO_RESOURCE"),
        (_error("ResourceNotFoundException", 404), "NO_RESOURCE"),
        (_error("NotFound", 404), "NO_RESOURCE"),
        (_error("StateMachineDoesNotExist"), "NO_RESOURCE"),
        (_error("AccessDeniedException", 403), "NO_PERMISSIONS"),
        (_error("ThrottlingException"), "THROTTLING"),
        (_error("TooManyRequestsException", 429), "THROTTLING"),
        (_error("InvalidParameterValue"), "INVALID_PARAMETER"),
        (_error("MissingParameter"), "INVALID_PARAMETER"),
        (_error("InternalError", 500), "ERROR_FROM_TARGET"),
        (_error("Other"), "SDK_CLIENT_ERROR"),
        (EndpointConnectionError(endpoint_url="http://x"), "CONNECTION_FAILURE"),
        (ConnectionRefusedError(), "CONNECTION_FAILURE"),
        (NotImplementedError("no such target"), "UNKNOWN"),
    ],
)
def test_code_of_a_failure(error: Exception, expected: str) -> None:
    """One of EventBridge's own codes."""
    assert expected == error_code(error)


def test_attributes_of_a_dead_letter() -> None:
    """Rule, target and error as texts; no empty one, which SQS would refuse."""
    told = attributes(rule_arn="r", target_arn="t", error=_error("QueueDoesNotExist"))

    assert {
        "RULE_ARN": "r",
        "TARGET_ARN": "t",
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": "as it is",
        "RETRY_ATTEMPTS": "0",
    } == {name: value["StringValue"] for name, value in told.items()}
    assert "OSError" == attributes(rule_arn="r", target_arn="t", error=OSError())["ERROR_MESSAGE"]["StringValue"]
