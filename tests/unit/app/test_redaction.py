"""Redaction of secrets."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrules.redaction import MASK, redact, redact_body, redact_text

FIELDS = frozenset({"password", "apikey"})
SECRETS = {
    "access key": "AKIAABCDEFGHIJKLMNOP",
    "temporary access key": "ASIAABCDEFGHIJKLMNOP",
    "bearer token": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc_-",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "private key cut off": "-----BEGIN PRIVATE KEY-----\nMIIE",
    "card number": "4111111111111111",
    "card number with gaps": "4111 1111 1111 1111",
    "card number with dashes": "5500-0000-0000-0004",
    "card number of 15 digits": "378282246310005",
}
HARMLESS = [
    "",
    "plain text",
    "4111111111111112",  # fails the check digit
    "1700000000000",  # an epoch time in milliseconds
    "0.3000000000000000",
    "t-1-00000042",
    "AKIA",
    "bearer of news",
    "2026-11-22T06:58:19.922069Z",
]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_what_looks_like_a_secret_is_masked(secret: str) -> None:
    """A secret is masked wherever it stands in a text, and the rest of the text stays."""
    assert f"before {MASK}" == redact_text(f"before {secret}")
    assert MASK == redact_text(secret)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays(text: str) -> None:
    """Numbers, times and ids are not secrets."""
    assert text == redact_text(text)


def test_fields_are_masked_at_any_depth() -> None:
    """A configured field loses its value, whatever that is, in any case, in objects and lists."""
    value = {"a": [{"Password": {"x": 1}}, {"b": {"APIKEY": None, "c": 1}}], "password": "x", "passwords": "y"}
    expected = {"a": [{"Password": MASK}, {"b": {"APIKEY": MASK, "c": 1}}], "password": MASK, "passwords": "y"}

    assert expected == redact(value, FIELDS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4111111111111111, MASK),
        ({"AKIAABCDEFGHIJKLMNOP": 1}, {MASK: 1}),
        (True, True),
        (None, None),
        (1.5, 1.5),
        (7, 7),
        ([], []),
    ],
)
def test_other_values(value: Any, expected: Any) -> None:
    """A card number may be a number, a secret may be a key; everything else stays."""
    assert expected == redact(value, FIELDS)


def test_depth_is_bounded() -> None:
    """A value that is nested without end is masked where it goes too deep."""
    value: Any = "x"
    for _ in range(5_000):
        value = [value]

    assert MASK in str(redact(value, FIELDS))


def test_body_keeps_its_meaning() -> None:
    """A JSON body is redacted by field; whether anything was taken out is said."""
    body = '{"taskId": "t", "payload": {"password": "\\u00e9"}}'

    assert ('{"taskId":"t","payload":{"password":"[redacted]"}}', True) == redact_body(body, FIELDS)
    assert ('{"a": "\\u00e9"}', False) == redact_body('{"a": "\\u00e9"}', FIELDS)


@pytest.mark.parametrize("body", ["NaN", '{"n": NaN}', "[NaN, Infinity]"])
def test_number_that_is_not_equal_to_itself_is_no_secret(body: str) -> None:
    """A body of Python's own JSON without a secret comes back as it was, and nothing is said to be taken out."""
    assert (body, False) == redact_body(body, FIELDS)


@pytest.mark.parametrize("body", ["not json Bearer abcdefgh1234", "[" * 100_000 + "Bearer abcdefgh1234"])
def test_body_that_is_no_json_is_redacted_by_look(body: str) -> None:
    """Junk may hold secrets too."""
    text, redacted = redact_body(body, FIELDS)

    assert (True, True, False) == (redacted, text.endswith(MASK), "abcdefgh1234" in text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=json_values, secret=st.sampled_from(list(SECRETS.values())), field=st.sampled_from(["password", "ApiKey"]))
def test_no_secret_survives(value: Any, secret: str, field: str) -> None:
    """Whatever surrounds it, a secret by name or by look is gone, and redaction is stable."""
    redacted = redact({"around": value, field: "hunter2hunter2", "note": secret}, FIELDS)
    text = json.dumps(redacted)

    assert json.dumps(secret)[1:-1] not in text
    assert "hunter2hunter2" not in text
    assert redacted == redact(redacted, FIELDS)
