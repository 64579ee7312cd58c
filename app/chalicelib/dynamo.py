"""TaskStore and Archive on DynamoDB: which write, under which condition. The items are described in items."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.items import (
    archive_item,
    ended_entry,
    latest_entry,
    new_item,
    pending_shard,
    redrive_entry,
    task_of,
)
from chalicelib.store import ArchivedMessage, Claim, Failure, NewTask, Outcome, StoreError
from chalicelib.tasks import CLOCK_GRACE_S, Status, Task
from chalicelib.wire import to_item

if TYPE_CHECKING:  # the stubs are not part of the bundle
    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED = "ConditionalCheckFailedException"

# An attempt starts from rest, after its backoff, or after the lease of one that never ended. The message that made
# the latest claim is let through within the clock's grace, another one (a duplicate) is not:
#
#     claim --------- lease --------> leaseUntil      failure ------ backoff -----> notBefore
#     |   PROCESSING, nobody else    | anybody        |  RETRYING, nobody           | anybody
#     |                      carrier |<- grace        |                     carrier |<- grace
_AT_REST = "#status = :queued"
_BACKOFF_OVER = "(#status = :retrying AND (notBefore <= :now OR (carrier = :message AND notBefore <= :soon)))"
_LEASE_OVER = "(#status = :processing AND (leaseUntil <= :now OR (carrier = :message AND leaseUntil <= :soon)))"
_MAY_CLAIM = (
    "generation = :generation AND attempts < :max AND attribute_not_exists(closed) "
    f"AND ({_AT_REST} OR {_BACKOFF_OVER} OR {_LEASE_OVER})"
)
_HOLDS_CLAIM = "#status = :processing AND claim = :claim"
_MAY_CLOSE = (
    "generation = :generation AND (#status IN (:queued, :retrying) OR (#status = :processing AND leaseUntil <= :soon))"
)


class DynamoTaskStore:
    """The task table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, task: NewTask) -> Outcome:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=new_item(task),
                ConditionExpression="attribute_not_exists(taskId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, task.task_id)
        return Outcome(done=True, task=None)

    def adopt(self, task_id: str, *, expected: str, token: str, now: float) -> bool:
        return self._update(
            task_id,
            "SET pendingBy = :token, pendingSince = :now",
            "pendingBy = :expected",
            {":token": token, ":now": now, ":expected": expected},
        ).done

    def mark_enqueued(self, task_id: str, *, token: str, now: float) -> None:
        # The condition keeps the update from making an item where a withdrawal has just removed it, and from taking
        # away the mark of somebody who has to enqueue a later generation. A first attempt may have come before us.
        self._update(
            task_id,
            "SET enqueuedAt = :now REMOVE pendingShard, pendingSince, pendingBy",
            "attribute_exists(taskId) AND (pendingBy = :token OR attribute_not_exists(pendingBy))",
            {":now": now, ":token": token},
        )

    def requeue(self, task: Task, *, reason: str, token: str, now: float) -> Outcome:
        outcome = self._update(
            task.task_id,
            "SET #status = :queued, generation = :next, attempts = :zero, updatedAt = :now, pendingShard = :shard, "
            "pendingSince = :now, pendingBy = :token, "
            "redrives = list_append(if_not_exists(redrives, :none), :entry) "
            "REMOVE closed, claim, carrier, leaseUntil, notBefore, enqueuedAt, lastErrorType, lastErrorMessage",
            "#status = :failed AND generation = :generation",
            {
                ":queued": Status.QUEUED,
                ":failed": Status.FAILED,
                ":generation": task.generation,
                ":next": task.generation + 1,
                ":zero": 0,
                ":now": now,
                ":shard": pending_shard(task.task_id),
                ":token": token,
                ":none": [],
                ":entry": [redrive_entry(task, reason=reason, now=now)],
            },
            returning=True,
        )
        seen = outcome.task
        # As in _mine: the SDK had sent the write twice.
        done = seen is not None and seen.pending_by == token and seen.generation == task.generation + 1
        return Outcome(done=True, task=seen) if done else outcome

    def withdraw(self, task_id: str, *, token: str) -> Outcome:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item({"taskId": task_id}),
                # Never a redriven task: it has a history that a refusing queue must not wipe out.
                ConditionExpression="#status = :queued AND pendingBy = :token AND attribute_not_exists(redrives)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=to_item({":queued": Status.QUEUED, ":token": token}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, task_id)
        return Outcome(done=True, task=None)

    def get(self, task_id: str) -> Task | None:
        try:
            answer = self._client.get_item(TableName=self._table, Key=to_item({"taskId": task_id}), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise StoreError(f"task {task_id} cannot be read: {error}") from error
        item = answer.get("Item")
        return task_of(item) if item else None

    def claim(self, claim: Claim) -> Outcome:
        started = {"generation": claim.generation, "startedAt": claim.now}
        outcome = self._update(
            claim.task_id,
            "SET #status = :processing, attempts = attempts + :one, claim = :claim, carrier = :message, "
            "leaseUntil = :lease, updatedAt = :now, history = list_append(history, :started) "
            "REMOVE notBefore, pendingShard, pendingSince, pendingBy",
            _MAY_CLAIM,
            {
                ":queued": Status.QUEUED,
                ":retrying": Status.RETRYING,
                ":processing": Status.PROCESSING,
                ":generation": claim.generation,
                ":max": claim.attempts_max,
                ":one": 1,
                ":claim": claim.token,
                ":message": claim.message_id,
                ":lease": claim.lease_until_ts,
                ":now": claim.now,
                ":soon": claim.now + CLOCK_GRACE_S,
                ":started": [started],
            },
            returning=True,
        )
        return _mine(outcome, claim.token, Status.PROCESSING)

    def complete(self, task: Task, *, now: float) -> Outcome:
        outcome = self._update(
            task.task_id,
            f"SET #status = :completed, updatedAt = :now, {latest_entry(task)} = :ended ADD effects :one",
            _HOLDS_CLAIM,
            {
                ":processing": Status.PROCESSING,
                ":completed": Status.COMPLETED,
                ":claim": task.claim,
                ":one": 1,
                ":now": now,
                ":ended": ended_entry(task, now, "succeeded"),
            },
        )
        return _mine(outcome, task.claim, Status.COMPLETED)

    def fail(self, task: Task, failure: Failure, *, now: float) -> Outcome:
        ended = ended_entry(task, now, "failed") | {
            "errorType": failure.error_type,
            "errorMessage": failure.error_message,
        }
        outcome = self._update(
            task.task_id,
            "SET #status = :retrying, updatedAt = :now, notBefore = :due, lastErrorType = :type, "
            f"lastErrorMessage = :text, {latest_entry(task)} = :ended" + (", closed = :yes" if failure.closed else ""),
            _HOLDS_CLAIM,
            {
                ":processing": Status.PROCESSING,
                ":retrying": Status.RETRYING,
                ":claim": task.claim,
                ":now": now,
                ":due": failure.not_before_ts,
                ":type": failure.error_type,
                ":text": failure.error_message,
                ":ended": ended,
                ":yes": True if failure.closed else None,
            },
        )
        return _mine(outcome, task.claim, Status.RETRYING)

    def close(self, task: Task, *, error_type: str, error_message: str, now: float) -> Outcome:
        return self._update(
            task.task_id,
            "SET #status = :failed, updatedAt = :now, lastErrorType = :type, lastErrorMessage = :text "
            "REMOVE pendingShard, pendingSince, pendingBy",
            _MAY_CLOSE,
            {
                ":queued": Status.QUEUED,
                ":retrying": Status.RETRYING,
                ":processing": Status.PROCESSING,
                ":failed": Status.FAILED,
                ":generation": task.generation,
                ":now": now,
                ":soon": now + CLOCK_GRACE_S,
                ":type": error_type,
                ":text": error_message,
            },
        )

    def _update(
        self, task_id: str, update: str, condition: str, values: Mapping[str, Any], *, returning: bool = False
    ) -> Outcome:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": to_item({"taskId": task_id}),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            "ReturnValues": "ALL_NEW" if returning else "NONE",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if "#status" in update + condition:  # a name that is not used is an error
            request["ExpressionAttributeNames"] = {"#status": "status"}
        try:
            answer = self._client.update_item(**request)
        except (ClientError, BotoCoreError) as error:
            return self._refused(error, task_id)
        return Outcome(done=True, task=task_of(answer["Attributes"]) if returning else None)

    def _refused(self, error: ClientError | BotoCoreError, task_id: str) -> Outcome:
        """The outcome of a write whose condition did not hold; any other error is raised."""
        if not isinstance(error, ClientError) or error.response["Error"]["Code"] != _CONDITION_FAILED:
            raise StoreError(f"task {task_id} cannot be written: {error}") from error
        item: Mapping[str, Any] | None = error.response.get("Item")  # type: ignore[assignment] # stubs say object
        # Without an item there is no task, or the table does not know how to return what it refused: look.
        return Outcome(done=False, task=task_of(item) if item else self.get(task_id))


class DynamoArchive:
    """The archive of dead letters."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, message: ArchivedMessage) -> bool:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=archive_item(message),
                ConditionExpression="attribute_not_exists(archiveId)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _CONDITION_FAILED:
                return False
            raise StoreError(f"message {message.archive_id} cannot be archived: {error}") from error
        except BotoCoreError as error:
            raise StoreError(f"message {message.archive_id} cannot be archived: {error}") from error
        return True


def _mine(outcome: Outcome, token: str | None, status: Status) -> Outcome:
    """A refusal counts as done if the state is the one that this very attempt wanted.

    The SDK had then sent the write twice, because the answer to the first got lost.
    """
    task = outcome.task
    if not outcome.done and task is not None and task.claim == token and task.status is status:
        return Outcome(done=True, task=task)
    return outcome
