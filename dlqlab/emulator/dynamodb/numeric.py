"""DynamoDB's numbers: exact decimals of 38 digits, kept as text.

Rules: "Supported data types and naming rules" of the DynamoDB developer guide. The text that DynamoDB returns is plain
decimal without leading zeros, trailing fractional zeros or a plus sign (observed on AWS by ScyllaDB's tests).
"""

import re
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

from dlqlab.emulator.dynamodb.unsupported import InvalidError, UnsupportedError

_DIGITS_MAX = 38
_EXPONENT_MIN, _EXPONENT_MAX = -130, 125  # of the first digit
_EXACT = Context(prec=_DIGITS_MAX, traps=[Inexact, InvalidOperation, Overflow])
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
_UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
_TOO_MANY_DIGITS = "Attempting to store more than 38 significant digits in a Number"
_TEXT_MAX = 300  # a number of 38 digits at the edge of the range, spelled out, has 169


def canonical(text: str) -> str:
    """The number as DynamoDB returns it.

    Raises:
        InvalidError: no number, too many digits, or out of range.
    """
    if _INTEGER.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text):
        short = text.rstrip("0").rstrip(".")
        return "0" if short == "-0" else short
    if len(text) > _TEXT_MAX or not _NUMBER.fullmatch(text):
        shown = f": {text[:_TEXT_MAX]}" if text else ""
        raise InvalidError(f"The parameter cannot be converted to a numeric value{shown}")
    return _text(_parsed(text))


def _parsed(text: str) -> Decimal:
    """The text as a decimal; context-free, so that no digit is lost."""
    try:
        return Decimal(text)
    except DecimalException as error:
        raise UnsupportedError(f"number {text[:50]!r}") from error


def parse(text: object) -> Decimal:
    """The number of a stored value."""
    if not isinstance(text, str):
        raise UnsupportedError(f"number {text!r}")
    return _parsed(text)


def add(left: str, right: str) -> str:
    """The exact sum.

    Raises:
        InvalidError: the sum needs more than 38 digits or is out of range.
    """
    if _INTEGER.fullmatch(left) and _INTEGER.fullmatch(right):
        return str(int(left) + int(right))
    try:
        return _text(_EXACT.add(parse(left), parse(right)))
    except DecimalException as error:
        raise InvalidError(_TOO_MANY_DIGITS) from error


def subtract(left: str, right: str) -> str:
    """The exact difference.

    Raises:
        InvalidError: the difference needs more than 38 digits or is out of range.
    """
    if _INTEGER.fullmatch(left) and _INTEGER.fullmatch(right):
        return str(int(left) - int(right))
    try:
        return _text(_EXACT.subtract(parse(left), parse(right)))
    except DecimalException as error:
        raise InvalidError(_TOO_MANY_DIGITS) from error


def _text(number: Decimal) -> str:
    if not number.is_finite():
        raise UnsupportedError(f"number {number}")
    if not number:
        return "0"
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > _DIGITS_MAX:
        raise InvalidError(_TOO_MANY_DIGITS)
    if not _EXPONENT_MIN <= number.adjusted() <= _EXPONENT_MAX:
        raise InvalidError(_OVERFLOW if number.adjusted() > 0 else _UNDERFLOW)
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
