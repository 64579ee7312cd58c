"""GetItem, PutItem, UpdateItem and DeleteItem without moto's expression machinery.

moto parses the expressions of a call two or three times, copies the item twice and sums up its size once per attribute.
Here expressions are compiled once, and an item is written once everything about the call is known to be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from dlqlab.emulator.core import taps
from dlqlab.emulator.dynamodb.expressions import Compiler, Program
from dlqlab.emulator.dynamodb.requests import FIELDS, Request, parse
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.tables import PlainTable, attributes_of, plain_table
from dlqlab.emulator.dynamodb.unsupported import InvalidError, UnsupportedError
from dlqlab.emulator.dynamodb.values import Attributes, write_map

OPERATIONS = frozenset(FIELDS)
_NOTHING: Attributes = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call returns."""

    body: Mapping[str, Any]
    condition_failed: bool = False
    error: InvalidError | None = None
    """DynamoDB's refusal; the body has what it shows besides its message."""


class SingleItem:
    """The fast path."""

    def __init__(self, lock: Lock) -> None:
        """Args:
        lock: held while items are read and written; whoever else writes them holds it too.
        """
        self._lock = lock
        self._compiler = Compiler(reserved=frozenset(ReservedKeywords.get_reserved_keywords()), make=make)
        self._serve = {"GetItem": _get, "PutItem": _put, "UpdateItem": _update, "DeleteItem": _delete}

    def answer(self, operation: str, body: bytes, *, account_id: str, region: str) -> Answer:
        """Serve a call of one of the operations.

        Raises:
            UnsupportedError: the full path, or moto, must serve it; nothing has been changed.
        """
        request = parse(operation, body, make)
        program = self._compiler.program(update=request.update, condition=request.condition, names=request.names)
        program.check_values(request.values)
        with self._lock:
            table = plain_table(account_id, region, request.table)
            answer = self._serve[operation](table, request, program)
        if request.item and taps.watch is not None:
            taps.said = body, request.table, write_map(table.key_in(request.item)), None
        return answer


def _get(table: PlainTable, request: Request, _program: Program) -> Answer:
    item = table.find(table.key_of(request.key, exact=True))
    return Answer({} if item is None else {"Item": write_map(attributes_of(item))})


def _put(table: PlainTable, request: Request, program: Program) -> Answer:
    key = table.key_of(request.item, exact=False)
    size = table.check(request.item)
    item = table.find(key)
    old = _attributes(item)
    if not program.holds(old, request.values):
        return _refusal(old, request)
    answer = _returned(old, request)
    table.write(key, request.item, size, old=item)
    return answer


def _delete(table: PlainTable, request: Request, program: Program) -> Answer:
    key = table.key_of(request.key, exact=True)
    item = table.find(key)
    old = _attributes(item)
    if not program.holds(old, request.values):
        return _refusal(old, request)
    if item is not None:
        table.delete(key)
    return _returned(old, request)


def _update(table: PlainTable, request: Request, program: Program) -> Answer:
    key = table.key_of(request.key, exact=True)
    update = program.update
    if update is None or not update.roots.isdisjoint((table.hash_name, table.range_name)):
        raise UnsupportedError("no update, or an update of the key")
    item = table.find(key)
    old = _attributes(item)
    if not program.holds(old, request.values):
        return _refusal(old, request)
    if item is None and not update.makes_item:
        raise UnsupportedError("removals from an item that is not there")
    new = update.apply(old, request.values)
    if item is None:
        new |= request.key
    size = table.check(new)
    answer = Answer({"Attributes": write_map(new)}) if request.returned == "ALL_NEW" else _returned(old, request)
    table.write(key, new, size, old=item)
    return answer


def _attributes(item: Any | None) -> Attributes:
    """The item's attributes; none where there is no item."""
    return _NOTHING if item is None else attributes_of(item)


def _returned(old: Attributes, request: Request) -> Answer:
    """The old item where it is asked for and was there: one has its key at least."""
    return Answer({"Attributes": write_map(old)} if old and request.returned == "ALL_OLD" else {})


def _refusal(old: Attributes, request: Request) -> Answer:
    return Answer({"Item": write_map(old)} if old and request.returned_on_failure else {}, condition_failed=True)
