"""SweepStore on DynamoDB: the index of pending tasks, and the search for stranded ones."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.dynamo import DynamoTaskStore
from chalicelib.items import PENDING_SHARDS, pending_shard, task_of
from chalicelib.store import StoreError
from chalicelib.tasks import Status, Task
from chalicelib.wire import to_item

PENDING_INDEX = "pending"
_OVERDUE = (
    "attribute_not_exists(pendingBy) AND ((#status = :queued AND updatedAt < :before) "
    "OR (#status = :retrying AND notBefore < :before) OR (#status = :processing AND leaseUntil < :before))"
)


class DynamoSweepStore(DynamoTaskStore):
    """The task table, searched."""

    def pending(self, *, before_ts: float, limit: int) -> list[str]:
        found: list[str] = []
        for shard in range(PENDING_SHARDS):
            if len(found) < limit:
                found += self._pending_of(str(shard), before_ts, limit - len(found))
        return found

    def stranded(self, *, before_ts: float) -> Iterator[Task]:
        # A scan: an index of live tasks would cost every task two writes more, for a search that seldom finds any.
        request: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": _OVERDUE,
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": to_item(
                {
                    ":queued": Status.QUEUED,
                    ":retrying": Status.RETRYING,
                    ":processing": Status.PROCESSING,
                    ":before": before_ts,
                }
            ),
        }
        while True:
            try:
                page = self._client.scan(**request)
            except (ClientError, BotoCoreError) as error:
                raise StoreError(f"{self._table} cannot be searched: {error}") from error
            yield from (task_of(item) for item in page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def take_stranded(self, task: Task, *, token: str, now: float) -> bool:
        return self._update(
            task.task_id,
            "SET pendingShard = :shard, pendingSince = :now, pendingBy = :token, updatedAt = :now",
            "updatedAt = :seen AND #status = :status AND attribute_not_exists(pendingBy)",
            {
                ":shard": pending_shard(task.task_id),
                ":now": now,
                ":token": token,
                ":seen": task.updated_ts,
                ":status": task.status,
            },
        ).done

    def _pending_of(self, shard: str, before_ts: float, limit: int) -> list[str]:
        try:
            page = self._client.query(
                TableName=self._table,
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pendingShard = :shard AND pendingSince < :before",
                ExpressionAttributeValues=to_item({":shard": shard, ":before": before_ts}),
                Limit=limit,
            )
        except (ClientError, BotoCoreError) as error:
            raise StoreError(f"{self._table} does not say what is pending: {error}") from error
        return [item["taskId"]["S"] for item in page["Items"]]
