"""What condition and update expressions share: tokens, document paths, placeholders.

Grammar: "Referring to item attributes" and "Expression attribute names" of the DynamoDB developer guide.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dlqlab.emulator.dynamodb.unsupported import ExpressionError, UnsupportedError
from dlqlab.emulator.dynamodb.values import NESTING_MAX, Attributes, Value

EXPRESSION_MAX = 4096
"""Bytes of an expression ("Quotas" of the developer guide)."""
NESTED_MAX = 100
"""Parentheses, NOTs and functions in one expression, so that none exhausts the stack."""

Path = tuple[str | int, ...]
"""An attribute's name, then names in maps and indexes in lists."""

_NAME = r"(?:\#[A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9_]*)"
_TOKEN = re.compile(
    rf"\s*(?:(?P<path>{_NAME}(?:\s*\.\s*{_NAME}|\s*\[\s*[0-9]+\s*\])*)"
    r"|(?P<value>:[A-Za-z0-9_]+)|(?P<sign><>|<=|>=|[=<>(),+-])|(?P<wrong>[A-Za-z0-9_]+|\S))"
)
_STEP = re.compile(rf"({_NAME})|\[\s*([0-9]+)\s*\]")
_END = ("end", "<EOF>")
Static = Callable[[Mapping[str, Value]], None]
"""Refuses values that an expression cannot have, whatever the item."""


@dataclass
class Scope:
    """The names of a request, and what its expressions use of names and values."""

    names: Mapping[str, str]
    reserved: Collection[str]
    names_used: set[str] = field(default_factory=set)
    values_used: set[str] = field(default_factory=set)
    types: list[tuple[str, frozenset[str], str]] = field(default_factory=list)
    """Values that must be of certain types, and the operator or function that wants it."""
    checks: list[Static] = field(default_factory=list)
    roots: set[str] = field(default_factory=set)
    """The attributes that paths begin with."""
    kept: set[Path] = field(default_factory=set)
    """Paths whose value an update leaves where it is."""

    def name(self, text: str) -> str:
        """The attribute that a name or placeholder stands for."""
        if text.startswith("#"):
            if text not in self.names:
                raise ExpressionError(
                    f"An expression attribute name used in the document path is not defined; attribute name: {text}"
                )
            self.names_used.add(text)
            return self.names[text]
        if text.upper() in self.reserved:
            raise ExpressionError(f"Attribute name is a reserved keyword; reserved keyword: {text}")
        return text

    def path(self, text: str) -> Path:
        """The document path."""
        steps = tuple(self.name(name) if name else int(index) for name, index in _STEP.findall(text))
        if len(steps) > NESTING_MAX:
            raise ExpressionError(
                "The document path has too many nesting elements; nesting elements: " + str(len(steps))
            )
        self.roots.add(str(steps[0]))
        return steps

    def value(self, text: str, types: frozenset[str] | None = None, operator: str = "") -> str:
        """The placeholder of a value, which must be of one of these types for the operator or function."""
        self.values_used.add(text)
        if types is not None:
            self.types.append((text, types, operator))
        return text


class Tokens:
    """The tokens of an expression, read from left to right."""

    def __init__(self, text: str) -> None:
        if len(text.encode()) > EXPRESSION_MAX:
            raise ExpressionError(
                f"Expression size has exceeded the maximum allowed size; expression size: {len(text.encode())}"
            )
        if not text.strip():
            raise ExpressionError("The expression can not be empty;")
        matches = list(_split(text.rstrip()))
        self._text = text
        self._tokens = [*((str(match.lastgroup), match[str(match.lastgroup)]) for match in matches), _END]
        self._spans = [match.span(str(match.lastgroup)) for match in matches]
        self._place = 0
        self._nested = 0
        self._group = (-1, -1)

    def peek(self) -> tuple[str, str]:
        """Kind and text of the next token: path, value, sign or end."""
        return self._tokens[self._place]

    def take(self) -> tuple[str, str]:
        token = self._tokens[self._place]
        self._place += token is not _END
        return token

    def accept(self, *signs: str) -> str | None:
        """The next token if it is one of these signs."""
        kind, text = self.peek()
        return self.take()[1] if kind == "sign" and text in signs else None

    def keyword(self, *words: str) -> str | None:
        """The next token, in capitals, if it is one of these keywords in any case."""
        kind, text = self.peek()
        return self.take()[1].upper() if kind == "path" and text.upper() in words else None

    def function(self, names: Collection[str]) -> str | None:
        """The name of the function whose call comes next; its opening parenthesis is taken too."""
        kind, text = self.peek()
        if kind == "path" and text in names and self._tokens[self._place + 1] == ("sign", "("):
            self._place += 2
            return text
        return None

    def unknown_function(self) -> str | None:
        """The name that stands where a function's call would."""
        kind, text = self.peek()
        return text if kind == "path" and self._tokens[self._place + 1] == ("sign", "(") else None

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise self.wrong()

    def expect_word(self, word: str) -> None:
        if not self.keyword(word):
            raise self.wrong()

    def expect_path(self) -> str:
        kind, text = self.peek()
        if kind != "path":
            raise self.wrong()
        self.take()
        return text

    def end(self) -> None:
        if self.peek() is not _END:
            raise self.wrong()

    def wrong(self) -> ExpressionError:
        """That the next token does not belong where it is; names the tokens before and after it too."""
        spans = self._spans[max(self._place - 1, 0) : self._place + 2]
        near = self._text[spans[0][0] : spans[-1][1]] if spans else self._text
        return ExpressionError(f'Syntax error; token: "{self.peek()[1]}", near: "{near.strip()}"')

    def nest(self) -> None:
        """Count what an expression can hold within itself."""
        self._nested += 1
        if self._nested > NESTED_MAX:
            raise ExpressionError("The expression has too many parentheses and functions")

    def opened(self) -> int:
        """Where the parenthesis stands that was just taken."""
        return self._place - 1

    def close(self, opened: int) -> None:
        """Take the closing parenthesis; one pair directly in another is refused, as DynamoDB does."""
        inner = self._group
        self.expect(")")
        self._group = (opened, self._place - 1)
        if inner == (opened + 1, self._place - 2):
            raise ExpressionError("The expression has redundant parentheses;")


def _split(text: str) -> Iterable[re.Match[str]]:
    """The tokens; what is none is one of the kind ``wrong``, for which there is no place."""
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            raise UnsupportedError(f"syntax near {text[place : place + 20]!r}")
        yield match
        place = match.end()


def find(attributes: Attributes, path: Path) -> Value | None:
    """The value at a path, or None."""
    found = attributes.get(path[0])  # type: ignore[arg-type]  # a path begins with a name
    for step in path[1:]:
        if found is None:
            return None
        if isinstance(step, str):
            found = found.value.get(step) if found.type == "M" else None
        else:
            found = found.value[step] if found.type == "L" and step < len(found.value) else None
    return found
