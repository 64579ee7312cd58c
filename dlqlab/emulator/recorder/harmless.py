"""Whether redaction would leave a body as it is, for most bodies and in a fraction of its time. Pure.

What redaction takes out has marks in it, whatever else it needs: the name of a field, the beginning of a key, or the
many digits of a card. A body without any of them is not parsed. With escapes this holds too, as long as none of them
can stand for a part of such a mark.
"""

import re

from taskrules.redaction import DEPTH_MAX
from taskrules.settings import REDACT_FIELDS

FIELDS = frozenset(name.strip().lower() for name in REDACT_FIELDS.split(","))
"""Names of fields whose values are taken out, in lower case."""
_NAMES = tuple(sorted(FIELDS))
_MARKS = ("AKIA", "ASIA", "earer", "-----BEGIN")
_CARD = re.compile(r"[2-6](?:[ -]?\d){12}")
_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")
_RUN = "0" * 13
"""What a card's digits become, without what may stand between them."""
HARMLESS_ESCAPES = re.compile(
    r"""(?:[^\\]++ | \\["\\/bfnrt]
        | \\u(?: 00[a-fA-F] | 0[1-5]. | 1[eEfF]. | 2[02-9a-fA-F]. | [3-9].. | [aA][c-fC-F]. | [bBcC].. | [dD][0-7]. ).
        | \\u[dD]83[cCdD]\\u[dD][c-fC-F]..
    )*+""",
    re.VERBOSE | re.DOTALL,
)
"""A text all of whose escapes stand for a quote, a sign that is in no mark, or a character which is no digit in any
script and no letter of ASCII in lower case (as the Kelvin sign is)."""


def is_harmless(body: str, encoded: bytes) -> bool:
    """Whether redaction leaves this body alone; False where that takes a closer look.

    Args:
        encoded: the body in UTF-8.
    """
    lower = body.lower()
    for name in _NAMES:
        if name in lower:
            return False
    for mark in _MARKS:
        if mark in body:
            return False
    if body.count("{") + body.count("[") > DEPTH_MAX:
        return False
    may_have_card = not body.isascii() or _RUN in encoded.translate(_DIGITS, b" -").decode()
    if may_have_card and _CARD.search(body):
        return False
    return "\\" not in body or HARMLESS_ESCAPES.fullmatch(body) is not None
