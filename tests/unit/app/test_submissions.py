"""Submissions: what the pure parser makes of a body. All the wrong ones are tested over HTTP."""

import json
from typing import Any

import pytest
from chalicelib.submissions import Submission, SubmissionError, parse_submission
from hypothesis import given
from hypothesis import strategies as st

from taskrules.messages import TaskMessage, parse_body
from taskrules.tasks import PAYLOAD_DEPTH_MAX


def parse(body: bytes, content_type: str | None = "application/json") -> Submission:
    return parse_submission(body, content_type, lambda: "new-id")


def taken_or_refused(body: bytes) -> Any:
    """202, or the refusal; any other exception is the test's failure."""
    try:
        parse(body)
    except SubmissionError as error:
        return error
    return 202


characters = st.characters(exclude_categories=["Cs"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(characters),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(characters), inner, max_size=4),
    max_leaves=20,
)
payloads = st.text(characters) | st.dictionaries(st.text(characters), json_values, max_size=5)


@given(payload=payloads)
def test_payload_goes_through_unchanged(payload: Any) -> None:
    """Every payload comes out of the submission, the table's text and the queue's message as it went in."""
    submission = parse(json.dumps({"taskId": "t", "payload": payload}).encode())
    body = TaskMessage(task_id="t", payload=submission.payload, generation=1).to_body()

    assert payload == submission.payload == json.loads(submission.payload_json) == parse_body(body).payload
    assert body.isascii()


@given(body=st.binary(max_size=300) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_body_is_taken_or_refused(body: bytes) -> None:
    """No bytes lead to anything but a submission or a refusal with at least one wrong field."""
    outcome = taken_or_refused(body)

    assert outcome == 202 or (outcome.errors and outcome.status_code in (400, 413))


@given(value=json_values)
def test_any_json_is_taken_or_refused(value: Any) -> None:
    """The same for every JSON value, alone and as each field."""
    for body in (value, {"taskId": value, "payload": {}}, {"taskId": "t", "payload": value}, {"message": value}):
        outcome = taken_or_refused(json.dumps(body).encode())

        assert outcome == 202 or json.dumps([error.to_json() for error in outcome.errors], allow_nan=False)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ('{"a":1,"b":[1,{"c":2,"d":3}]}', '{"b":[1,{"d":3,"c":2}],"a":1}', True),
        ('"x"', '"\\u0078"', True),
        ('{"a":1}', '{"a":"1"}', False),
        ('{"a":[1,2]}', '{"a":[2,1]}', False),
        ('"{}"', "{}", False),
    ],
)
def test_digest_is_of_the_value(one: str, other: str, equal: bool) -> None:
    """Payloads that are the same JSON value have the same digest, others have not."""
    digests = [parse(f'{{"payload": {payload}}}'.encode()).digest for payload in (one, other)]

    assert equal == (digests[0] == digests[1])


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize(("depth", "is_taken"), [(PAYLOAD_DEPTH_MAX, True), (PAYLOAD_DEPTH_MAX + 1, False)])
def test_depth_limit_is_exact(opening: str, depth: int, is_taken: bool) -> None:
    """The deepest payload is taken, one level more is not; the payload's own object is the first level."""
    closing = "}" if opening != "[" else "]"
    inner = depth - 1
    body = '{"taskId":"t","payload":{"p":' + opening * inner + "1" + closing * inner + "}}"
    if is_taken:
        assert "t" == parse(body.encode()).task_id
    else:
        with pytest.raises(SubmissionError, match="nested deeper"):
            parse(body.encode())


@pytest.mark.parametrize("task_id", ["a", "0", "t-1-00000001", "A.b_c-d", "x" * 128])
def test_ordinary_task_ids_are_taken(task_id: str) -> None:
    """Letters, digits, dot, underscore and dash, 1 to 128 of them."""
    assert task_id == parse(json.dumps({"taskId": task_id, "payload": {}}).encode()).task_id


@pytest.mark.parametrize("task_id", ["-a", ".", "..", "_", "a/b", "a b", "a#1", "ü", "x" * 129, "a:b", "²"])
def test_other_task_ids_are_refused(task_id: str) -> None:
    """What would not be safe in a path or a key is not a task id."""
    with pytest.raises(SubmissionError, match="taskId"):
        parse(json.dumps({"taskId": task_id, "payload": {}}).encode())


def test_shown_values_are_short_and_redacted() -> None:
    """An error shows what was given, but neither at length nor with a secret in it."""
    body = {"taskId": "AKIAABCDEFGHIJKLMNOP " + "x" * 1_000, "payload": []}
    with pytest.raises(SubmissionError) as caught:
        parse(json.dumps(body).encode())
    values = [error.value for error in caught.value.errors]

    assert ["[redacted] " + "x" * 69 + "...", "a list"] == values
