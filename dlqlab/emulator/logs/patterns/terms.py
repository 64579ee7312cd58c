"""Patterns of terms: words and quoted phrases that a line must have, may have (``?``) or must not have (``-``)."""

import re
from collections.abc import Callable

from dlqlab.emulator.logs.patterns.base import FilterPatternError, Match, Pattern, Texts, bad_characters
from dlqlab.emulator.logs.patterns.regexes import MAX, compile_regex

_TERM = re.compile(
    r'\s*(?P<sign>[?-]?)\s*(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]*)%|(?P<word>\w+))(?=\s|$)', re.DOTALL
)
_NOTHING = Texts({})

Test = Callable[[str], bool]


class Terms(Pattern):
    """Optional terms count only where there are no others."""

    def __init__(self, wanted: list[Test], optional: list[Test], excluded: list[Test], regexes: int) -> None:
        self._wanted = wanted
        self._optional = [] if wanted or excluded else optional
        self._excluded = excluded
        self.regexes = regexes

    def match(self, line: str) -> Match | None:
        is_match = (
            all(test(line) for test in self._wanted)
            and not any(test(line) for test in self._excluded)
            and (not self._optional or any(test(line) for test in self._optional))
        )
        return _NOTHING if is_match else None

    def has_values(self, reference: str) -> bool:  # noqa: ARG002  (terms have no names)
        return False


def compile_terms(text: str) -> Terms:
    """The terms of a pattern; without any it matches every line.

    Raises:
        FilterPatternError: a term has characters that need quotes, or a quote does not end.
    """
    tests: dict[str, list[Test]] = {"": [], "?": [], "-": []}
    regexes = at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise _unread(text[at:])
        regexes += found["regex"] is not None
        tests[found["sign"]].append(_test(found))
        at = found.end()
    if regexes > MAX:
        raise FilterPatternError(f"{regexes} regular expressions: at most {MAX}")
    return Terms(tests[""], tests["?"], tests["-"], regexes)


def _test(term: re.Match[str]) -> Test:
    if term["regex"] is not None:
        return compile_regex(term["regex"])
    text = term["word"] if term["word"] is not None else unquoted(term["phrase"])
    if not text.strip():  # it says nothing: every line has it, and none is left out for it
        return lambda _line: term["sign"] != "-"
    return lambda line: text in line


def unquoted(phrase: str) -> str:
    """What stands between quotes, with its escaped characters as they are."""
    return re.sub(r"\\(.)", r"\1", phrase, flags=re.DOTALL)


def _unread(rest: str) -> FilterPatternError:
    term = rest.lstrip().lstrip("?-").lstrip()
    if not term:
        return FilterPatternError("a sign without a term")
    if term[0] in '"%' and not re.match(r'"(?:[^"\\]|\\.)*"|%[^%]*%', term, re.DOTALL):
        return FilterPatternError(f"{term[0]} is not closed")
    wrong = re.sub(r'^(?:"(?:[^"\\]|\\.)*"|%[^%]*%|\w+)', "", term)
    return bad_characters(wrong[:1])
