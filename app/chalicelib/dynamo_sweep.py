"""SweepStore on DynamoDB: the index of pending tasks, and the search for stranded ones."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.dynamo import DynamoTaskStore
from taskrules import requests
from taskrules.items import PENDING_SHARDS, task_of
from taskrules.store import StoreError
from taskrules.tasks import Task


class DynamoSweepStore(DynamoTaskStore):
    """The task table, searched."""

    def pending(self, *, before_ts: float, limit: int) -> list[str]:
        found: list[str] = []
        for shard in range(PENDING_SHARDS):
            if len(found) < limit:
                found += self._pending_of(str(shard), before_ts, limit - len(found))
        return found

    def stranded(self, *, before_ts: float) -> Iterator[Task]:
        request = requests.stranded(self._table, before_ts=before_ts)
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
        return self._update(task.task_id, requests.take_stranded(self._table, task, token=token, now=now)).done

    def _pending_of(self, shard: str, before_ts: float, limit: int) -> list[str]:
        try:
            page = self._client.query(**requests.pending(self._table, shard, before_ts=before_ts, limit=limit))
        except (ClientError, BotoCoreError) as error:
            raise StoreError(f"{self._table} does not say what is pending: {error}") from error
        return [item["taskId"]["S"] for item in page["Items"]]
