"""Which operation is served by what, and the answer."""

import json
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any

from localstack.aws.spec import load_service

from dlqlab.emulator.dynamodb.operations import batches, descriptions, items, searches, transactions
from dlqlab.emulator.dynamodb.operations.partiql import operations as partiql
from dlqlab.emulator.dynamodb.operations.shapes import check
from dlqlab.emulator.dynamodb.operations.tables import Find, find_table
from dlqlab.emulator.dynamodb.single_item import Answer
from dlqlab.emulator.dynamodb.unsupported import InvalidError, UnsupportedError

OPERATIONS = frozenset(
    {
        *items.ACTIONS,
        "GetItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "ListTables",
        "TransactGetItems",
        "TransactWriteItems",
        *partiql.OPERATIONS,
    }
)
"""Operations on items, and the list of tables, which are served here."""
CHECKED = descriptions.TABLES | descriptions.TTL
"""Operations on tables, which moto serves; checked here first, and their answers are made DynamoDB's."""


_NO_UNICODE = "A text holds half of a surrogate pair, which is not Unicode"


class Engine:
    """DynamoDB's operations on items, in full."""

    def __init__(self, lock: Lock) -> None:
        """Args:
        lock: held while an operation is served; whoever else reads or writes items holds it too.
        """
        self._lock = lock
        self._service = load_service("dynamodb")
        self._tokens = transactions.Tokens()

    def answer(self, operation: str, body: bytes, account_id: str, region: str) -> Answer:
        """Serve a call of one of OPERATIONS; a refusal is an answer too.

        Raises:
            UnsupportedError: moto must serve it; nothing has been changed.
        """
        try:
            members = self._members(operation, body)
            with self._lock:
                return Answer(self._serve(operation, members, account_id, region))
        except InvalidError as error:
            return Answer(error.members, error=error)
        except UnicodeEncodeError:
            return Answer({}, error=InvalidError(_NO_UNICODE, "SerializationException"))

    def check(self, operation: str, body: bytes, account_id: str, region: str) -> Answer | None:
        """The refusal of a call of one of CHECKED, or None: moto may serve it. The caller holds the lock."""
        try:
            members = self._members(operation, body)
            table = descriptions.moto_table(account_id, region, members["TableName"])
            descriptions.check(operation, table, members)
        except InvalidError as error:
            return Answer(error.members, error=error)
        return None

    def _members(self, operation: str, body: bytes) -> dict[str, Any]:
        try:
            members = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise InvalidError("The request body is not JSON", "SerializationException") from error
        if not isinstance(members, dict):
            raise InvalidError("Unexpected field type", "SerializationException")
        given = {name: value for name, value in members.items() if value is not None}
        check(self._service.operation_model(operation).input_shape, given)
        return given

    def _serve(self, operation: str, members: dict[str, Any], account_id: str, region: str) -> Mapping[str, Any]:
        find: Find = partial(find_table, account_id, region)
        if operation == "ListTables":
            return descriptions.list_tables(account_id, region, members)
        if operation in items.ACTIONS:
            return items.write(operation, find, members)
        if operation in {"Query", "Scan"}:
            return searches.search(operation, find, members)
        if operation in {"TransactWriteItems", "ExecuteTransaction"}:
            is_statements = operation == "ExecuteTransaction"
            run = partial(partiql.transact if is_statements else transactions.write, find, members)
            return self._tokens.once(
                (operation, account_id, region),
                members.get("ClientRequestToken"),
                members["TransactStatements" if is_statements else "TransactItems"],
                run,
            )
        serve = {
            "GetItem": items.get,
            "BatchGetItem": batches.get,
            "BatchWriteItem": batches.write,
            "TransactGetItems": transactions.get,
            "ExecuteStatement": partiql.execute,
            "BatchExecuteStatement": partiql.batch,
        }.get(operation)
        if serve is None:
            raise UnsupportedError(operation)
        return serve(find, members)
