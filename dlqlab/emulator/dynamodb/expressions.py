"""The expressions of a request, compiled once and kept.

A program depends on the texts of the expressions and on the names, which an application hardly varies, and is applied
to the values of each request.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from dlqlab.emulator.dynamodb.conditions import Check, Values, compile_condition
from dlqlab.emulator.dynamodb.grammar import Scope, Static
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.updates import Update, compile_update
from dlqlab.emulator.dynamodb.values import Attributes, Make

KEPT_MAX = 2048
"""Programs that are kept."""


@dataclass(frozen=True, slots=True)
class Program:
    """A condition and an update."""

    condition: Check | None
    update: Update | None
    values_used: frozenset[str]
    types: tuple[tuple[str, frozenset[str], str], ...]
    checks: tuple[Static, ...]

    def check_values(self, values: Values) -> None:
        """Refuse values that are missing, not used, or of a type that their place does not take.

        Raises:
            UnsupportedError: as described.
        """
        if values.keys() != self.values_used:
            raise UnsupportedError("values are missing or not used")
        for name, types, _ in self.types:
            if values[name].type not in types:
                raise UnsupportedError(f"{name} is of type {values[name].type}")
        for check in self.checks:
            check(values)

    def holds(self, attributes: Attributes, values: Values) -> bool:
        """Whether the condition holds for an item; no attributes mean that there is none."""
        return self.condition is None or self.condition(attributes, values)


class Compiler:
    """Compiles and keeps programs, and what could not be compiled."""

    def __init__(self, *, reserved: Collection[str], make: Make) -> None:
        """Args:
        reserved: DynamoDB's reserved words in capitals.
        make: makes the values that an update writes.
        """
        self._reserved = reserved
        self._make = make
        self._compiled = lru_cache(KEPT_MAX)(self._compile)

    def program(self, *, update: str | None, condition: str | None, names: Mapping[str, str]) -> Program:
        """The program of a request.

        Raises:
            UnsupportedError: a syntax error, an unused name, or something that is not done here.
        """
        compiled = self._compiled(update, condition, tuple(names.items()))
        if isinstance(compiled, UnsupportedError):
            raise UnsupportedError(*compiled.args)
        return compiled

    def _compile(
        self, update: str | None, condition: str | None, names: tuple[tuple[str, str], ...]
    ) -> Program | UnsupportedError:
        scope = Scope(dict(names), self._reserved)
        try:
            compiled = None if update is None else compile_update(update, scope, self._make)
            check = None if condition is None else compile_condition(condition, scope)
        except UnsupportedError as error:
            return UnsupportedError(*error.args)  # without the traceback, which would keep frames alive
        if scope.names_used != scope.names.keys():
            return UnsupportedError("a name is not used")
        return Program(check, compiled, frozenset(scope.values_used), tuple(scope.types), tuple(scope.checks))
