"""Input templates of pipes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.pipes.templates import TemplateError, check, render, value_at

EVENT: dict[str, Any] = {
    "messageId": "m-1",
    "body": json.dumps({"id": 7, "name": 'a "b"', "tags": ["x", {"y": None}], "deep": {"er": True}}),
    "attributes": {"SentTimestamp": "17"},
}
RESERVED = {"pipe-name": "p", "pipe-arn": "arn:p"}


@pytest.mark.parametrize(
    ("template", "made"),
    [
        (None, EVENT),
        ('{"id": <$.body.id>, "name": <$.body.name>}', {"id": 7, "name": 'a "b"'}),
        ('{"text": "<$.body.name> of <aws.pipes.pipe-name>"}', {"text": 'a "b" of p'}),
        ('{"all": <$.body.tags>, "one": <$.body.tags[1]>}', {"all": ["x", {"y": None}], "one": {"y": None}}),
        ('{"at": <$.attributes.SentTimestamp>, "deep": "<$.body.deep>"}', {"at": "17", "deep": '{"er": true}'}),
        ('{"none": "<$.body.missing>", "nothing": <$.missing[3]>}', {"none": "", "nothing": ""}),
        ("<$.body>", EVENT["body"]),
        ("id <$.messageId> came", "id m-1 came"),
        ('{"event": <aws.pipes.event.json>}', {"event": EVENT}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_template_makes_its_input_of_the_event(template: str | None, made: Any) -> None:
    """JSON where it is JSON, else text."""
    assert render(template, EVENT, RESERVED) == made


@given(st.text())
def test_any_text_stays_itself(text: str) -> None:
    """In quotes and without them, quotes and line ends in it included."""
    made = render('{"a": <$.body.t>, "b": "<$.body.t>"}', {"body": json.dumps({"t": text})}, {})

    assert made == {"a": text, "b": text}


@pytest.mark.parametrize("template", ["<aws.pipes.nonsense>", "<$.a[?(@.b)]>", "<$..a>", "<$.a[*]>"])
def test_what_does_not_exist_is_refused(template: str) -> None:
    """Before any event comes."""
    with pytest.raises(TemplateError):
        check(template)


def test_path_that_leads_nowhere_has_no_value() -> None:
    """Neither through text that is no JSON."""
    assert [value_at(path, {"body": "text"}) for path in ("$.body.a", "$.x", "$.body")] == [None, None, "text"]
