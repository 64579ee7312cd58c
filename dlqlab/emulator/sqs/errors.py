"""Refusals as the exceptions that LocalStack's SQS answers with."""

from collections.abc import Callable

from localstack.aws.api import CommonServiceException, ServiceException
from localstack.aws.api.sqs import InvalidAttributeName, MessageNotInflight, UnsupportedOperation
from localstack.services.sqs.exceptions import (
    InvalidAttributeValue,
    InvalidParameterValueException,
    MissingRequiredParameterException,
)

from dlqlab.emulator.sqs.refusals import RefusedError

_BY_CODE = {
    "InvalidAttributeName": InvalidAttributeName,
    "InvalidAttributeValue": InvalidAttributeValue,
    "InvalidParameterValue": InvalidParameterValueException,
    "MessageNotInflight": MessageNotInflight,
    "UnsupportedOperation": UnsupportedOperation,
}
_CODES = {
    InvalidParameterValueException: "InvalidParameterValue",
    MissingRequiredParameterException: "MissingParameter",
}
"""LocalStack's names that are not those of the API."""


def error_of(refusal: RefusedError) -> ServiceException:
    """What to raise in the service."""
    kind = _BY_CODE.get(refusal.code)
    return CommonServiceException(refusal.code, refusal.text, 400, True) if kind is None else kind(refusal.text)


def enforce(check: Callable[..., None], *values: object, **named: object) -> None:
    """Whether a rule allows it.

    Raises:
        ServiceException: it does not.
    """
    try:
        check(*values, **named)
    except RefusedError as refusal:
        raise error_of(refusal) from refusal


def code_of(error: ServiceException) -> str:
    """The code of an entry of a batch that failed."""
    return _CODES.get(type(error)) or str(error.code)
