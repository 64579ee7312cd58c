"""BreakerStore on DynamoDB: one item for each dependency.

name S  state S  since N  window N  calls N  failures N
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.breaker import BreakerRecord, BreakerState
from chalicelib.conditions import refusal_of
from taskrules.store import StoreError
from taskrules.wire import from_item, to_item

if TYPE_CHECKING:  # the stubs are not part of the bundle
    from mypy_boto3_dynamodb import DynamoDBClient

BREAKER_ID = "dependency"
_NAMES = {"#state": "state", "#window": "window", "#since": "since"}


class DynamoBreakerStore:
    """The breakers' table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read(self) -> BreakerRecord:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key=to_item({"breakerId": BREAKER_ID}), ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise StoreError(f"{self._table} cannot be read: {error}") from error
        return _record(answer.get("Item"))

    def count(self, *, window: int, is_failure: bool) -> BreakerRecord:
        call = {":window": window, ":closed": BreakerState.CLOSED, ":failure": int(is_failure), ":one": 1}
        found = self._update("ADD calls :one, failures :failure", "#state = :closed AND #window = :window", call)
        if isinstance(found, dict):
            return _record(found)
        # Not counted: another state, or the first call of its window.
        begin = "SET #state = :closed, #window = :window, calls = :one, failures = :failure"
        is_new = "attribute_not_exists(#state) OR (#state = :closed AND #window < :window)"
        found = self._update(begin, is_new, call)
        return _record(found) if isinstance(found, dict) else self.read()

    def move(self, seen: BreakerRecord, to: BreakerState, *, now: float) -> bool:
        values = {":seen": seen.state, ":since": seen.since_ts, ":to": to, ":now": now}
        unmoved = "#state = :seen AND (attribute_not_exists(#since) OR #since = :since)"
        update = "SET #state = :to, #since = :now REMOVE #window, calls, failures"
        if to is BreakerState.CLOSED:
            update, values[":zero"] = "SET #state = :to, #since = :now, #window = :zero REMOVE calls, failures", 0
        return isinstance(self._update(update, unmoved, values), dict)

    def _update(self, update: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The item after the update; None where the condition refused it."""
        names = {name: real for name, real in _NAMES.items() if name in update + condition}
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=to_item({"breakerId": BREAKER_ID}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
            )
        except (ClientError, BotoCoreError) as error:
            refusal_of(error, f"{self._table} cannot be written")
            return None
        return dict(answer["Attributes"])


def _record(item: Mapping[str, Any] | None) -> BreakerRecord:
    values = from_item(item or {})
    return BreakerRecord(
        state=BreakerState(values.get("state", BreakerState.CLOSED)),
        since_ts=values.get("since", 0.0),
        window=int(values.get("window", 0)),
        calls=int(values.get("calls", 0)),
        failures=int(values.get("failures", 0)),
    )
