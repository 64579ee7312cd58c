"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from dlqlab.emulator.dynamodb.operations import transactions
from dlqlab.emulator.dynamodb.operations.capacity import Consumed, read_units
from dlqlab.emulator.dynamodb.operations.partiql import syntax
from dlqlab.emulator.dynamodb.operations.partiql.conditions import NO_FULL_KEY, check_of, full_key
from dlqlab.emulator.dynamodb.operations.partiql.parser import parse
from dlqlab.emulator.dynamodb.operations.partiql.selects import select, selected
from dlqlab.emulator.dynamodb.operations.partiql.updates import update
from dlqlab.emulator.dynamodb.operations.requests import Expressions
from dlqlab.emulator.dynamodb.operations.tables import NOT_FOUND, Find, Key, Table
from dlqlab.emulator.dynamodb.operations.writes import CONDITION_FAILED, Change, Write, check_keys_unchanged, returned
from dlqlab.emulator.dynamodb.stored import make
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Attributes, item_size, read, write_map

OPERATIONS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})
_ERROR_CODES = {
    NOT_FOUND: "ResourceNotFound",
    CONDITION_FAILED: "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
}
_MODES = {
    "ALL_OLD": "ALL_OLD",
    "ALL_NEW": "ALL_NEW",
    "MODIFIED_OLD": "UPDATED_OLD",
    "MODIFIED_NEW": "UPDATED_NEW",
}


def execute(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """ExecuteStatement's answer.

    Raises:
        InvalidError: DynamoDB refuses the statement.
    """
    statement = _parsed(members)
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    if isinstance(statement, syntax.Select):
        if statement.is_check:
            raise InvalidError("EXISTS can only be used in ExecuteTransaction write requests.")
        return {**select(find, statement, members, consumed), **consumed.one()}
    shown = _write(find, statement, members, consumed)
    return {"Items": [write_map(shown)] if shown else [], **consumed.one()}


def batch(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """BatchExecuteStatement's answer: a result or an error for each statement.

    Raises:
        InvalidError: DynamoDB refuses all of them.
    """
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    parsed = [_parsed_or_error(each) for each in members["Statements"]]
    _check_one_kind([each for each in parsed if not isinstance(each, InvalidError)], "BatchExecuteStatement")
    responses = []
    for each, statement in zip(members["Statements"], parsed, strict=True):
        try:
            responses.append(_batched(find, statement, each, consumed))
        except InvalidError as error:
            responses.append(_error(error, statement))
    return {"Responses": responses, **consumed.all()}


def transact(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """ExecuteTransaction's answer; all statements have been executed.

    Raises:
        InvalidError: DynamoDB refuses the request, or cancels the transaction; nothing has been changed.
    """
    given = members["TransactStatements"]
    statements = []
    for place, each in enumerate(given):
        try:
            statements.append(_transactional(each))
        except InvalidError as error:
            raise InvalidError(f"Validation failed in TransactStatements[{place}]: {error.message}") from error
    _check_one_kind(statements, "ExecuteTransaction")
    if all(isinstance(each, syntax.Select) and not each.is_check for each in statements):
        return _read_all(find, statements, members)
    plans: list[Write | InvalidError] = []
    for place, statement in enumerate(statements):
        try:
            plans.append(_planned(find, statement, given[place]))
        except InvalidError as error:
            if error.code == NOT_FOUND:
                raise
            raise InvalidError(f"Validation failed in TransactStatements[{place}]: {error.message}") from error
    return {"Responses": [{} for _ in plans], **transactions.commit(plans, members)}


def _parsed(members: Mapping[str, Any]) -> syntax.Statement:
    return parse(members["Statement"], [read(value, make) for value in members.get("Parameters") or ()])


def _parsed_or_error(members: Mapping[str, Any]) -> syntax.Statement | InvalidError:
    try:
        return _parsed(members)
    except InvalidError as error:
        return error


def _check_one_kind(statements: Sequence[syntax.Statement], operation: str) -> None:
    reads = [isinstance(each, syntax.Select) and not each.is_check for each in statements]
    if any(reads) and not all(reads):
        raise InvalidError(f"{operation} API does not support both read and write operations in the same request.")


def _transactional(members: Mapping[str, Any]) -> syntax.Statement:
    statement = _parsed(members)
    if isinstance(statement, (syntax.Update, syntax.Delete)) and statement.returning:
        raise InvalidError("RETURNING clause is not supported in ExecuteTransaction.")
    if isinstance(statement, syntax.Select) and statement.index:
        raise InvalidError(
            "Operations on indices are not supported in transactions"
            if statement.is_check
            else "Reads on indices are not supported within transactions."
        )
    return statement


def _batched(
    find: Find, statement: syntax.Statement | InvalidError, members: Mapping[str, Any], consumed: Consumed
) -> dict[str, Any]:
    if isinstance(statement, InvalidError):
        raise statement
    if isinstance(statement, syntax.Select):
        table, found = _single(find, statement, "BatchExecuteStatement")
        consumed.add(table, read_units(item_size(found or {}), consistent=bool(members.get("ConsistentRead"))))
        shown = selected(statement, found) if found else {}
    else:
        shown = _write(find, statement, members, consumed)
    return {"TableName": statement.table, **({"Item": write_map(shown)} if shown else {})}


def _error(error: InvalidError, statement: syntax.Statement | InvalidError) -> dict[str, Any]:
    found = {"Code": _ERROR_CODES.get(error.code, "ValidationError"), "Message": error.message, **error.members}
    table = {} if isinstance(statement, InvalidError) else {"TableName": statement.table}
    return {"Error": found, **table}


def _read_all(find: Find, statements: Sequence[syntax.Statement], members: Mapping[str, Any]) -> dict[str, Any]:
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    responses = []
    for place, statement in enumerate(statements):
        if not isinstance(statement, syntax.Select):
            continue
        try:
            table, found = _single(find, statement, "ExecuteTransaction")
        except InvalidError as error:
            if error.code == NOT_FOUND:
                raise
            raise InvalidError(f"Validation failed in TransactStatements[{place}]: {error.message}") from error
        consumed.add(table, read_units(item_size(found or {}), consistent=True, transaction=True))
        responses.append({"Item": write_map(selected(statement, found))} if found else {})
    return {"Responses": responses, **consumed.all("Read")}


def _single(find: Find, statement: syntax.Select, operation: str) -> tuple[Table, Attributes | None]:
    """The one item that a SELECT names, or None."""
    table = find(statement.table)
    named = None if statement.index else full_key(table, statement.where)
    if named is None:
        raise InvalidError(f"Select statements within {operation} must specify the primary key in the where clause.")
    key, rest = named
    check = check_of(syntax.Joined("AND", tuple(rest)))
    found = table.attributes(key)
    return table, found if found is not None and check(found, {}) else None


def _write(find: Find, statement: syntax.Statement, members: Mapping[str, Any], consumed: Consumed) -> Attributes:
    """Execute a statement that writes; what it returns of the item."""
    planned = _planned(find, statement, members)
    change = _change(planned)
    consumed.write(change.table, change.old, change.new)
    mode = getattr(statement, "returning", None)
    shown = returned(_MODES[mode], change, planned.expressions) if mode else {}
    change.commit()
    return shown


def _change(planned: Write) -> Change:
    """What a write changes; deleting what is not there changes nothing, whatever the condition."""
    if planned.action == "Delete" and planned.table.attributes(planned.key) is None:
        return Change(planned.table, planned.key, None, None, written=False)
    return planned.change()


def _planned(find: Find, statement: syntax.Statement, members: Mapping[str, Any]) -> Write:
    """The write of a statement, checked as far as it can be without the item."""
    table = find(statement.table)
    shows_item = members.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    if isinstance(statement, syntax.Insert):
        return _insert(table, statement, shows_item=shows_item)
    named = full_key(table, statement.where)
    if named is None:
        raise InvalidError(
            "EXISTS() must contain a single item read with additional condition"
            if isinstance(statement, syntax.Select)
            else NO_FULL_KEY
        )
    key, rest = named
    if isinstance(statement, syntax.Select) and not rest:
        raise InvalidError("EXISTS() must contain a single item read with additional condition")
    expressions = Expressions(
        values={},
        condition=check_of(syntax.Joined("AND", tuple(rest))) if rest else None,
        update=update(statement) if isinstance(statement, syntax.Update) else None,
    )
    check_keys_unchanged(table, expressions)
    return Write(
        action={syntax.Update: "Update", syntax.Delete: "Delete"}.get(type(statement), "ConditionCheck"),
        table=table,
        key=key,
        given=_key_attributes(table, key),
        expressions=expressions,
        shows_item=shows_item,
        must_exist=isinstance(statement, syntax.Update),
    )


def _insert(table: Table, statement: syntax.Insert, *, shows_item: bool) -> Write:
    for part in table.keys.parts:
        if part.name not in statement.item:
            raise InvalidError(f"Key attribute should be present in the item: Key {part.name}")
        if statement.item[part.name].type != part.type:
            raise InvalidError(
                f"Key attribute's data type should match its data type in table's schema: Key {part.name}"
            )
    key = table.key_in(statement.item)
    table.check_item(statement.item)
    return Write(
        action="Put",
        table=table,
        key=key,
        given=statement.item,
        expressions=Expressions(values={}),
        shows_item=shows_item,
        must_be_new=True,
    )


def _key_attributes(table: Table, key: Key) -> Attributes:
    return {part.name: value for part, value in zip(table.keys.parts, key, strict=False) if value is not None}
