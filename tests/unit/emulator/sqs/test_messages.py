"""What SQS refuses of a message."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.sqs import messages
from dlqlab.emulator.sqs.refusals import RefusedError

TEXT = {"DataType": "String", "StringValue": "v"}


def _number(text: str) -> dict[str, dict[str, str]]:
    return {"n": {"DataType": "Number", "StringValue": text}}


def _refused(attributes: dict[str, dict[str, Any]]) -> RefusedError | None:
    try:
        messages.check_attributes(attributes)
    except RefusedError as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    "attribute",
    [
        TEXT,
        {"DataType": "String.my.type", "StringValue": "grün 😀"},
        {"DataType": "Number", "StringValue": "-12.50"},
        {"DataType": "Number.java.lang.Long", "StringValue": "1e5"},
        {"DataType": "Binary", "BinaryValue": b"\x00"},
        {"DataType": "Binary.png", "BinaryValue": b"\x89PNG"},
        {"DataType": "String", "StringValue": "\t\r\n\x7f\ufffd"},
        TEXT | {"StringListValues": [], "BinaryListValues": []},  # what older SDKs send
        {"DataType": "String." + "x" * 248, "StringValue": "v"},
    ],
    ids=str,
)
def test_attribute_is_taken(attribute: dict[str, Any]) -> None:
    """Every documented type, with and without a label of its own."""
    assert _refused({"a": attribute}) is None


@pytest.mark.parametrize("name", ["a", "A.b-c_d.9", "attr.1øßä", "awsome", "amazonia", "aws", "a" * 255, "ü" * 127])
def test_name_is_taken(name: str) -> None:
    """Letters, digits, hyphens, underscores and single periods inside, up to 255 bytes."""
    assert _refused({name: TEXT}) is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({f"a{n}": TEXT for n in range(11)}, "Number of message attributes [11] exceeds the allowed maximum [10]."),
        ({"": TEXT}, "non-empty message (user) attribute name"),
        ({"a" * 256: TEXT}, "names must be shorter than 256 Bytes"),
        ({"ü" * 128: TEXT}, "names must be shorter than 256 Bytes"),
        ({"a b": TEXT}, "can only contain"),
        ({"a\n": TEXT}, "can only contain"),
        ({"\ud800": TEXT}, "can only contain"),
        ({"AWS.x": TEXT}, "beginning with 'AWS.' or 'Amazon.'"),
        ({"aWs.x": TEXT}, "beginning with 'AWS.' or 'Amazon.'"),
        ({"AMAZON.x": TEXT}, "beginning with 'AWS.' or 'Amazon.'"),
        ({".x": TEXT}, "cannot start or end with '.'"),
        ({"x.": TEXT}, "cannot start or end with '.'"),
        ({"x..y": TEXT}, "successive '.'"),
        ({"a": {"StringValue": "v"}}, "Missing required parameter DataType"),
        ({"a": {"DataType": "string", "StringValue": "v"}}, "but was: string"),
        ({"a": {"DataType": "Stringy", "StringValue": "v"}}, "but was: Stringy"),
        ({"a": {"DataType": "String." + "x" * 249, "StringValue": "v"}}, "types must be shorter than 256 Bytes"),
        ({"a": {"DataType": "String.\x00", "StringValue": "v"}}, "invalid type"),
        ({"a": {"DataType": "String", "StringValue": ""}}, "'a' must contain a non-empty value of type 'String'."),
        ({"a": {"DataType": "String.x", "StringValue": ""}}, "'a' must contain a non-empty value of type 'String.x'."),
        ({"a": {"DataType": "Binary", "BinaryValue": b""}}, "'a' must contain a non-empty value of type 'Binary'."),
        ({"a": {"DataType": "Binary", "StringValue": "v"}}, "must use field 'BinaryValue'"),
        ({"a": {"DataType": "String", "BinaryValue": b"v"}}, "must use field 'StringValue'"),
        ({"a": {"DataType": "String", "StringValue": "\x00"}}, "Invalid characters found."),
        ({"a": {"DataType": "String.x", "StringValue": "\ud800"}}, "Invalid characters found."),
        (_number("one"), "Can't cast the value of message (user) attribute 'n' to a number."),
    ],
)
def test_attributes_are_refused(attributes: dict[str, dict[str, Any]], expected: str) -> None:
    """With AWS's code and its text."""
    refusal = _refused(attributes)

    assert refusal is not None
    assert "InvalidParameterValue" == refusal.code
    assert expected in refusal.text


def test_lists_are_not_supported() -> None:
    """Their members are reserved for future use."""
    refusal = _refused({"a": {"DataType": "String", "StringListValues": ["v"]}})

    assert refusal is not None
    assert "UnsupportedOperation" == refusal.code


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e126"), max_value=Decimal("1e126")))
def test_number_of_the_documented_range_is_taken(number: Decimal) -> None:
    """Up to 38 digits of a magnitude from 1e-128 to 1e126, and zero; no others."""
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    expected = not number or (digits <= 38 and number.copy_abs() >= Decimal("1e-128"))

    assert expected == (_refused(_number(str(number))) is None)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1_000", " 1", "1\n", "0x10", "1e", "", ".", "--1", "१", "1e127", "-1e127", "1e-129"]
)
def test_no_number_is_refused(text: str) -> None:
    """What Python takes for a number is not always one of SQS."""
    assert _refused(_number(text)) is not None


@given(st.text())
def test_content_is_what_xml_can_carry(text: str) -> None:
    """Character by character as SendMessage documents it."""
    allowed = all(
        character in "\t\n\r"
        or "\u0020" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or "\U00010000" <= character
        for character in text
    )

    assert allowed == messages.is_content(text)


@pytest.mark.parametrize("seconds", [None, 0, 1, 900])
def test_delay_is_taken(seconds: int | None) -> None:
    """0 to 900 s, or none."""
    messages.check_delay(seconds)


@pytest.mark.parametrize("seconds", [-1, 901])
def test_delay_is_refused(seconds: int) -> None:
    """In AWS's words."""
    expected = f"Value {seconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
    with pytest.raises(RefusedError) as raised:
        messages.check_delay(seconds)

    assert ("InvalidParameterValue", expected) == (raised.value.code, raised.value.text)


@pytest.mark.parametrize("seconds", [-1, 43_201])
def test_visibility_timeout_is_refused(seconds: int) -> None:
    """Twelve hours are the most."""
    messages.check_visibility(0)
    messages.check_visibility(43_200)
    with pytest.raises(RefusedError, match="VisibilityTimeout must be an integer between 0 and 43200"):
        messages.check_visibility(seconds)


def test_visibility_ends_twelve_hours_after_the_receive() -> None:
    """However often it is extended."""
    for allowed_s in (0, 43_190):
        messages.check_total_visibility(allowed_s, received_ts=1_000.0, now=1_010.0)
    expected = r"Total VisibilityTimeout for the message is beyond the limit \[43200 seconds\]"
    with pytest.raises(RefusedError, match=expected):
        messages.check_total_visibility(43_191, received_ts=1_000.0, now=1_010.0)


@pytest.mark.parametrize("value", ["", "a b", "ä", "a\n", "x" * 129, "\x00"])
def test_fifo_id_is_refused(value: str) -> None:
    """Of 1 to 128 printable characters of ASCII but the space."""
    for good in (None, "a", "!~" * 64, "[\\]^_`{|}"):
        messages.check_fifo_id(good, "MessageGroupId")
    with pytest.raises(RefusedError, match="MessageGroupId can only include"):
        messages.check_fifo_id(value, "MessageGroupId")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, []),
        ([], []),
        (["All"], ["a", "b.x", "b.y", "bar"]),
        ([".*"], ["a", "b.x", "b.y", "bar"]),
        (["a"], ["a"]),
        (["b.*"], ["b.x", "b.y", "bar"]),
        (["b.x", "none.*", "bar.*"], ["b.x", "bar"]),
        (["a", "b.*", "b.*"], ["a", "b.x", "b.y", "bar"]),
        (["b"], []),
        (["AWS.", "..foo"], []),
    ],
)
def test_attributes_are_chosen_by_name_and_by_beginning(wanted: list[str] | None, expected: list[str]) -> None:
    """Any of several names and beginnings; names that nothing has choose nothing."""
    assert expected == messages.chosen({"a": TEXT, "b.x": TEXT, "b.y": TEXT, "bar": TEXT}, wanted)
