"""Query and Scan of tables and indexes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.utilities.utils import md5_hash

from dlqlab.emulator.dynamodb.conditions import Check
from dlqlab.emulator.dynamodb.operations.capacity import Consumed, read_units
from dlqlab.emulator.dynamodb.operations.key_conditions import Range
from dlqlab.emulator.dynamodb.operations.legacy import modern
from dlqlab.emulator.dynamodb.operations.names import FILTER, KEY_CONDITION, PROJECTION
from dlqlab.emulator.dynamodb.operations.projections import Projection
from dlqlab.emulator.dynamodb.operations.requests import Expressions, attributes, compile_request
from dlqlab.emulator.dynamodb.operations.tables import Find, Index, KeySchema, Table
from dlqlab.emulator.dynamodb.search import PAGE_SIZE_MAX
from dlqlab.emulator.dynamodb.tables import attributes_of
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Attributes, Value, equal, item_size, sort_key, write_map

_PARAMETERS = "One or more parameter values were invalid: "
_START_INVALID = "The provided starting key is invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a search found, up to a limit."""

    items: list[Attributes]
    """Whole items."""
    scanned: int
    last: Attributes | None
    """The key after which the next page begins."""
    size: int
    """Bytes read."""


def search(operation: str, find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of Query or Scan.

    Raises:
        InvalidError: DynamoDB refuses the request.
    """
    is_query = operation == "Query"
    expected = (FILTER, PROJECTION, KEY_CONDITION) if is_query else (FILTER, PROJECTION)
    members = modern(members, expected)
    expressions = compile_request(members, *expected)
    start = attributes(members, "ExclusiveStartKey") or None
    select = _select(members)
    _check_segments(members)
    table = find(members["TableName"])
    index = table.index(members.get("IndexName"))
    keys = index.keys if index else table.keys
    _check_index(members, index, expressions, select)
    if is_query and expressions.key_condition is None:
        raise InvalidError(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    wanted = None
    if is_query and expressions.key_condition:
        wanted = expressions.key_condition.of(keys, expressions.values)
        _check_filter(expressions, keys, index)
    _check_start(start, table, index, wanted)
    page = find_page(
        table,
        index,
        wanted=wanted,
        check=expressions.filter,
        values=expressions.values,
        start=start,
        limit=members.get("Limit"),
        forward=members.get("ScanIndexForward", True),
        segment=(members["Segment"], members["TotalSegments"]) if "Segment" in members else None,
    )
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    units = read_units(page.size, consistent=bool(members.get("ConsistentRead")))
    consumed.add(table, *((0.0, {index.name: units}) if index else (units,)))
    return {**_answer(page, index, expressions.projection, select), **consumed.one()}


def find_page(
    table: Table,
    index: Index | None,
    *,
    wanted: Range | None,
    check: Check | None,
    values: Attributes,
    start: Attributes | None,
    limit: int | None,
    forward: bool = True,
    segment: tuple[int, int] | None = None,
    looked_at: Check | None = None,
) -> Page:
    """A page of the items of a table or an index in their order.

    Args:
        table: whose items.
        index: of the table, or None.
        wanted: which keys; None for all.
        check: the filter, of what the index holds.
        values: of the filter.
        start: the key after which the page begins.
        limit: items that are looked at, at most.
        forward: in ascending order of the range key.
        segment: number of the part and of all parts; None for all of them.
        looked_at: what an item must fulfil to be looked at; of keys alone.
    """
    found = _ordered(table, index, wanted, segment)
    if looked_at is not None:
        found = [pair for pair in found if looked_at(pair[1], {})]
    if not forward:
        found.reverse()
    order = _order(table, index, wanted)
    if start is not None:
        after = order(start)
        found = [pair for pair in found if (pair[0] > after if forward else pair[0] < after)]
    items: list[Attributes] = []
    scanned = size = 0
    last: Attributes | None = None
    for _, item in found:
        held = index.of(item) if index else item
        grown = size + item_size(held)
        if last is not None and (scanned == limit or grown > PAGE_SIZE_MAX):
            return Page(items=items, scanned=scanned, last=_key(table, index, last), size=size)
        scanned, size, last = scanned + 1, grown, item
        if check is None or check(held, values):
            items.append(item)
    return Page(items=items, scanned=scanned, last=None, size=size)


def _ordered(
    table: Table, index: Index | None, wanted: Range | None, segment: tuple[int, int] | None
) -> list[tuple[Any, Attributes]]:
    """The items in ascending order, each with what it is ordered by."""
    keys, order = index.keys if index else table.keys, _order(table, index, wanted)
    items: Iterable[Any] = table.all()
    if wanted is not None and index is None:
        found = table.moto.items.get(wanted.hash)
        items = [] if found is None else [found] if keys.range is None else list(found.values())
    pairs = []
    for item in items:
        held = attributes_of(item)
        if index and not index.holds(held):
            continue
        if segment and md5_hash(str(item.hash_key.value).encode()).digest()[0] % segment[1] != segment[0]:
            continue
        if wanted is None or _is_wanted(held, wanted, keys):
            pairs.append((order(held), held))
    pairs.sort(key=lambda pair: pair[0])
    return pairs


def _is_wanted(item: Attributes, wanted: Range, keys: KeySchema) -> bool:
    if not equal(item[keys.hash.name], wanted.hash):
        return False
    return wanted.test is None or keys.range is None or wanted.test(item[keys.range.name])


def _order(table: Table, index: Index | None, wanted: Range | None) -> Any:
    """What items are ordered by: the index's range key in a query of it, then the table's keys."""
    names = list(table.keys.names)
    if index and index.keys.range and wanted:
        names.insert(0, index.keys.range.name)
    return lambda item: tuple(sort_key(item[name]) for name in names)


def _key(table: Table, index: Index | None, item: Attributes) -> Attributes:
    names = dict.fromkeys((*table.keys.names, *(index.keys.names if index else ())))
    return {name: item[name] for name in names}


def _answer(page: Page, index: Index | None, projection: Projection | None, select: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"Count": len(page.items), "ScannedCount": page.scanned}
    if page.last is not None:
        body["LastEvaluatedKey"] = write_map(page.last)
    if select == "COUNT":
        return body
    whole = index is None or (not index.is_global and (select == "ALL_ATTRIBUTES" or projection))
    shown = [item if whole or index is None else index.of(item) for item in page.items]
    return body | {"Items": [write_map(projection.of(item) if projection else item) for item in shown]}


def _select(members: Mapping[str, Any]) -> str | None:
    select: str | None = members.get("Select")
    if members.get(PROJECTION) is not None and select not in {None, "SPECIFIC_ATTRIBUTES"}:
        raise InvalidError(f"Cannot specify the {PROJECTION} when choosing to get {select}")
    if select == "SPECIFIC_ATTRIBUTES" and members.get(PROJECTION) is None:
        raise InvalidError(
            f"{_PARAMETERS}Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and members.get("IndexName") is None:
        raise InvalidError(f"{_PARAMETERS}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    return select


def _check_segments(members: Mapping[str, Any]) -> None:
    segment, total = members.get("Segment"), members.get("TotalSegments")
    if segment is None and total is None:
        return
    if total is None:
        raise InvalidError(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
            "present"
        )
    if segment is None:
        raise InvalidError(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
            "present"
        )
    if segment >= total:
        raise InvalidError(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )


def _check_index(members: Mapping[str, Any], index: Index | None, expressions: Expressions, select: str | None) -> None:
    if index is None or not index.is_global:
        return
    if members.get("ConsistentRead"):
        raise InvalidError("Consistent reads are not supported on global secondary indexes")
    if index.projected is None:
        return
    if select == "ALL_ATTRIBUTES":
        raise InvalidError(
            f"{_PARAMETERS}Select type ALL_ATTRIBUTES is not supported for global secondary index {index.name} because "
            "its projection type is not ALL"
        )
    lacking = [
        name for name in (expressions.projection.roots if expressions.projection else ()) if name not in index.projected
    ]
    if lacking:
        raise InvalidError(f"{_PARAMETERS}Global secondary index {index.name} does not project [{', '.join(lacking)}]")


def _check_filter(expressions: Expressions, keys: KeySchema, index: Index | None) -> None:
    if index and index.projected is not None:
        lacking = sorted(expressions.filter_roots - index.projected)
        if lacking:
            kind = "Global" if index.is_global else "Local"
            raise InvalidError(
                f"{_PARAMETERS}{kind} secondary index {index.name} does not project one or more filter attributes: "
                f"[{', '.join(lacking)}]"
            )
    for name in keys.names:
        if name in expressions.filter_roots:
            raise InvalidError(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: " + name
            )


def _check_start(start: Attributes | None, table: Table, index: Index | None, wanted: Range | None) -> None:
    """Refuse a start that no page of the search can have ended with."""
    if start is None:
        return
    types = {part.name: part.type for part in (*table.keys.parts, *(index.keys.parts if index else ()))}
    if start.keys() != types.keys() or any(start[name].type != kind for name, kind in types.items()):
        if len(start) != len(types) and index is None and wanted is None:
            raise InvalidError(
                "The provided starting key is invalid: The provided key element does not match the schema"
            )
        raise InvalidError(_START_INVALID)
    keys = index.keys if index else table.keys
    if wanted is not None and not _is_wanted(start, wanted, keys):
        outside: Value = start[keys.hash.name]
        raise InvalidError(
            "The provided starting key is outside query boundaries based on provided conditions"
            if equal(outside, wanted.hash)
            else _START_INVALID
        )
