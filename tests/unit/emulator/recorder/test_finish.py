"""Bodies as they are kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.recorder import finish
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.finish import _FIELDS, BODIES_FULL, BODY_MAX_CHARACTERS, Finisher, is_harmless
from dlqlab.emulator.recorder.rows import BODY, LOST, MESSAGE, MESSAGE_FIELDS, UNFINISHED_MESSAGE
from taskrules.redaction import redact_body

SECRETS = ("AKIAABCDEFGHIJKLMNOP", "Bearer abcdefghijkl", "4111111111111111", "4111 1111 1111 1111", 4111111111111111)


def row(body: str) -> Row:
    values = dict.fromkeys(MESSAGE_FIELDS) | {"body_sha256": body}
    return UNFINISHED_MESSAGE, *values.values()


_TEXTS = st.one_of(st.text(max_size=8), st.sampled_from([*SECRETS, "Email", "apikey", "x"]).map(str))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.sampled_from(SECRETS), _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@given(body=st.one_of(_JSON.map(json.dumps), _JSON.map(lambda one: json.dumps(one, ensure_ascii=False)), _TEXTS))
def test_quick_look_lets_nothing_through(body: str) -> None:
    """What it calls harmless, redaction leaves as it is."""
    if is_harmless(body):
        assert (body, False) == redact_body(body, _FIELDS)


def test_usual_body_needs_no_more_than_the_quick_look() -> None:
    """A task of the load, and not one with a secret of any kind, wherever it stands."""
    assert is_harmless('{"taskId": "task-1", "payload": {"text": "lorem", "n": 17, "ts": 1700000000.5}}')
    assert not any(is_harmless(json.dumps({"a": [secret]})) for secret in SECRETS)
    assert not is_harmless('{"PASSWORD": 1}')
    assert not is_harmless("[" * 200 + "]" * 200)


def test_long_body_is_cut_and_says_so() -> None:
    """Its hash and its size are of the whole."""
    body = "x" * (BODY_MAX_CHARACTERS + 1)
    kept, message = Finisher(keeps_bodies=True, keys_of=lambda _table: None)(row(body))

    assert (BODY, BODY_MAX_CHARACTERS, len(body), False, True) == (kept[0], len(kept[2]), *kept[3:])
    assert (MESSAGE, kept[1], len(body)) == (message[0], *message[14:16])


def test_bodies_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it they are left out, which the record tells; messages are not."""
    monkeypatch.setattr(finish, "BODIES_MAX_BYTES", 10)
    finisher = Finisher(keeps_bodies=True, keys_of=lambda _table: None)
    rows = [one for body in ("12345678", "abcdefgh", "ab") for one in finisher(row(body))]

    assert [BODY, MESSAGE, LOST, MESSAGE, BODY, MESSAGE] == [one[0] for one in rows]
    assert (LOST, BODIES_FULL, 1) == rows[2]


def test_no_bodies_are_kept_where_nobody_wants_them() -> None:
    """Messages still have hash and size."""
    (message,) = Finisher(keeps_bodies=False, keys_of=lambda _table: None)(row("body"))

    assert (MESSAGE, 4) == (message[0], message[15])
