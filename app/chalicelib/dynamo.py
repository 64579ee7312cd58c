"""TaskStore and Archive on DynamoDB: sends the requests of taskrules.requests and reads their answers."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.conditions import refusal_of
from taskrules import requests
from taskrules.items import task_of
from taskrules.requests import Request, ended_by, requeued_by
from taskrules.store import ArchivedMessage, Claim, Failure, NewTask, Outcome, StoreError
from taskrules.tasks import Status, Task

if TYPE_CHECKING:  # the stubs are not part of the bundle
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoTaskStore:
    """The task table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, task: NewTask) -> Outcome:
        try:
            self._client.put_item(**requests.create(self._table, task))
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, task.task_id)
        return Outcome(done=True, task=None)

    def adopt(self, task_id: str, *, expected: str, token: str, now: float) -> bool:
        return self._update(task_id, requests.adopt(self._table, task_id, expected=expected, token=token, now=now)).done

    def mark_enqueued(self, task_id: str, *, token: str, now: float) -> None:
        self._update(task_id, requests.mark_enqueued(self._table, task_id, token=token, now=now))

    def requeue(self, task: Task, *, reason: str, token: str, now: float) -> Outcome:
        request = requests.requeue(self._table, task, reason=reason, token=token, now=now)
        return requeued_by(self._update(task.task_id, request), token, task.generation)

    def withdraw(self, task_id: str, *, token: str) -> Outcome:
        try:
            self._client.delete_item(**requests.withdraw(self._table, task_id, token=token))
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, task_id)
        return Outcome(done=True, task=None)

    def get(self, task_id: str) -> Task | None:
        try:
            answer = self._client.get_item(**requests.get(self._table, task_id))
        except (ClientError, BotoCoreError) as error:
            raise StoreError(f"task {task_id} cannot be read: {error}") from error
        item = answer.get("Item")
        return task_of(item) if item else None

    def claim(self, claim: Claim) -> Outcome:
        outcome = self._update(claim.task_id, requests.claim(self._table, claim))
        return ended_by(outcome, claim.token, Status.PROCESSING)

    def complete(self, task: Task, *, now: float) -> Outcome:
        outcome = self._update(task.task_id, requests.complete(self._table, task, now=now))
        return ended_by(outcome, task.claim, Status.COMPLETED)

    def fail(self, task: Task, failure: Failure, *, now: float) -> Outcome:
        outcome = self._update(task.task_id, requests.fail(self._table, task, failure, now=now))
        return ended_by(outcome, task.claim, Status.RETRYING)

    def close(self, task: Task, *, error_type: str, error_message: str, now: float) -> Outcome:
        request = requests.close(self._table, task, error_type=error_type, error_message=error_message, now=now)
        return self._update(task.task_id, request)

    def _update(self, task_id: str, request: Request) -> Outcome:
        try:
            answer = self._client.update_item(**request)
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, task_id)
        item = answer.get("Attributes")
        return Outcome(done=True, task=task_of(item) if item else None)

    def _refused(self, error: ClientError | BotoCoreError, task_id: str) -> Outcome:
        """The outcome of a write whose condition did not hold; any other error is raised."""
        item = refusal_of(error, f"task {task_id} cannot be written")
        # Without an item there is no task, or the table does not know how to return what it refused: look.
        return Outcome(done=False, task=task_of(item) if item else self.get(task_id))


class DynamoArchive:
    """The archive of dead letters."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, message: ArchivedMessage) -> bool:
        try:
            self._client.put_item(**requests.archive(self._table, message))
        except (ClientError, BotoCoreError) as error:
            refusal_of(error, f"message {message.archive_id} cannot be archived")
            return False
        return True
