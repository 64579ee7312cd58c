"""Bodies as they are kept."""

import pytest

from dlqlab.emulator.recorder import finish
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.finish import BODIES_FULL, BODY_MAX_CHARACTERS, Finisher
from dlqlab.emulator.recorder.rows import BODY, LOST, MESSAGE, MESSAGE_FIELDS, UNFINISHED_MESSAGE


def row(body: str) -> Row:
    values = dict.fromkeys(MESSAGE_FIELDS) | {"body_sha256": body}
    return UNFINISHED_MESSAGE, *values.values()


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
