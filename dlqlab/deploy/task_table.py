"""A stage's task table, written to from outside of its functions: by the rules that they follow themselves."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from taskrules import requests
from taskrules.items import task_of
from taskrules.requests import Request, requeued_by
from taskrules.store import Outcome, StoreError
from taskrules.tasks import Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class TaskTable:
    """Every method may raise StoreError; see taskrules.store.TaskStore for what they do."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, task_id: str) -> Task | None:
        try:
            answer = self._client.get_item(**requests.get(self._table, task_id))
        except (ClientError, BotoCoreError) as error:
            raise StoreError(f"task {task_id} cannot be read: {error}") from error
        item = answer.get("Item")
        return task_of(item) if item else None

    def requeue(self, task: Task, *, reason: str, token: str, now: float) -> Outcome:
        request = requests.requeue(self._table, task, reason=reason, token=token, now=now)
        return requeued_by(self._update(task.task_id, request), token, task.generation)

    def adopt(self, task_id: str, *, expected: str, token: str, now: float) -> bool:
        return self._update(task_id, requests.adopt(self._table, task_id, expected=expected, token=token, now=now)).done

    def mark_enqueued(self, task_id: str, *, token: str, now: float) -> None:
        self._update(task_id, requests.mark_enqueued(self._table, task_id, token=token, now=now))

    def close(self, task: Task, *, error_type: str, error_message: str, now: float) -> Outcome:
        request = requests.close(self._table, task, error_type=error_type, error_message=error_message, now=now)
        return self._update(task.task_id, request)

    def _update(self, task_id: str, request: Request) -> Outcome:
        """Done, with the task where the request asks for it; or refused by its condition, with the task as it is."""
        try:
            answer = self._client.update_item(**request)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == requests.CONDITION_FAILED:
                return Outcome(done=False, task=self.get(task_id))
            raise StoreError(f"task {task_id} cannot be written: {error}") from error
        item = answer.get("Attributes")
        return Outcome(done=True, task=task_of(item) if item else None)
