"""What ``like``, ``=~`` and ``parse`` look for in a text.

Regular expressions run on RE2, in linear time whatever the pattern and the line: one that goes back and forth would
hold up everything else in its process. Like the engine of CloudWatch (Hyperscan, says AWS's page "filter") it knows no
look-around and no back references.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import re2

from dlqlab.insights.errors import MalformedQueryError
from dlqlab.insights.syntax import Pattern

type Search = Callable[[str], bool]
type Extract = Callable[[str], Sequence[str | None] | None]
"""What the wildcards or groups took, in their order; None where the text does not match."""

_PLAIN = re.compile(r"(?:[\w \-:,;\"'=@#%&<>~!]|\\[/\-.\"'])*", re.ASCII)
"""A regular expression that stands for itself, but for backslashes."""


def searcher(pattern: Pattern) -> Search:
    """The function that says whether a text holds the pattern.

    Raises:
        MalformedQueryError: it is not a regular expression, or one that is not known here.
    """
    if not pattern.is_regex:
        return lambda text: pattern.text in text
    if _PLAIN.fullmatch(pattern.text):
        wanted = pattern.text.replace("\\", "")
        return lambda text: wanted in text
    find = _Regex(pattern).find
    return lambda text: find(text) is not None


def group_names(pattern: Pattern) -> list[str]:
    """Names of a regular expression's groups, in their order.

    Raises:
        MalformedQueryError: some groups have a name and some have none, or as for ``searcher``.
    """
    compiled = _compiled(pattern)
    names = [name for name, _number in sorted(compiled.groupindex.items(), key=lambda found: found[1])]
    if names and len(names) != compiled.groups:
        raise _wrong(pattern, "give every group a name: (?<name>...), or (?:...) for one that takes nothing")
    return names


def extractor(pattern: Pattern, count: int) -> Extract:
    """The function that takes ``count`` texts out of one.

    A text with ``*`` in it takes what the wildcards stand for: as little as goes, the last one at the end all there is.

    Raises:
        MalformedQueryError: there are not that many wildcards or groups, or as for ``searcher``.
    """
    if not pattern.is_regex:
        return _glob(pattern, count)
    compiled = _compiled(pattern)
    if compiled.groups != count:
        raise _wrong(pattern, f"it has {compiled.groups} groups for {count} names")
    find = _Regex(pattern).find

    def extract(text: str) -> Sequence[str | None] | None:
        found = find(text)
        return None if found is None else [_text(group) for group in found.groups()]

    return extract


def _glob(pattern: Pattern, count: int) -> Extract:
    pieces = pattern.text.split("*")
    if len(pieces) != count + 1:
        raise _wrong(pattern, f"it has {len(pieces) - 1} wildcards (*) for {count} names")

    def extract(text: str) -> list[str | None] | None:
        place = text.find(pieces[0])
        if place < 0:
            return None
        place += len(pieces[0])
        taken: list[str | None] = []
        for piece in pieces[1:]:
            is_rest = piece == "" and len(taken) == count - 1
            end = len(text) if is_rest else text.find(piece, place)
            if end < 0:
                return None
            taken.append(text[place:end])
            place = end + len(piece)
        return taken

    return extract


class _Regex:
    """A regular expression in two forms: bytes, which is quicker and enough for ASCII, and characters."""

    def __init__(self, pattern: Pattern) -> None:
        self._characters = _compiled(pattern)
        try:
            self._bytes = re2.compile(pattern.text.encode("ascii"), _options())
        except (UnicodeEncodeError, re2.error):  # characters that no single byte stands for
            self._bytes = None

    def find(self, text: str) -> Any:
        """The first match, or None."""
        if self._bytes is not None and text.isascii():
            return self._bytes.search(text.encode("ascii"))
        try:
            return self._characters.search(text)
        except UnicodeEncodeError:  # half a surrogate pair, which is not a character
            return self._characters.search(text.encode("utf-8", "replace").decode())


def _compiled(pattern: Pattern) -> Any:
    try:
        return re2.compile(pattern.text, _options())
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise _wrong(pattern, reason) from error


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


def _text(group: str | bytes | None) -> str | None:
    return group.decode("ascii") if isinstance(group, bytes) else group


def _wrong(pattern: Pattern, reason: str) -> MalformedQueryError:
    kind = "regular expression" if pattern.is_regex else "pattern"
    return MalformedQueryError(f"{kind} {pattern.text!r} cannot be used: {reason}", pattern.start, pattern.end)
