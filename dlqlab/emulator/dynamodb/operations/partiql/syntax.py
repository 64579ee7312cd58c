"""What statements are made of. Parameters have been put in the place of their question marks."""

from dataclasses import dataclass

from dlqlab.emulator.dynamodb.grammar import Path
from dlqlab.emulator.dynamodb.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A value."""

    value: Value


@dataclass(frozen=True, slots=True)
class Reference:
    """A document path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a condition or an assignment, in lower case."""

    name: str
    arguments: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Two terms with + or - between them."""

    sign: str
    left: "Term"
    right: "Term"


Term = Literal | Reference | Call | Sum


@dataclass(frozen=True, slots=True)
class Compared:
    """Two terms with = <> < <= > >= between them."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Between:
    """BETWEEN."""

    term: Term
    low: Term
    high: Term


@dataclass(frozen=True, slots=True)
class Among:
    """IN."""

    term: Term
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class OfType:
    """IS: MISSING or a type of attribute values."""

    term: Term
    type: str


@dataclass(frozen=True, slots=True)
class Negated:
    """NOT."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions with AND or OR between them."""

    word: str
    conditions: tuple["Condition", ...]


Predicate = Compared | Between | Among | OfType | Call
Condition = Predicate | Negated | Joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """SELECT."""

    table: str
    index: str | None
    paths: tuple[Path, ...]
    """What is selected; empty for everything."""
    where: Condition | None
    order: tuple[tuple[str, bool], ...] = ()
    """Attributes, each with whether it descends."""
    is_check: bool = False
    """EXISTS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert:
    """INSERT."""

    table: str
    item: dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """UPDATE."""

    table: str
    assigned: tuple[tuple[Path, Term], ...]
    removed: tuple[Path, ...]
    where: Condition | None
    returning: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """DELETE."""

    table: str
    where: Condition | None
    returning: str | None


Statement = Select | Insert | Update | Delete
