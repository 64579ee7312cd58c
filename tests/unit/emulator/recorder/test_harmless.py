"""Which bodies are kept without a closer look: never one that has a secret."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlqlab.emulator.recorder.harmless import FIELDS, HARMLESS_ESCAPES, is_harmless
from taskrules.redaction import redact_body

SECRETS = (
    "AKIAABCDEFGHIJKLMNOP",
    "Bearer abcdefghijkl",
    "4111111111111111",
    "4111 1111 1111 1111",
    4111111111111111,
    "4\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
)
"""The last: a card's number in digits of another script, which redaction takes for digits too."""
KELVIN = "to\u212aen"
"""Becomes the name of a field in lower case."""
_TEXTS = st.one_of(
    st.text(max_size=8), st.text(st.sampled_from('\\"/u0041 \n\u00e9\u304a'), max_size=8), st.sampled_from([*SECRETS])
).map(str)
_NAMES = st.one_of(_TEXTS, st.sampled_from(["Email", "apikey", KELVIN, "x"]))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.sampled_from(SECRETS), _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=8,
)


def escaped(text: str) -> str:
    """JSON that says the same with every character of its texts as an escape."""
    return json.dumps(text)[:1] + "".join(f"\\u{ord(one):04x}" for one in text if ord(one) < 0x10000) + '"'


def looks_harmless(body: str) -> bool:
    return is_harmless(body, body.encode("utf-8", "surrogatepass"))


@given(
    body=st.one_of(
        _JSON.map(json.dumps),
        _JSON.map(lambda one: json.dumps(one, ensure_ascii=False)),
        _JSON.map(lambda one: json.dumps(json.dumps(one))),
        _NAMES.map(lambda name: f"{{{escaped(name)}: 1}}"),
        _NAMES,
    )
)
@example(body=f"{{{escaped('password')}: 1}}")
@example(body=json.dumps({KELVIN: 1}))
@example(body=json.dumps(SECRETS[-1]))
@example(body=r'"4\\u0661"')
def test_quick_look_lets_nothing_through(body: str) -> None:
    """What it calls harmless, redaction leaves as it is, however it is written."""
    if looks_harmless(body):
        assert (body, False) == redact_body(body, FIELDS)


def test_usual_body_needs_no_more_than_the_quick_look() -> None:
    """Tasks of the load, with texts of any language, and not one with a secret of any kind, wherever it stands."""
    assert looks_harmless('{"taskId": "task-1", "payload": {"text": "lorem", "n": 17, "ts": 1700000000.5}}')
    for text in ("お茶", "Straßenkarte", "naïve 😀", 'a "quoted"\n path \\ /', "цена", "€"):
        assert looks_harmless(json.dumps({"text": text}))
        assert looks_harmless(json.dumps({"text": text}, ensure_ascii=False))
    assert not any(looks_harmless(json.dumps({"a": [secret]})) for secret in SECRETS)
    assert not looks_harmless('{"PASSWORD": 1}')
    assert not looks_harmless("[" * 200 + "]" * 200)


@pytest.mark.parametrize("plane", [range(0x10000), range(0x10000, 0x110000, 7), range(0x1D7C0, 0x1FC00)])
def test_escape_that_is_passed_over_is_no_part_of_a_secret(plane: range) -> None:
    """Neither a digit of any script, nor a character that is one of ASCII, be it only in lower case."""
    for code in plane:
        escape = json.dumps(chr(code))[1:-1] if code > 0x7F else f"\\u{code:04x}"
        if HARMLESS_ESCAPES.fullmatch(escape):
            lower = chr(code).lower()
            assert not chr(code).isdecimal()
            assert not (len(lower) == 1 and lower.isascii())
