"""What condition and update expressions share: tokens, document paths, placeholders.

Grammar: "Referring to item attributes" and "Expression attribute names" of the DynamoDB developer guide.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import NESTING_MAX, Attributes, Value

EXPRESSION_MAX = 4096
"""Bytes of an expression ("Quotas" of the developer guide)."""
NESTED_MAX = 100
"""Parentheses, NOTs and functions in one expression, so that none exhausts the stack."""

Path = tuple[str | int, ...]
"""An attribute's name, then names in maps and indexes in lists."""

_NAME = r"(?:\#[A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9_]*)"
_TOKEN = re.compile(
    rf"\s*(?:(?P<path>{_NAME}(?:\.{_NAME}|\[[0-9]+\])*)|(?P<value>:[A-Za-z0-9_]+)|(?P<sign><>|<=|>=|[=<>(),+-]))"
)
_STEP = re.compile(rf"({_NAME})|\[([0-9]+)\]")
_END = ("end", "")


@dataclass
class Scope:
    """The names of a request, and what its expressions use of names and values."""

    names: Mapping[str, str]
    reserved: Collection[str]
    names_used: set[str] = field(default_factory=set)
    values_used: set[str] = field(default_factory=set)
    types: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    kept: set[Path] = field(default_factory=set)
    """Paths whose value an update leaves where it is."""

    def name(self, text: str) -> str:
        """The attribute that a name or placeholder stands for."""
        if text.startswith("#"):
            if text not in self.names:
                raise UnsupportedError(f"name {text} is not defined")
            self.names_used.add(text)
            return self.names[text]
        if text.upper() in self.reserved:
            raise UnsupportedError(f"reserved word {text}")
        return text

    def path(self, text: str) -> Path:
        """The document path."""
        steps = tuple(self.name(name) if name else int(index) for name, index in _STEP.findall(text))
        if len(steps) > NESTING_MAX:
            raise UnsupportedError("document path too deep")
        return steps

    def value(self, text: str, types: frozenset[str] | None = None) -> str:
        """The placeholder of a value, which must be of one of these types."""
        self.values_used.add(text)
        if types is not None:
            self.types.append((text, types))
        return text


class Tokens:
    """The tokens of an expression, read from left to right."""

    def __init__(self, text: str) -> None:
        if len(text.encode()) > EXPRESSION_MAX:
            raise UnsupportedError("expression too long")
        self._tokens = [*_split(text.rstrip()), _END]
        self._place = 0
        self._nested = 0

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

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise UnsupportedError(f"{sign} expected, found {self.peek()[1]!r}")

    def expect_word(self, word: str) -> None:
        if not self.keyword(word):
            raise UnsupportedError(f"{word} expected, found {self.peek()[1]!r}")

    def expect_path(self) -> str:
        kind, text = self.take()
        if kind != "path":
            raise UnsupportedError(f"attribute expected, found {text!r}")
        return text

    def end(self) -> None:
        if self.peek() is not _END:
            raise UnsupportedError(f"unexpected {self.peek()[1]!r}")

    def nest(self) -> None:
        """Count what an expression can hold within itself."""
        self._nested += 1
        if self._nested > NESTED_MAX:
            raise UnsupportedError("too many parentheses and functions")


def _split(text: str) -> Iterable[tuple[str, str]]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match or match.lastgroup is None:
            raise UnsupportedError(f"syntax near {text[place : place + 20]!r}")
        yield match.lastgroup, match[match.lastgroup]
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
