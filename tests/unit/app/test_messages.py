"""Messages and their attributes."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrules.messages import MessageError, TaskMessage, attribute_text, parse_body

MESSAGE = TaskMessage(task_id="t", payload={"x": 1}, generation=2, run_id="r", trace_id="1-a")


def test_message_reads_back() -> None:
    """What is sent is what is received."""
    assert MESSAGE == parse_body(MESSAGE.to_body())


def test_least_message_is_taken() -> None:
    """Generation, run and trace may be missing, as in a message that somebody writes by hand."""
    assert TaskMessage(task_id="t", payload="x", generation=1) == parse_body('{"taskId": "t", "payload": "x"}')


@pytest.mark.parametrize(("payload", "script"), [("ERROR", "ERROR"), ({"message": "ERROR"}, None)])
def test_only_a_text_scripts_faults(payload: dict[str, str] | str, script: str | None) -> None:
    """A payload that is an object is data, whatever is in it."""
    assert script == TaskMessage(task_id="t", payload=payload, generation=1).script


@pytest.mark.parametrize("label", ['"Bearer abcdefgh1234"', '"' + "x" * 200 + '"', "1", "{}", '""'])
def test_strange_labels_are_dropped(label: str) -> None:
    """What is not a run or trace id does not get into the log as one."""
    message = parse_body(f'{{"taskId": "t", "payload": "x", "runId": {label}, "traceId": {label}}}')

    assert (None, None) == (message.run_id, message.trace_id)


@given(body=st.text())
def test_any_body_is_a_task_or_an_error(body: str) -> None:
    """No text leads to anything but a task or a MessageError."""
    with contextlib.suppress(MessageError):
        assert parse_body(body).task_id


@given(text=st.text(st.characters(codec=None, categories=None), max_size=50))
def test_attribute_text_is_what_sqs_takes(text: str) -> None:
    """Every text becomes one that SQS accepts as an attribute: allowed characters, not empty."""
    allowed = re.compile("[\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")

    assert allowed.fullmatch(attribute_text(text))


@pytest.mark.parametrize(
    ("text", "expected"), [("", "-"), ("a\x00b", "a?b"), ("\ud800", "?"), ("\uffff", "?"), ("x" * 5_000, "x" * 1_000)]
)
def test_attribute_text_replaces_and_cuts(text: str, expected: str) -> None:
    """What SQS refuses becomes a question mark, and length is bounded."""
    assert expected == attribute_text(text)
