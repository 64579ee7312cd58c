"""SELECT: pages of a table or an index."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dlqlab.emulator.dynamodb.grammar import find as find_path
from dlqlab.emulator.dynamodb.operations.capacity import Consumed, read_units
from dlqlab.emulator.dynamodb.operations.key_conditions import Range
from dlqlab.emulator.dynamodb.operations.partiql import syntax
from dlqlab.emulator.dynamodb.operations.partiql.conditions import Where, check_projected, where_of
from dlqlab.emulator.dynamodb.operations.searches import find_page
from dlqlab.emulator.dynamodb.operations.tables import Find, Index, KeySchema, Table
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Attributes, read, write_map

_PARAMETERS = "One or more parameter values were invalid: "


def select(find: Find, statement: syntax.Select, members: Mapping[str, Any], consumed: Consumed) -> dict[str, Any]:
    """The answer to a SELECT.

    Args:
        find: the table of a name.
        statement: the statement.
        members: the request: ConsistentRead, Limit, NextToken, Statement.
        consumed: to which its units are added.

    Raises:
        InvalidError: DynamoDB refuses it.
    """
    table = find(statement.table)
    index = _index(table, statement, consistent=bool(members.get("ConsistentRead")))
    keys = index.keys if index else table.keys
    where = where_of(statement.where, keys)
    if index and where.hashes is not None:
        check_projected(index, statement.where)
    forward = _forward(statement, where, table, index)
    wanted = Range(where.hashes[0], None) if where.hashes and len(where.hashes) == 1 else None
    page = find_page(
        table,
        index,
        wanted=wanted,
        check=where.check,
        values={},
        start=_start(members),
        limit=members.get("Limit"),
        forward=forward,
        looked_at=where.keys,
    )
    units = read_units(page.size, consistent=bool(members.get("ConsistentRead")))
    consumed.add(table, *((0.0, {index.name: units}) if index else (units,)))
    projected = index is not None and (index.is_global or not statement.paths)
    found = [index.of(item) if index and projected else item for item in page.items]
    body: dict[str, Any] = {"Items": [write_map(selected(statement, item)) for item in found]}
    if page.last is not None:
        last = write_map(page.last)
        body |= {"NextToken": _token(members["Statement"], last), "LastEvaluatedKey": last}
    return body


def selected(statement: syntax.Select, item: Attributes) -> Attributes:
    """What is selected of an item, each by the last name of its path."""
    if not statement.paths:
        return item
    found = {str(path[-1]): find_path(item, path) for path in statement.paths}
    return {name: value for name, value in found.items() if value is not None}


def _index(table: Table, statement: syntax.Select, *, consistent: bool) -> Index | None:
    if statement.index is None:
        return None
    index = table.indexes.get(statement.index)
    if index is None:
        raise InvalidError("The table does not have the specified index")
    if index.is_global and consistent:
        raise InvalidError("Strongly consistent read is not supported on Global Secondary Indexes")
    if index.is_global and index.projected is not None:
        lacking = [str(path[0]) for path in statement.paths if path[0] not in index.projected]
        if lacking:
            raise InvalidError(
                f"{_PARAMETERS}Global secondary index {index.name} does not project [{', '.join(lacking)}]"
            )
    return index


def _forward(statement: syntax.Select, where: Where, table: Table, index: Index | None) -> bool:
    """Whether the items come in ascending order."""
    if not statement.order:
        return True
    keys: KeySchema = index.keys if index else table.keys
    if statement.where is None:
        raise InvalidError("Must have WHERE clause in the statement when using ORDER BY clause.")
    if where.hashes is None:
        raise InvalidError(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    ordered = dict(statement.order)
    for name in ordered:
        if name not in keys.names:
            raise InvalidError(f"Variable reference {name} in ORDER BY clause must be part of the primary key")
    if len(where.hashes) == 1:
        return not ordered.get(keys.range.name if keys.range else "", False)
    if keys.hash.name not in ordered:
        raise InvalidError(
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause."
        )
    if index or len(set(ordered.values())) > 1:
        raise InvalidError(
            "The emulator does not order several hash keys of an index, or keys in different directions. Select one "
            "hash key at a time."
        )
    return not any(ordered.values())


def _digest(statement: str) -> str:
    return hashlib.sha256(statement.encode()).hexdigest()[:16]


def _token(statement: str, last: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps({"statement": _digest(statement), "last": last}).encode()).decode()


def _start(members: Mapping[str, Any]) -> Attributes | None:
    """The key in the request's token."""
    token = members.get("NextToken")
    if token is None:
        return None
    try:
        held = json.loads(base64.b64decode(token, validate=True))
        statement, last = held["statement"], held["last"]
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise InvalidError("Invalid NextToken") from error
    if statement != _digest(members["Statement"]):
        raise InvalidError("NextToken does not match request")
    return {name: read(value, make) for name, value in last.items()}
