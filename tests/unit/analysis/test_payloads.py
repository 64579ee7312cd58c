"""Payloads by content: what was sent against what is kept, with the rules of redaction."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.analysis.checks.payloads import payloads_check
from dlqlab.analysis.contents import difference
from dlqlab.analysis.facts import Facts
from dlqlab.contracts.verdict import Check, Status
from taskrules.redaction import MASK, redact
from taskrules.settings import REDACT_FIELDS
from tests.support.rows import ALWAYS_FAILS, Rows, acked, completed, evidence, exhausted, item, letter, sent
from tests.support.simulation import task_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def check(*facts: Rows, **manifest: Any) -> Check:
    return payloads_check(Facts(evidence(*facts, scenario=ALWAYS_FAILS, **manifest)))


@given(JSON)
def test_a_value_is_equal_to_itself_however_it_is_written(value: Any) -> None:
    """The order of keys, escapes and blanks are no content."""
    written_otherwise = json.loads(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))

    assert difference(value, written_otherwise) is None


@given(JSON, JSON)
def test_a_difference_is_found_exactly_where_there_is_one(one: Any, other: Any) -> None:
    """By the text that JSON gives both with their keys in order: 1, 1.0 and true are three values."""
    equal = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (difference(one, other) is None) == equal


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "payload.a.b[1]: 2 sent, 3 there"),
        ({"a": 1}, {}, "payload.a: 1 sent, nothing there"),
        ({}, {"a": 1}, "payload.a: nothing sent, 1 there"),
        ([1], [1, 2], "payload: [1] sent, [1, 2] there"),
        (True, 1, "payload: true sent, 1 there"),
        ("text", None, 'payload: "text" sent, null there'),
    ],
)
def test_the_difference_names_its_place_and_both_values(expected: Any, found: Any, words: str) -> None:
    assert words == difference(expected, found)


def test_lines_and_archive_are_compared_as_redacted() -> None:
    """The secret is masked in both, as the rules of redaction say; the table keeps what was sent."""
    payload = {"order": 7, "password": "p", "note": "Bearer abcdefgh12345"}
    text, masked = json.dumps(payload), json.dumps(redact(payload, frozenset(REDACT_FIELDS.lower().split(","))))
    body = f'{{"taskId": "{task_id(1)}", "payload": {masked}}}'
    kept = (*letter(1, payload=masked), *item(1, "FAILED", payload=text, archive_body=body))

    assert MASK in masked
    assert Status.VALID is check(acked(1, payload=text), kept).status

    in_clear = check(acked(1, payload=text), (*letter(1, payload=text), *item(1, "FAILED", payload=text)))
    assert Status.INVALID is in_clear.status
    assert (task_id(1),) == in_clear.members["line_payload"]


def test_the_functions_own_fields_are_what_is_redacted() -> None:
    """Where a deployment masks other fields, the run's manifest names them."""
    text, masked = '{"iban": "x"}', f'{{"iban": "{MASK}"}}'
    body = f'{{"taskId": "{task_id(1)}", "payload": {masked}}}'
    kept = (*letter(1, payload=masked), *item(1, "FAILED", payload=text, archive_body=body))

    assert Status.INVALID is check(acked(1, payload=text), kept).status
    assert Status.VALID is check(acked(1, payload=text), kept, redact_fields=["IBAN"]).status


def test_of_several_payloads_any_that_was_not_refused_may_be_the_tasks() -> None:
    """The same id with another payload is answered 409: that one cannot be what was taken."""
    first, second = '{"n": 1}', '{"n": 2}'
    tried = (*sent(1, "unknown", payload=first), *sent(1, "acknowledged", payload=second, at=1))

    assert Status.VALID is check(tried, item(1, "COMPLETED", payload=first)).status
    assert Status.VALID is check(tried, item(1, "COMPLETED", payload=second)).status
    refused = (*sent(1, "rejected", payload=first), *sent(1, "acknowledged", payload=second, at=1))
    assert Status.INVALID is check(refused, item(1, "COMPLETED", payload=first)).status


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"payload": None}, "item_payload", "there is none"),
        ({"payload": "{"}, "item_payload", "no JSON there: {"),
        ({"archive_body": None}, "archive_payload", "there is none"),
        ({"archive_body": "no message"}, "archive_payload", "no JSON there: no message"),
    ],
)
def test_what_is_kept_without_its_payload_is_named(fields: dict[str, Any], place: str, words: str) -> None:
    found = check(acked(1), letter(1), item(1, "FAILED", **fields), acked(2), exhausted(2))

    assert Status.INVALID is found.status
    assert (task_id(1),) == found.members[place]
    assert words in found.statement
    assert (1.0, 2.0) == (found.measured, found.expected)


def test_nothing_to_compare_is_unknown() -> None:
    """Tasks of no client on record, or none at all, prove nothing about payloads."""
    assert Status.UNKNOWN is check().status
    assert Status.UNKNOWN is check(completed(1)).status
