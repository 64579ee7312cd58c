"""What SQS refuses of a message, and of the times that a call gives for one.

Sources: "Amazon SQS message metadata" and "Amazon SQS message quotas" (developer guide); SendMessage, ReceiveMessage
and ChangeMessageVisibility (API reference).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dlqlab.emulator.sqs.refusals import RefusedError, invalid_parameter, invalid_value

ATTRIBUTES_MAX = 10
NAME_BYTES_MAX = 255
DELAY_MAX_S = 900
VISIBILITY_MAX_S = 43_200
RECEIVE_MAX = 10
DIGITS_MAX = 38
NUMBER_SMALLEST, NUMBER_LARGEST = Decimal("1e-128"), Decimal("1e126")
SYSTEM_ATTRIBUTE = "AWSTraceHeader"
"""The only system attribute that can be sent."""

_NAME = re.compile(r"[\u00c0-\u017fA-Za-z0-9_.-]+")
"""The developer guide names ASCII only; the service takes umlauts too."""
_RESERVED = ("aws.", "amazon.")
_CONTENT = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_FIFO_ID = re.compile(r"[0-9A-Za-z!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")

Attributes = Mapping[str, Mapping[str, Any]]


def check_attributes(attributes: Attributes | None) -> None:
    """Message attributes: their number, names, types and values.

    Raises:
        RefusedError: of the first one that is wrong.
    """
    if not attributes:
        return
    if len(attributes) > ATTRIBUTES_MAX:
        raise invalid_parameter(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{ATTRIBUTES_MAX}]."
        )
    for name, attribute in attributes.items():
        _check_name(name)
        _check_value(name, attribute)


def check_system_attributes(attributes: Attributes | None) -> None:
    """Raises:
    RefusedError: an attribute is not AWSTraceHeader, or not a String.
    """
    for name, attribute in (attributes or {}).items():
        if name != SYSTEM_ATTRIBUTE:
            raise invalid_parameter(f"Message system attribute name '{name}' is invalid.")
        if attribute.get("DataType") != "String":
            raise invalid_parameter(f"Message system attribute '{name}' must be of type 'String'.")
        _check_value(name, attribute)


def _check_name(name: str) -> None:
    if not name:
        raise invalid_parameter("The request must contain non-empty message (user) attribute name.")
    if len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX:
        raise invalid_parameter("Message (user) attribute names must be shorter than 256 Bytes")
    if not _NAME.fullmatch(name):
        raise invalid_parameter(
            "Message (user) attributes name can only contain upper and lower score characters, digits, periods, "
            "hyphens and underscores. "
        )
    if name.lower().startswith(_RESERVED) or name.startswith(".") or name.endswith("."):
        raise invalid_parameter(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
            "These strings are reserved for internal use. Additionally, they cannot start or end with '.'."
        )
    if ".." in name:
        raise invalid_parameter("Message (user) attribute name must not have successive '.' characters.")


def _check_value(name: str, attribute: Mapping[str, Any]) -> None:
    kind = attribute.get("DataType")
    if not kind:
        raise invalid_parameter("Missing required parameter DataType")
    base = kind.partition(".")[0]
    if base not in {"String", "Number", "Binary"}:
        raise invalid_parameter(
            "Type for parameter MessageAttributes.Attribute_name.DataType must be prefixed "
            f'with "String", "Binary", or "Number", but was: {kind}'
        )
    if len(kind.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX:
        raise invalid_parameter("Message (user) attribute types must be shorter than 256 Bytes")
    if not is_content(kind):
        raise invalid_parameter(f"Message (user) attribute '{name}' has an invalid type: {INVALID_CONTENT}")
    if attribute.get("StringListValues") or attribute.get("BinaryListValues"):
        raise RefusedError(
            "UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported."
        )
    used, other = ("BinaryValue", "StringValue") if base == "Binary" else ("StringValue", "BinaryValue")
    value = attribute.get(used)
    if not value and attribute.get(other):
        raise invalid_parameter(f"The message (user) attribute '{name}' with type '{kind}' must use field '{used}'.")
    if not value:
        raise invalid_parameter(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if base != "Binary" and not is_content(value):
        raise invalid_parameter(INVALID_CONTENT)
    if base == "Number" and not _is_number(value):
        raise invalid_parameter(f"Can't cast the value of message (user) attribute '{name}' to a number.")


INVALID_CONTENT = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)


def is_content(text: str) -> bool:
    """Whether SQS takes this text as a body or a value. A lone surrogate is not a character."""
    return _CONTENT.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    """Up to 38 digits, leading and trailing zeros not counted, of a magnitude from 1e-128 to 1e126."""
    if not _NUMBER.fullmatch(text):
        return False
    number = Decimal(text).copy_abs()  # abs() would round to 28 digits
    if not number:
        return True
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return len(digits) <= DIGITS_MAX and NUMBER_SMALLEST <= number <= NUMBER_LARGEST


def check_delay(seconds: int | None) -> None:
    """Raises:
    RefusedError: the delay of a message is not 0 to 900 s.
    """
    if seconds is not None and not 0 <= seconds <= DELAY_MAX_S:
        raise invalid_value(seconds, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {DELAY_MAX_S}.")


def check_visibility(seconds: int | None) -> None:
    """Raises:
    RefusedError: a visibility timeout is not 0 to 43,200 s.
    """
    if seconds is not None and not 0 <= seconds <= VISIBILITY_MAX_S:
        reason = f"VisibilityTimeout must be an integer between 0 and {VISIBILITY_MAX_S}."
        raise invalid_value(seconds, "VisibilityTimeout", reason)


def check_total_visibility(seconds: int, *, received_ts: float, now: float) -> None:
    """Raises:
    RefusedError: the message would be hidden for more than 12 hours from the receive.
    """
    if now + seconds - received_ts > VISIBILITY_MAX_S:
        reason = f"Total VisibilityTimeout for the message is beyond the limit [{VISIBILITY_MAX_S} seconds]"
        raise invalid_value(seconds, "VisibilityTimeout", reason)


def check_number_of_messages(number: int | None) -> None:
    """Raises:
    RefusedError: a receive asks for fewer than 1 or more than 10 messages.
    """
    if number is not None and not 1 <= number <= RECEIVE_MAX:
        reason = f"Must be between 1 and {RECEIVE_MAX}, if provided."
        raise invalid_value(number, "MaxNumberOfMessages", reason)


def check_fifo_id(value: str | None, parameter: str) -> None:
    """MessageDeduplicationId and MessageGroupId.

    Raises:
        RefusedError: it is not text of 1 to 128 letters, digits and punctuation of ASCII.
    """
    if value is not None and not _FIFO_ID.fullmatch(value):
        reason = f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(value, parameter, reason)


def chosen(names: Mapping[str, Any], wanted: list[str] | None) -> list[str]:
    """Which message attributes ReceiveMessage returns: by name, all, or all that begin alike (``b.*``)."""
    if not wanted:
        return []
    if not {"All", ".*", "*"}.isdisjoint(wanted):
        return list(names)
    exact = set(wanted)
    beginnings = tuple(name.removesuffix(".*") for name in wanted if name.endswith(".*"))
    return [name for name in names if name in exact or name.startswith(beginnings)]
