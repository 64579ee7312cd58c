"""What a query says, as the parser understood it."""

from dataclasses import dataclass

from dlqlab.insights.times import Period


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. ``start`` and ``end`` are its place in the query, as in every node."""

    value: str | float | bool | Period
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name, dots between the parts, without backticks."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function; ``star`` stands for the argument ``*``."""

    name: str
    arguments: tuple["Node", ...]
    star: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one rank, from left to right: ``a + b - c``."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """A minus before an operand."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What ``like``, ``=~`` and ``parse`` look for: a regular expression, or a text."""

    text: str
    is_regex: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Like:
    """``like``, ``not like`` and ``=~``."""

    operand: "Node"
    pattern: Pattern
    negated: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """``in [...]`` and ``not in [...]``."""

    operand: "Node"
    members: tuple["Node", ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Every:
    """``and``."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """``or``."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """``not``."""

    operand: "Node"


type Condition = Comparison | Like | Membership | Every | Some | Negation
"""True or false."""

type Node = Literal | Field | Call | Chain | Negative | Condition


@dataclass(frozen=True, slots=True)
class Item:
    """An expression with the name that its value gets: its alias, or its own text."""

    node: Node
    alias: Field | None
    text: str

    @property
    def name(self) -> str:
        if self.alias:
            return self.alias.name
        return self.node.name if isinstance(self.node, Field) else self.text


@dataclass(frozen=True, slots=True)
class Fields:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Display:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    condition: Node


@dataclass(frozen=True, slots=True)
class Parse:
    source: Field
    pattern: Pattern
    names: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """``keys`` are what stands after ``by``."""

    items: tuple[Item, ...]
    keys: tuple[Item, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SortKey:
    field: Field
    descending: bool


@dataclass(frozen=True, slots=True)
class Sort:
    keys: tuple[SortKey, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Limit:
    count: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dedup:
    fields: tuple[Field, ...]


type Command = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup
