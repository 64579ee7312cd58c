"""Scan of a table, and Query of an index, without a copy of every item and without holding up everybody else.

moto sorts all items, copies each whole and sums up its size attribute by attribute, under the one lock of the provider:
with the app's task table 0.5 ms an item. Here a page is read in slices, and between two of them others have their turn;
DynamoDB gives no snapshot of a table either ("Scan", DynamoDB API reference). Order, pages and counts are moto's.
"""

import re
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import batched
from operator import itemgetter
from threading import Lock
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from dlqlab.emulator.dynamodb.conditions import Check, compile_condition
from dlqlab.emulator.dynamodb.grammar import Scope, Static, Tokens
from dlqlab.emulator.dynamodb.requests import SearchRequest, parse_search
from dlqlab.emulator.dynamodb.single_item import Answer
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.tables import Index, PlainTable, attributes_of, find_index, has, plain_table, size_of
from dlqlab.emulator.dynamodb.unsupported import UnsupportedError
from dlqlab.emulator.dynamodb.values import Attributes, sort_key, write, write_map

OPERATIONS = frozenset({"Scan", "Query"})
PAGE_SIZE_MAX = 1_000_000
"""Bytes of the items read for a page, before filter and projection; moto's number for DynamoDB's 1 MB."""
SLICE = 64
"""Items read under the lock at a time: about a millisecond."""
KEPT_MAX = 256
_KEY_CONDITION = re.compile(r"\s*(\S+?)\s*=\s*(:\w+)(?:\s+AND\s+(\S+?)\s*(=|<=|>=|<|>)\s*(:\w+))?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Program:
    """The expressions of a search: which items, and which of their attributes (None: all)."""

    condition: Check | None
    fields: tuple[str, ...] | None
    values_used: frozenset[str]
    types: tuple[tuple[str, frozenset[str], str], ...]
    checks: tuple[Static, ...]

    def check_values(self, values: Attributes) -> None:
        """Refuse values that are missing, not used, or of a type that their place does not take.

        Raises:
            UnsupportedError: as described.
        """
        if values.keys() != self.values_used or any(values[name].type not in types for name, types, _ in self.types):
            raise UnsupportedError("values are missing, not used or of another type")
        for check in self.checks:
            check(values)

    def written(self, attributes: Attributes) -> dict[str, Any]:
        """The item as it is answered."""
        if self.fields is None:
            return write_map(attributes)
        return {name: write(attributes[name]) for name in self.fields if name in attributes}


class Search:
    """The fast path of Scan and Query."""

    def __init__(self, lock: Lock, *, let_others: Callable[[], None] = lambda: time.sleep(0)) -> None:
        """Args:
        lock: held while items are read; whoever writes them holds it too.
        let_others: gives other threads a turn; a lock that is released and taken again at once stays with its thread.
        """
        self._lock = lock
        self._let_others = let_others
        self._reserved: Collection[str] = frozenset(ReservedKeywords.get_reserved_keywords())
        self._compiled = lru_cache(KEPT_MAX)(self._compile)

    def answer(self, operation: str, body: bytes, *, account_id: str, region: str) -> Answer:
        """Serve a call of one of the operations.

        Raises:
            UnsupportedError: the full path, or moto, must serve it.
        """
        request = parse_search(operation, body, make)
        condition = request.key_condition or request.filter
        compiled = self._compiled(condition, request.projection, tuple(request.names.items()))
        if isinstance(compiled, UnsupportedError):
            raise UnsupportedError(*compiled.args)
        compiled.check_values(request.values)
        with self._lock:
            table = plain_table(account_id, region, request.table)
            if table.range_name is not None:
                raise UnsupportedError("a table with a range key")
            items = list(table.items.values())
        if request.index is None:
            return self._scan(table, items, request, compiled)
        return self._query(
            find_index(account_id, region, request.table, request.index), table, items, request, compiled
        )

    def _compile(
        self, condition: str | None, projection: str | None, names: tuple[tuple[str, str], ...]
    ) -> Program | UnsupportedError:
        scope = Scope(dict(names), self._reserved)
        try:
            check = None if condition is None else compile_condition(condition, scope)
            fields = None if projection is None else _fields(projection, scope)
        except UnsupportedError as error:
            return UnsupportedError(*error.args)  # without the traceback, which would keep frames alive
        if scope.names_used != scope.names.keys():
            return UnsupportedError("a name is not used")
        return Program(check, fields, frozenset(scope.values_used), tuple(scope.types), tuple(scope.checks))

    def _scan(self, table: PlainTable, items: list[Any], request: SearchRequest, program: Program) -> Answer:
        keyed = sorted(((item.hash_key.value, item) for item in items), key=itemgetter(0))
        after = None if request.start is None else table.key_of(request.start, exact=True)[0].value
        place = 0 if after is None else bisect_right(keyed, after, key=itemgetter(0))
        found: list[dict[str, Any]] = []
        size = 0
        last: list[Any] = []
        with closing(self._in_turns([item for _, item in keyed[place:]])) as turns:
            for scanned, item in enumerate(turns):
                size += size_of(item)
                if last and (scanned == request.limit or size > PAGE_SIZE_MAX):
                    return _page(found, scanned, {table.hash_name: write(last[0])})
                last = [item.hash_key]
                attributes = attributes_of(item)
                if program.condition is None or program.condition(attributes, request.values):
                    found.append(program.written(attributes))
        return _page(found, len(keyed) - place, None)

    def _query(
        self, index: Index, table: PlainTable, items: list[Any], request: SearchRequest, program: Program
    ) -> Answer:
        _check_key_condition(request, index)
        condition = program.condition
        if condition is None:
            raise UnsupportedError("a query without a key condition")
        with self._lock:
            # The keys' presence first: the index is sparse, and a look-up costs a hundredth of a condition.
            indexed = [
                attributes_of(item) for item in items if has(item, index.hash_name) and has(item, index.range_name)
            ]
            matching = [dict(attrs) for attrs in indexed if condition(attrs, request.values)]
        matching.sort(key=lambda attrs: (sort_key(attrs[index.range_name]), attrs[table.hash_name].value))
        if not request.forward:
            matching.reverse()
        names = (table.hash_name, index.hash_name, index.range_name)
        kept = matching[: request.limit]
        found = [
            {name: write(attrs[name]) for name in names} if index.keys_only else write_map(attrs) for attrs in kept
        ]
        more = len(kept) < len(matching)
        return _page(found, len(kept), {name: write(kept[-1][name]) for name in names} if more else None)

    def _in_turns(self, items: Sequence[Any]) -> Generator[Any]:
        """The items, each slice under the lock; what is done with an item is done while the lock is held."""
        for part in batched(items, SLICE, strict=False):
            with self._lock:
                yield from part
            self._let_others()


def _fields(text: str, scope: Scope) -> tuple[str, ...]:
    """The attributes of a projection; paths into documents are moto's."""
    tokens = Tokens(text)
    fields = []
    while True:
        path = scope.path(tokens.expect_path())
        if len(path) > 1 or path[0] in fields:
            raise UnsupportedError("projection of a document path, or of one attribute twice")
        fields.append(str(path[0]))
        if not tokens.accept(","):
            tokens.end()
            return tuple(fields)


def _check_key_condition(request: SearchRequest, index: Index) -> None:
    """Refuse what is not ``hash = :value`` or that AND a comparison of the range key.

    Raises:
        UnsupportedError: moto reads key conditions of other forms.
    """
    match = _KEY_CONDITION.fullmatch(request.key_condition or "")
    if not match:
        raise UnsupportedError("key condition")
    first, value, second, _, bound = match.groups()
    if request.names.get(first, first) != index.hash_name or request.values[value].type != "S":
        raise UnsupportedError("hash key of a key condition")
    if second is not None and (
        request.names.get(second, second) != index.range_name or request.values[bound].type != index.range_type
    ):
        raise UnsupportedError("range key of a key condition")


def _page(items: list[dict[str, Any]], scanned: int, last: Mapping[str, Any] | None) -> Answer:
    body: dict[str, Any] = {"Count": len(items), "Items": items, "ScannedCount": scanned}
    return Answer(body if last is None else body | {"LastEvaluatedKey": dict(last)})
