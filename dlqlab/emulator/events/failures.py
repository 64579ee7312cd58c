"""What EventBridge writes beside an event that it could not deliver. Pure.

Source: "Using dead-letter queues to process undelivered events in EventBridge" (attributes and error codes).
"""

from botocore.exceptions import BotoCoreError, ClientError

_GONE = ("NonExistentQueue", "QueueDoesNotExist", "NotFound", "DoesNotExist", "NoSuch")
_DENIED = ("AccessDenied", "NotAuthorized", "AuthorizationError")
_THROTTLED = ("Throttl", "TooManyRequests", "LimitExceeded")
_INVALID = ("Validation", "InvalidParameter", "MissingParameter", "InvalidAttribute", "InvalidRequest")
_SERVER_ERROR = 500


def error_code(error: Exception) -> str:
    """EventBridge's code for what a target answered."""
    if isinstance(error, ClientError):
        return _of_answer(error)
    return "CONNECTION_FAILURE" if isinstance(error, BotoCoreError | OSError) else "UNKNOWN"


def error_message(error: Exception) -> str:
    """What the target said."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Message") or error)
    return str(error) or type(error).__name__


def attributes(*, rule_arn: str, target_arn: str, error: Exception) -> dict[str, dict[str, str]]:
    """The message attributes of the dead letter. No retry was made, so that none is exhausted."""
    texts = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": error_code(error),
        "ERROR_MESSAGE": error_message(error),
        "RETRY_ATTEMPTS": "0",
    }
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}


def _of_answer(error: ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    for known, words in (
        ("NO_RESOURCE", _GONE),
        ("NO_PERMISSIONS", _DENIED),
        ("THROTTLING", _THROTTLED),
        ("INVALID_PARAMETER", _INVALID),
    ):
        if any(word in code for word in words):
            return known
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return "ERROR_FROM_TARGET" if status >= _SERVER_ERROR else "SDK_CLIENT_ERROR"
