"""Space-delimited patterns: ``[ip, user, ..., status = 4* && status != 403, bytes > 1000]``.

What stands between square brackets or double quotes in a line is one column. A line matches that has as many columns as
the pattern, or with ``...`` at least as many as it names.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from dlqlab.emulator.logs.patterns.base import FilterPatternError, Match, Pattern, Texts, bad_characters
from dlqlab.emulator.logs.patterns.conditions import Tokens, comparison, parse
from dlqlab.emulator.logs.patterns.regexes import MAX

_COLUMN = re.compile(r'\[(?P<bracketed>[^\]]*)\]|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>\S+)', re.DOTALL)
_PART = re.compile(r'(?:"(?:[^"\\]|\\.)*"|%[^%]*%|[^,"%])*', re.DOTALL)
_NAME = re.compile(r"\w[\w-]*")
ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the pattern; ``name`` is empty where it has none."""

    name: str
    test: Callable[[str], bool] | None


class ColumnPattern(Pattern):
    """Matches lines by their columns, those before an ellipsis from the left, those after it from the right."""

    def __init__(self, before: list[Column], after: list[Column] | None, regexes: int) -> None:
        self._before = before
        self._after = after
        self.regexes = regexes

    def match(self, line: str) -> Match | None:
        texts = split(line)
        after = self._after or []
        left_out = len(texts) - len(self._before) - len(after)
        if left_out < 0 or (left_out and self._after is None):
            return None
        columns = [*self._before, *[Column("", None)] * left_out, *after]
        if not all(column.test is None or column.test(text) for column, text in zip(columns, texts, strict=True)):
            return None
        named = zip(columns, texts, strict=True)
        return Texts({f"${column.name or number}": text for number, (column, text) in enumerate(named, 1)})

    def has_values(self, reference: str) -> bool:
        names = {column.name for column in [*self._before, *(self._after or [])] if column.name}
        name = reference.removeprefix("$")
        return reference.startswith("$") and (name in names or name.isdecimal())


def split(line: str) -> list[str]:
    """The columns of a line."""
    return [found[found.lastgroup or 0] for found in _COLUMN.finditer(line)]


def compile_columns(text: str) -> ColumnPattern:
    """A pattern in square brackets.

    Raises:
        FilterPatternError: it breaks the syntax.
    """
    if not text.endswith("]") or len(text) < 2:  # noqa: PLR2004  (both brackets)
        raise FilterPatternError("a space-delimited pattern ends with ]")
    parts = [part.strip() for part in _parts(text[1:-1])]
    if parts.count(ELLIPSIS) > 1:
        raise FilterPatternError(f"more than one {ELLIPSIS}")
    at = parts.index(ELLIPSIS) if ELLIPSIS in parts else None
    read = [_column(part) for part in parts if part != ELLIPSIS]
    columns = [column for column, _ in read]
    names = [column.name for column in columns if column.name]
    if len(names) != len(set(names)):
        raise FilterPatternError("two columns of one name")
    regexes = sum(count for _, count in read)
    if regexes > MAX:
        raise FilterPatternError(f"{regexes} regular expressions: at most {MAX}")
    return ColumnPattern(columns[:at], None if at is None else columns[at:], regexes)


def _parts(text: str) -> list[str]:
    """What stands between commas."""
    parts: list[str] = []
    at = 0
    while True:
        part = _PART.match(text, at)
        end = part.end() if part else at
        parts.append(text[at:end])
        if end == len(text):
            return parts
        if text[end] != ",":
            raise FilterPatternError(f"{text[end]} is not closed")
        at = end + 1


def _column(part: str) -> tuple[Column, int]:
    """A column and how many regular expressions it has."""
    names: list[str] = []

    def condition(tokens: Tokens) -> Callable[[str], bool]:
        name = tokens.take("word", "a column's name")
        if not _NAME.fullmatch(name):
            raise bad_characters(re.sub(r"[\w-]", "", name)[:1] or name)
        names.append(name)
        return comparison(tokens)

    if not part:
        return Column("", None), 0
    if _NAME.fullmatch(part):
        return Column(part, None), 0
    if not re.search(r"[=<>]", part):
        raise bad_characters(re.sub(r"[\w\s-]", "", part)[:1] or " ")
    tokens = Tokens(part)
    test = parse(tokens, condition)
    if len(set(names)) > 1:
        raise FilterPatternError(f"conditions on {names[0]} and {names[1]} in one column")
    return Column(names[0], test), tokens.regexes
