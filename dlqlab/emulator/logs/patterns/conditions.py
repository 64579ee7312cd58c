"""Conditions of JSON and space-delimited patterns, put together with ``&&``, ``||`` and parentheses.

A condition compares a value with a text, which may begin or end with ``*``, a number or a regular expression.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dlqlab.emulator.logs.patterns.base import FilterPatternError, bad_characters
from dlqlab.emulator.logs.patterns.regexes import MAX, compile_regex
from dlqlab.emulator.logs.patterns.terms import unquoted

NESTED_MAX = 50
"""Parentheses in each other, so that none exhausts the stack."""
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<join>&&|\|\|) | (?P<open>\() | (?P<close>\)) | (?P<sign>=!|!=|<=|>=|=|<|>)
    | "(?P<quoted>(?:[^"\\]|\\.)*)" | %(?P<regex>[^%]*)%
    | (?P<word>[^\s&|()=<>!"%]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UNQUOTED = re.compile(r"[\w.*+:/-]")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda value, limit: bool(value < limit),
    "<=": lambda value, limit: bool(value <= limit),
    ">": lambda value, limit: bool(value > limit),
    ">=": lambda value, limit: bool(value >= limit),
}

Scalar = str | int | float | bool
Test = Callable[[Scalar], bool]


@dataclass(slots=True)
class Tokens:
    """What is left to read of an expression."""

    text: str
    regexes: int = 0
    _tokens: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = list(reversed(list(_tokens(self.text))))

    def peek(self) -> tuple[str, str]:
        """The next token's kind and text; the kind is empty at the end."""
        return self._tokens[-1] if self._tokens else ("", "")

    def take(self, kind: str, what: str) -> str:
        """The next token.

        Raises:
            FilterPatternError: it is of another kind.
        """
        found, text = self.peek()
        if found != kind:
            raise FilterPatternError(f"{text!r} where {what} should be" if found else f"{what} is missing at the end")
        self._tokens.pop()
        return text

    def accept(self, kind: str, text: str) -> bool:
        """Take the next token if it is this one, in whatever case."""
        found = self.peek()
        if found[0] != kind or found[1].upper() != text:
            return False
        self._tokens.pop()
        return True


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            rest = text[at:].lstrip()
            if rest[0] in '"%':
                raise FilterPatternError(f"{rest[0]} is not closed")
            raise bad_characters(rest[0])
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def parse[C](tokens: Tokens, condition: Callable[[Tokens], Callable[[C], bool]]) -> Callable[[C], bool]:
    """The whole expression; ``&&`` binds closer than ``||``.

    Args:
        condition: reads one condition.
    """
    expression = _any(tokens, condition, 0)
    if tokens.peek()[0]:
        raise FilterPatternError(f"{tokens.peek()[1]!r} after the end of the expression")
    if tokens.regexes > MAX:
        raise FilterPatternError(f"{tokens.regexes} regular expressions: at most {MAX}")
    return expression


def _any[C](tokens: Tokens, condition: Callable[[Tokens], Callable[[C], bool]], depth: int) -> Callable[[C], bool]:
    parts = [_all(tokens, condition, depth)]
    while tokens.accept("join", "||"):
        parts.append(_all(tokens, condition, depth))
    return parts[0] if len(parts) == 1 else lambda context: any(part(context) for part in parts)


def _all[C](tokens: Tokens, condition: Callable[[Tokens], Callable[[C], bool]], depth: int) -> Callable[[C], bool]:
    parts = [_one(tokens, condition, depth)]
    while tokens.accept("join", "&&"):
        parts.append(_one(tokens, condition, depth))
    return parts[0] if len(parts) == 1 else lambda context: all(part(context) for part in parts)


def _one[C](tokens: Tokens, condition: Callable[[Tokens], Callable[[C], bool]], depth: int) -> Callable[[C], bool]:
    if not tokens.accept("open", "("):
        return condition(tokens)
    if depth == NESTED_MAX:
        raise FilterPatternError(f"over {NESTED_MAX} parentheses in each other")
    inner = _any(tokens, condition, depth + 1)
    tokens.take("close", "a closing parenthesis")
    return inner


def comparison(tokens: Tokens) -> Test:
    """Read a sign and what a value is compared with."""
    sign = tokens.take("sign", "a comparison")
    kind, text = tokens.peek()
    if kind not in {"quoted", "regex", "word"}:
        raise FilterPatternError(f"nothing to compare with after {sign}")
    tokens.take(kind, "a value")
    if sign in _ORDER:
        return _ordered(sign, kind, text)
    equal = _equal(tokens, kind, text)
    return equal if sign == "=" else lambda value: not equal(value)


def _ordered(sign: str, kind: str, text: str) -> Test:
    if kind != "word" or not _NUMBER.fullmatch(text):
        raise FilterPatternError(f"{text!r} after {sign}: give a number")
    limit, compare = _number(text), _ORDER[sign]

    def test(value: Scalar) -> bool:
        number = as_number(value)
        return number is not None and compare(number, limit)

    return test


def _equal(tokens: Tokens, kind: str, text: str) -> Test:
    if kind == "regex":
        tokens.regexes += 1
        found = compile_regex(text)
        return lambda value: found(as_text(value))
    if kind == "word":
        if wrong := _UNQUOTED.sub("", text):
            raise bad_characters(wrong[0])
        if _NUMBER.fullmatch(text):
            number = _number(text)
            return lambda value: as_text(value) == text or as_number(value) == number
    return _like(unquoted(text) if kind == "quoted" else text)


def _like(text: str) -> Test:
    """Equal to a text; ``*`` at its beginning or end, and only there, stands for any text."""
    if text == "*":
        return lambda _value: True
    middle = text.removeprefix("*").removesuffix("*")
    if text.startswith("*") and text.endswith("*"):
        return lambda value: middle in as_text(value)
    if text.startswith("*"):
        return lambda value: as_text(value).endswith(middle)
    if text.endswith("*"):
        return lambda value: as_text(value).startswith(middle)
    return lambda value: as_text(value) == text


def as_text(value: Scalar) -> str:
    """A value as it stands in JSON, without quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def as_number(value: Scalar) -> int | float | None:
    """A number, or what a text says if it is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _number(value) if _NUMBER.fullmatch(value) else None
    return value


def _number(text: str) -> int | float:
    digits = text.lstrip("+-")
    if digits.isascii() and digits.isdecimal() and len(digits) < 300:  # noqa: PLR2004  (longer ones are not counts)
        return int(text)
    return float(text)
