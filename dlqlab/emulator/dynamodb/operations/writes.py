"""One change of one item: checked as far as it can be, then against the item, then made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.dynamodb.operations.names import CONDITION, UPDATE
from dlqlab.emulator.dynamodb.operations.projections import Projection
from dlqlab.emulator.dynamodb.operations.requests import Expressions, attributes, compile_request
from dlqlab.emulator.dynamodb.operations.tables import Find, Key, Table
from dlqlab.emulator.dynamodb.unsupported import InvalidError
from dlqlab.emulator.dynamodb.values import Attributes, Value, write_map

CONDITION_FAILED = "ConditionalCheckFailedException"
_FAILED = "The conditional request failed"


@dataclass(frozen=True, slots=True)
class Change:
    """What a write makes of an item; None means that there is none."""

    table: Table
    key: Key
    old: Attributes | None
    new: Attributes | None
    written: bool = True

    def commit(self) -> None:
        """Make it so."""
        if not self.written:
            return
        if self.new is None:
            self.table.delete(self.key)
        else:
            self.table.put(self.key, self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write as requested: Put, Update, Delete or ConditionCheck."""

    action: str
    table: Table
    key: Key
    given: Attributes
    """The item of a Put, the key of all others."""
    expressions: Expressions
    shows_item: bool = False
    """Whether a failed condition shows the item."""
    must_exist: bool = False
    must_be_new: bool = False

    def change(self) -> Change:
        """What it makes of the item that is there now.

        Raises:
            InvalidError: its condition fails, or its update does not fit the item.
        """
        old = self.table.attributes(self.key)
        if self.must_be_new and old is not None:
            raise InvalidError("Duplicate primary key exists in table", "DuplicateItemException")
        if (self.must_exist and old is None) or not self.expressions.holds(old or {}):
            members = {"Item": write_map(old)} if old and self.shows_item else {}
            raise InvalidError(_FAILED, CONDITION_FAILED, members)
        if self.action == "Put":
            return Change(self.table, self.key, old, self.given)
        if self.action == "Delete":
            return Change(self.table, self.key, old, None)
        if self.action == "ConditionCheck":
            return Change(self.table, self.key, old, old, written=False)
        return self._updated(old)

    def _updated(self, old: Attributes | None) -> Change:
        update = self.expressions.update
        if update is None:
            new: dict[str, Value] = dict(old or self.given)
        else:
            new = update.apply(old or {}, self.expressions.values)
            if old is None and not update.makes_item:
                return Change(self.table, self.key, None, None, written=False)
            new |= self.given
        self.table.check_item(new, is_update=True)
        return Change(self.table, self.key, old, new)


def write_of(action: str, find: Find, members: Mapping[str, Any]) -> Write:
    """The write that a request, or an action of a transaction, describes.

    Raises:
        InvalidError: DynamoDB refuses it, whatever the item.
    """
    expected = (UPDATE, CONDITION) if action == "Update" else (CONDITION,)
    expressions = compile_request(members, *expected)
    given = attributes(members, "Item" if action == "Put" else "Key")
    table = find(members["TableName"])
    if action == "Put":
        key = table.key_in(given)
        table.check_item(given)
    else:
        key = table.key_of(given)
        check_keys_unchanged(table, expressions)
    return Write(
        action=action,
        table=table,
        key=key,
        given=given,
        expressions=expressions,
        shows_item=members.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
    )


def check_keys_unchanged(table: Table, expressions: Expressions) -> None:
    """Refuse an update that writes to the key.

    Raises:
        InvalidError: as described.
    """
    roots = expressions.update.roots if expressions.update else frozenset()
    for name in table.keys.names:
        if name in roots:
            raise InvalidError(
                f"One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of "
                "the key"
            )


def returned(mode: str, change: Change, expressions: Expressions) -> Attributes:
    """The attributes that ReturnValues asks for."""
    old, new = change.old or {}, change.new or {}
    if mode == "ALL_OLD":
        return old
    if mode == "ALL_NEW":
        return new
    update = expressions.update
    if update is None or mode == "NONE":
        return {}
    if mode == "UPDATED_OLD":
        return Projection(tuple(action.path for action in update.actions)).of(old)
    return Projection(tuple(action.path for action in update.actions if action.clause != "REMOVE")).of(new)
