"""JSON patterns: ``{ $.user.id = 1 && ($.actions[0] != "GET" || $.error NOT EXISTS) }``.

A selector that leads to an object, an array or to nothing makes a comparison false, whatever the comparison.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from dlqlab.emulator.logs.patterns.base import FilterPatternError, Match, Pattern, bad_characters
from dlqlab.emulator.logs.patterns.conditions import Scalar, Tokens, as_text, comparison, parse

WILDCARDS_MAX = 1  # of one selector
WILDCARDS_OF_ALL_MAX = 3
_STEP = re.compile(r"\.(?P<name>[\w-]+)|\[(?P<index>[0-9]{1,9})\]|(?P<any>\.\*|\[\*\])")
_ANY = object()

Root = dict[str, Any]
Step = str | int | object


class JsonPattern(Pattern):
    """Matches lines that are a JSON object."""

    def __init__(self, test: Callable[[Root], bool], selectors: list[str], regexes: int) -> None:
        self._test = test
        self._selectors = selectors
        self.regexes = regexes

    def match(self, line: str) -> Match | None:
        if not line.lstrip().startswith("{"):
            return None
        try:
            root = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return _Found(root, self._selectors) if self._test(root) else None

    def has_values(self, reference: str) -> bool:
        try:
            selector(reference)
        except FilterPatternError:
            return False
        return True


class _Found(Match):
    def __init__(self, root: Root, selectors: list[str]) -> None:
        self._root = root
        self._selectors = selectors

    def extracted(self) -> dict[str, str]:
        values = ((text, self.value(text)) for text in self._selectors)
        return {text: as_text(value) for text, value in values if value is not None}

    def value(self, reference: str) -> Scalar | None:
        try:
            steps = selector(reference)
        except FilterPatternError:
            return None
        return next((value for value in found(self._root, steps) if isinstance(value, Scalar)), None)


def compile_selectors(text: str) -> JsonPattern:
    """A pattern in braces.

    Raises:
        FilterPatternError: it breaks the syntax.
    """
    if not text.endswith("}") or len(text) < 2:  # noqa: PLR2004  (both braces)
        raise FilterPatternError("a JSON pattern ends with }")
    seen: list[str] = []

    def condition(tokens: Tokens) -> Callable[[Root], bool]:
        name = tokens.take("word", "a selector such as $.name")
        if tokens.peek()[0] == "quoted" and name.endswith("."):
            raise bad_characters(f'{name}"')
        steps = selector(name)
        if name not in seen:
            seen.append(name)
        return _condition(tokens, steps)

    tokens = Tokens(text[1:-1])
    test = parse(tokens, condition)
    if sum(selector(name).count(_ANY) for name in seen) > WILDCARDS_OF_ALL_MAX:
        raise FilterPatternError(f"at most {WILDCARDS_OF_ALL_MAX} wildcards in all selectors")
    return JsonPattern(test, seen, tokens.regexes)


def _condition(tokens: Tokens, steps: tuple[Step, ...]) -> Callable[[Root], bool]:
    if tokens.accept("word", "NOT"):
        if not tokens.accept("word", "EXISTS"):
            raise FilterPatternError("NOT without EXISTS")
        return lambda root: not any(True for _ in found(root, steps))
    if tokens.accept("word", "IS"):
        for word, wanted in (("NULL", None), ("TRUE", True), ("FALSE", False)):
            if tokens.accept("word", word):
                return lambda root: any(value is wanted for value in found(root, steps))
        raise FilterPatternError("IS without NULL, TRUE or FALSE")
    compare = comparison(tokens)
    return lambda root: any(isinstance(value, Scalar) and compare(value) for value in found(root, steps))


def selector(text: str) -> tuple[Step, ...]:
    """The steps of ``$.a.b[0]``: names, indexes, or any member.

    Raises:
        FilterPatternError: it is not a selector.
    """
    if not text.startswith("$."):
        raise FilterPatternError(f"{text!r}: a selector begins with $.")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise bad_characters(text[at:].lstrip(".")[:1] or text)
        steps.append(step["name"] or (int(step["index"]) if step["index"] else _ANY))
        at = step.end()
    if steps.count(_ANY) > WILDCARDS_MAX:
        raise FilterPatternError(f"{text}: at most {WILDCARDS_MAX} wildcard in a selector")
    return tuple(steps)


def found(value: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    """The values that a selector leads to: one or none, or more with a wildcard."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step is _ANY:
        members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for member in members:
            yield from found(member, rest)
    elif isinstance(step, int):
        if isinstance(value, list) and step < len(value):
            yield from found(value[step], rest)
    elif isinstance(value, dict) and step in value:
        yield from found(value[step], rest)
