"""Regular expressions between ``%`` signs.

They have no groups, so that most take linear time. Those that do not are given up after a while, and other threads run
meanwhile: a pattern is a user's text, and a log line anybody's.
"""

import functools
import re
from collections.abc import Callable

import regex

from dlqlab.emulator.logs.patterns.base import FilterPatternError, bad_characters

MAX = 2
"""Regular expressions in one pattern."""
TIMEOUT_S = 0.5
_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]")
_ESCAPED = re.compile(r"\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^A-Za-z0-9])")


@functools.lru_cache(256)
def compile_regex(text: str) -> Callable[[str], bool]:
    """Whether a text has a match somewhere.

    Raises:
        FilterPatternError: it has characters that AWS does not take, or is none.
    """
    for character in text:
        if not _ALLOWED.fullmatch(character):
            raise bad_characters(character)
    for at in re.finditer(r"\\.?", text):
        if not _ESCAPED.match(text, at.start()):
            raise FilterPatternError(f"%{text}%: {at[0]} is not supported")
    try:
        search = regex.compile(text, regex.ASCII | regex.VERSION0).search
    except regex.error as error:
        raise FilterPatternError(f"%{text}%: {error}") from error

    def found(line: str) -> bool:
        try:
            return search(line, concurrent=True, timeout=TIMEOUT_S) is not None
        except TimeoutError:
            return False

    return found
