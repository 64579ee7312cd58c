"""TransactGetItems and TransactWriteItems, and the tokens by which a repeated one is known."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlqlab.emulator.dynamodb.operations.capacity import Consumed, read_units
from dlqlab.emulator.dynamodb.operations.items import item_collection
from dlqlab.emulator.dynamodb.operations.names import CONDITION, PROJECTION, UPDATE
from dlqlab.emulator.dynamodb.operations.requests import attributes, compile_request
from dlqlab.emulator.dynamodb.operations.tables import NOT_VALID, Find
from dlqlab.emulator.dynamodb.operations.writes import CONDITION_FAILED, Change, Write, write_of
from dlqlab.emulator.dynamodb.unsupported import VALIDATION, InvalidError
from dlqlab.emulator.dynamodb.values import item_size, write_map

TOKEN_KEPT_S = 600
"""How long a token is known ("TransactWriteItems", API reference: 10 minutes)."""
SIZE_MAX = 4 * 1024 * 1024
"""Bytes of all items of a transaction."""
CANCELED = "TransactionCanceledException"
_REASONS = {
    CONDITION_FAILED: "ConditionalCheckFailed",
    VALIDATION: "ValidationError",
    "DuplicateItemException": "DuplicateItem",
}


class Tokens:
    """The client request tokens of the last minutes, each with what was asked and answered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Args:
        clock: seconds, not going back.
        """
        self._clock = clock
        self._known: OrderedDict[tuple[str, ...], tuple[float, str, dict[str, Any]]] = OrderedDict()

    def once(
        self, scope: tuple[str, ...], token: str | None, content: object, run: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The answer of a transaction, which is not run again if it has run with this token.

        Args:
            scope: operation, account and region.
            token: the client's; None runs the transaction in any case.
            content: all that makes the request what it is, as JSON.
            run: runs it.

        Raises:
            InvalidError: the token was used with another content.
        """
        now = self._clock()
        while self._known and now - next(iter(self._known.values()))[0] >= TOKEN_KEPT_S:
            self._known.popitem(last=False)
        if token is None:
            return run()
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        known = self._known.get((*scope, token))
        if known is None:
            answer = run()
            self._known[*scope, token] = now, digest, answer
            return answer
        if known[1] != digest:
            raise InvalidError(
                "Idempotent parameters provided in the request do not match those of the request that used the token "
                f"{token} first",
                "IdempotentParameterMismatchException",
            )
        return known[2]


def get(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """TransactGetItems' answer.

    Raises:
        InvalidError: DynamoDB refuses the request.
    """
    plans = []
    reasons: list[InvalidError | None] = []
    for each in members["TransactItems"]:
        request = each["Get"]
        projection = compile_request(request, PROJECTION).projection
        given = attributes(request, "Key")
        table = find(request["TableName"])
        try:
            plans.append((table, table.key_of(given), projection))
            reasons.append(None)
        except InvalidError as error:
            reasons.append(error)
    refuse(reasons)
    if len({(table.name, key) for table, key, _ in plans}) < len(plans):
        raise InvalidError("Transaction request cannot include multiple operations on one item")
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    responses = []
    for table, key, projection in plans:
        item = table.attributes(key)
        consumed.add(table, read_units(item_size(item or {}), consistent=True, transaction=True))
        responses.append({} if item is None else {"Item": write_map(projection.of(item) if projection else item)})
    return {"Responses": responses, **consumed.all("Read")}


def write(find: Find, members: Mapping[str, Any]) -> dict[str, Any]:
    """TransactWriteItems' answer; the writes have been made.

    Raises:
        InvalidError: DynamoDB refuses the request, or cancels the transaction; nothing has been changed.
    """
    plans = [_plan(find, each) for each in members["TransactItems"]]
    return commit(plans, members)


def commit(plans: Sequence[Write | InvalidError], members: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a transaction of these writes, which have been made; an error stands for a write that is invalid.

    Raises:
        InvalidError: DynamoDB refuses the request, or cancels the transaction; nothing has been changed.
    """
    writes = [each for each in plans if isinstance(each, Write)]
    targets = [(each.table.name, each.key) for each in writes]
    if len(set(targets)) < len(targets):
        raise InvalidError("Transaction request cannot include multiple operations on one item")
    outcomes = [_outcome(each) for each in plans]
    refuse([each if isinstance(each, InvalidError) else None for each in outcomes])
    changes = [each for each in outcomes if isinstance(each, Change)]
    if sum(item_size(each.new or {}) for each in changes) > SIZE_MAX:
        raise InvalidError("Transaction payload size has exceeded the maximum allowed size")
    consumed = Consumed(members.get("ReturnConsumedCapacity", "NONE"))
    metrics: dict[str, list[Any]] = {}
    for planned, change in zip(writes, changes, strict=True):
        consumed.write(change.table, change.old, change.new, factor=2.0)
        collection = item_collection(planned.table, planned.given, members)
        if collection:
            metrics.setdefault(planned.table.name, []).append(collection)
    for change in changes:
        change.commit()
    return {**consumed.all("Write"), **({"ItemCollectionMetrics": metrics} if metrics else {})}


def refuse(reasons: Sequence[InvalidError | None]) -> None:
    """Cancel a transaction of which an action failed.

    Raises:
        InvalidError: TransactionCanceledException with a reason for each action.
    """
    if not any(reasons):
        return
    found = [_reason(each) for each in reasons]
    codes = ", ".join(each["Code"] for each in found)
    raise InvalidError(
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CANCELED,
        {"CancellationReasons": found},
    )


def _reason(error: InvalidError | None) -> dict[str, Any]:
    if error is None:
        return {"Code": "None"}
    return {"Code": _REASONS.get(error.code, "ValidationError"), "Message": error.message, **error.members}


def _outcome(planned: Write | InvalidError) -> Change | InvalidError:
    if isinstance(planned, InvalidError):
        return planned
    try:
        return planned.change()
    except InvalidError as error:
        return error


def _plan(find: Find, each: Mapping[str, Any]) -> Write | InvalidError:
    """The write of an action, or why its item or key is invalid; all other errors are the request's."""
    if len(each) != 1:
        raise InvalidError("TransactItems can only contain one of Check, Put, Update or Delete")
    action, members = next(iter(each.items()))
    compile_request(members, *((UPDATE, CONDITION) if action == "Update" else (CONDITION,)))
    attributes(members, "Item" if action == "Put" else "Key")
    find(members["TableName"])
    try:
        return write_of(action, find, members)
    except InvalidError as error:
        if error.message.startswith(NOT_VALID):
            raise
        return error
