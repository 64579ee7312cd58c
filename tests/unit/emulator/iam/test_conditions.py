"""Conditions of policies are true, false or not to be told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.iam.conditions import arn_like, holds, like, resolved

KEYS = {
    "aws:sourcearn": "arn:aws:s3:::files",
    "aws:sourceaccount": "000000000000",
    "aws:principalarn": None,
    "aws:securetransport": "true",
    "aws:currenttime": "2026-01-02T00:00:00Z",
    "n": "5",
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:SourceAccount": "000000000000"}}, True),
        ({"StringEquals": {"AWS:sourceaccount": ["1", "000000000000"]}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "000000000000"]}}, False),
        ({"StringLike": {"aws:SourceArn": "arn:aws:s3:::f*"}}, True),
        ({"StringEquals": {"aws:SourceArn": "arn:aws:s3:::f*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:*:s3:*:*:files"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:*:files"}}, False),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"NumericLessThan": {"n": 6}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
        ({"StringEquals": {"aws:PrincipalArn": "x"}}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalArn": "x"}}, True),
        ({"StringNotEquals": {"aws:PrincipalArn": "x"}}, True),
        ({"Null": {"aws:PrincipalArn": "true"}}, True),
        ({"Null": {"aws:SourceArn": True}}, False),
        ({"StringEquals": {"aws:SourceVpc": "x"}}, None),
        ({"IpAddress": {"n": "10.0.0.0/8"}}, None),
        ({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["x"]}}, None),
        ({"NumericEquals": {"n": "many"}}, None),
        ({"StringEquals": {"aws:SourceVpc": "x", "aws:SourceAccount": "1"}}, False),
        ({}, True),
    ],
)
def test_operators(condition: dict[str, dict[str, Any]], *, expected: bool | None) -> None:
    """One condition that is false is enough, whatever is not known of the others."""
    assert holds(condition, KEYS) is expected


@given(st.text())
def test_every_text_matches_itself_where_it_has_no_wildcard(text: str) -> None:
    """No other character means anything."""
    plain = text.translate({ord(one): None for one in "*?[]"})

    assert like(plain, plain)
    assert like("*", text)
    assert not like(plain + "?", plain)


def test_wildcards_of_an_arn_stay_within_its_part() -> None:
    """But for the last part, which may have colons of its own."""
    assert arn_like("arn:aws:lambda:*:1:function:*", "arn:aws:lambda:eu-west-1:1:function:f:live")
    assert not arn_like("arn:aws:lambda:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f")


def test_variables_are_values_and_no_patterns() -> None:
    """A wildcard within a value is itself; so is one that is written as a variable."""
    assert like(resolved("a/${k}/${*}", {"k": "x*"}), "a/x*/*")
    assert not like(resolved("a/${k}/${*}", {"k": "x*"}), "a/xy/z")
    assert "a-none" == resolved("a-${aws:PrincipalTag/team, 'none'}", {})
