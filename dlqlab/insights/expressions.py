"""From what a query says to functions of a record."""

from collections.abc import Callable, Iterable
from typing import NoReturn

from dlqlab.insights import syntax
from dlqlab.insights.errors import MalformedQueryError
from dlqlab.insights.functions import FUNCTIONS, calculate
from dlqlab.insights.lines import Getter, Record, getter, resolve
from dlqlab.insights.patterns import searcher
from dlqlab.insights.syntax import Call, Condition, Field, Literal, Node
from dlqlab.insights.times import Period, ceiling_of, floor_of
from dlqlab.insights.values import Value, equal, is_true, number, order, text

type Test = Callable[[Record], bool]

NESTING_MAX = 100
_TIMES = frozenset({"@timestamp", "@ingestionTime"})
_ORDERS: dict[str, frozenset[int]] = {
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    ">": frozenset({1}),
    ">=": frozenset({1, 0}),
}


class Scope:
    """The fields that a command can name: those that the query has made, and those of the line."""

    def __init__(self, *, lines: bool = True, made: Iterable[str] = ()) -> None:
        """Args:
        lines: whether records still are lines; what ``stats`` made are not.
        made: fields that the query has made.
        """
        self.lines = lines
        self.made = dict.fromkeys(made)

    def getter(self, field: Field) -> Getter:
        """The function that finds the field.

        Raises:
            MalformedQueryError: ``stats`` left no such field.
        """
        name = field.name
        if name in self.made:
            return lambda record: record.made.get(name)
        first, _, path = name.partition(".")
        if path and first in self.made:
            parts = path.split(".")
            return lambda record: resolve(record.made.get(first), parts)
        if not self.lines:
            raise MalformedQueryError(f"Unknown symbols found in or after stats: {name}", field.start, field.end)
        return getter(name)

    def define(self, field: Field) -> None:
        """Note a field that the query makes.

        Raises:
            MalformedQueryError: the query has made one of that name already.
        """
        if field.name in self.made:
            raise MalformedQueryError(f"field {field.name} is already defined", field.start, field.end)
        self.made[field.name] = None


class Compiler:
    """Makes functions of expressions."""

    def __init__(self, scope: Scope, now_s: float) -> None:
        self.scope = scope
        self._now_s = int(now_s)
        self._depth = 0

    def value(self, node: Node) -> Getter:
        """The function that gives the expression's value.

        Raises:
            MalformedQueryError: the expression makes no sense, or is not known here.
        """
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise MalformedQueryError(f"expressions are nested more than {NESTING_MAX} deep")
        try:
            return self._value(node)
        finally:
            self._depth -= 1

    def test(self, node: Node) -> Test:
        """The function that says whether a condition holds; as ``value``, and a text is not a condition."""
        if isinstance(node, Literal) and not isinstance(node.value, bool):
            raise MalformedQueryError(f"{node.value!r} is not a condition", node.start, node.end)
        get = self.value(node)
        return lambda record: is_true(get(record))

    def call(self, node: Call) -> Getter:
        """A function's value."""
        name = node.name.lower()
        if name in {"bin", "datefloor", "dateceil"}:
            return self._rounded(name, node)
        if name == "now":
            self._expect(node, 0, 0)
            now_s = self._now_s
            return lambda _record: now_s
        function = FUNCTIONS.get(name)
        if function is None:
            refuse(node, f"unknown function {node.name}")
        self._expect(node, function.least, function.most)
        if name == "ispresent" and not isinstance(node.arguments[0], Field):
            refuse(node, "ispresent takes the name of a field")
        apply = function.apply
        if len(node.arguments) == 1:
            only = self.value(node.arguments[0])
            return lambda record: apply(only(record))
        arguments = [self.value(argument) for argument in node.arguments]
        return lambda record: apply(*(argument(record) for argument in arguments))

    def _value(self, node: Node) -> Getter:
        match node:
            case Literal(value):
                return self._constant(node, value)
            case Field():
                return self.scope.getter(node)
            case Call():
                return self.call(node)
            case syntax.Chain():
                return self._chain(node)
            case syntax.Negative(operand):
                get = self.value(operand)
                return lambda record: calculate("-", 0, get(record))
            case _:
                return self._condition(node)

    def _condition(self, node: Condition) -> Test:
        match node:
            case syntax.Comparison():
                return self._comparison(node)
            case syntax.Like():
                return self._like(node)
            case syntax.Membership():
                return self._membership(node)
            case syntax.Every(operands):
                tests = [self.test(operand) for operand in operands]
                return lambda record: all(test(record) for test in tests)
            case syntax.Some(operands):
                tests = [self.test(operand) for operand in operands]
                return lambda record: any(test(record) for test in tests)
            case syntax.Negation(operand):
                test = self.test(operand)
                return lambda record: not test(record)

    def _constant(self, node: Literal, value: str | float | bool | Period) -> Getter:
        if isinstance(value, Period):
            raise MalformedQueryError("a period stands in bin, datefloor and dateceil only", node.start, node.end)
        return lambda _record: value

    def _chain(self, node: syntax.Chain) -> Getter:
        first = self.value(node.first)
        rest = [(operator, self.value(operand)) for operator, operand in node.rest]

        def get(record: Record) -> Value:
            total = first(record)
            for operator, operand in rest:
                total = calculate(operator, total, operand(record))
            return total

        return get

    def _comparison(self, node: syntax.Comparison) -> Test:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Field) and one.name in _TIMES and isinstance(other, Literal) and _is_word(other):
                refuse(other, f"{one.name} is compared with a text: give milliseconds since the epoch")
        left, right = self.value(node.left), self.value(node.right)
        if node.operator == "=":
            return lambda record: equal(left(record), right(record))
        if node.operator == "!=":
            return lambda record: not equal(left(record), right(record))
        wanted = _ORDERS[node.operator]
        return lambda record: order(left(record), right(record)) in wanted

    def _like(self, node: syntax.Like) -> Test:
        get, holds, negated = self.value(node.operand), searcher(node.pattern), node.negated

        def test(record: Record) -> bool:
            said = text(get(record))
            return negated if said is None else holds(said) is not negated

        return test

    def _membership(self, node: syntax.Membership) -> Test:
        get, negated = self.value(node.operand), node.negated
        members = [self.value(member) for member in node.members]

        def test(record: Record) -> bool:
            value = get(record)
            return any(equal(value, member(record)) for member in members) is not negated

        return test

    def _rounded(self, name: str, node: Call) -> Getter:
        self._expect(node, 1 if name == "bin" else 2, 1 if name == "bin" else 2)
        last = node.arguments[-1]
        if not isinstance(last, Literal) or not isinstance(last.value, Period):
            refuse(node, f"{name} takes a period such as 5m")
        rounded = (ceiling_of if name == "dateceil" else floor_of)(last.value)
        moment = Field("@timestamp", node.start, node.end) if name == "bin" else node.arguments[0]
        get = self.value(moment)

        def apply(record: Record) -> Value:
            found = number(get(record))
            try:
                return None if found is None else rounded(int(found))
            except (OverflowError, ValueError):  # outside of the calendar
                return None

        return apply

    def _expect(self, node: Call, least: int, most: int | None) -> None:
        count = len(node.arguments)
        if node.star or count < least or (most is not None and count > most):
            wanted = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            refuse(node, f"{node.name} takes {wanted} arguments")


def refuse(node: Call | Literal, message: str) -> NoReturn:
    """Say what is wrong with a part of the query.

    Raises:
        MalformedQueryError: always.
    """
    raise MalformedQueryError(message, node.start, node.end)


def _is_word(node: Literal) -> bool:
    return isinstance(node.value, str) and number(node.value) is None
