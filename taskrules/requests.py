"""What is asked of the two tables, as requests of DynamoDB: which write under which condition, and the searches.

Every write is a conditional one; refused, it brings back the task as it stood. Whoever sends a claim, an end or a
requeue reads the answer with ``ended_by`` or ``requeued_by``: the SDK may have sent it twice, the second is refused.
"""

from collections.abc import Mapping
from typing import Any

from taskrules.items import archive_item, ended_entry, latest_entry, new_item, pending_shard, redrive_entry
from taskrules.store import ArchivedMessage, Claim, Failure, NewTask, Outcome
from taskrules.tasks import CLOCK_GRACE_S, Status, Task
from taskrules.wire import to_item

CONDITION_FAILED = "ConditionalCheckFailedException"
"""The error code of a write whose condition does not hold."""
PENDING_INDEX = "pending"
Request = dict[str, Any]

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
_OVERDUE = (
    "attribute_not_exists(pendingBy) AND ((#status = :queued AND updatedAt < :before) "
    "OR (#status = :retrying AND notBefore < :before) OR (#status = :processing AND leaseUntil < :before))"
)


def create(table: str, task: NewTask) -> Request:
    """PutItem of a new task."""
    return {
        "TableName": table,
        "Item": new_item(task),
        "ConditionExpression": "attribute_not_exists(taskId)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def withdraw(table: str, task_id: str, *, token: str) -> Request:
    """DeleteItem of a task that could not be enqueued."""
    return {
        "TableName": table,
        "Key": to_item({"taskId": task_id}),
        # Never a redriven task: it has a history that a refusing queue must not wipe out.
        "ConditionExpression": "#status = :queued AND pendingBy = :token AND attribute_not_exists(redrives)",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": to_item({":queued": Status.QUEUED, ":token": token}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def get(table: str, task_id: str) -> Request:
    """GetItem of the task as the last write left it."""
    return {"TableName": table, "Key": to_item({"taskId": task_id}), "ConsistentRead": True}


def archive(table: str, message: ArchivedMessage) -> Request:
    """PutItem of a dead letter, once."""
    return {
        "TableName": table,
        "Item": archive_item(message),
        "ConditionExpression": "attribute_not_exists(archiveId)",
    }


def adopt(table: str, task_id: str, *, expected: str, token: str, now: float) -> Request:
    """UpdateItem: the enqueueing of a task that ``expected`` left pending goes to ``token``."""
    return _update(
        table,
        task_id,
        "SET pendingBy = :token, pendingSince = :now",
        "pendingBy = :expected",
        {":token": token, ":now": now, ":expected": expected},
    )


def mark_enqueued(table: str, task_id: str, *, token: str, now: float) -> Request:
    """UpdateItem: the task's message is on the queue."""
    # The condition keeps the update from making an item where a withdrawal has just removed it, and from taking
    # away the mark of somebody who has to enqueue a later generation. A first attempt may have come before us.
    return _update(
        table,
        task_id,
        "SET enqueuedAt = :now REMOVE pendingShard, pendingSince, pendingBy",
        "attribute_exists(taskId) AND (pendingBy = :token OR attribute_not_exists(pendingBy))",
        {":now": now, ":token": token},
    )


def requeue(table: str, task: Task, *, reason: str, token: str, now: float) -> Request:
    """UpdateItem: a new generation of a FAILED task; the answer has the task as it is then."""
    return _update(
        table,
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


def claim(table: str, claim: Claim) -> Request:
    """UpdateItem: PROCESSING, one attempt more; the answer has the task as claimed."""
    started = {"generation": claim.generation, "startedAt": claim.now}
    return _update(
        table,
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


def complete(table: str, task: Task, *, now: float) -> Request:
    """UpdateItem: COMPLETED and the effect."""
    return _update(
        table,
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


def fail(table: str, task: Task, failure: Failure, *, now: float) -> Request:
    """UpdateItem: RETRYING with the error."""
    ended = ended_entry(task, now, "failed") | {
        "errorType": failure.error_type,
        "errorMessage": failure.error_message,
    }
    return _update(
        table,
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


def close(table: str, task: Task, *, error_type: str, error_message: str, now: float) -> Request:
    """UpdateItem: FAILED."""
    return _update(
        table,
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


def take_stranded(table: str, task: Task, *, token: str, now: float) -> Request:
    """UpdateItem: ``token`` has to enqueue the task, if nothing has happened to it since it was read."""
    return _update(
        table,
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
    )


def stranded(table: str, *, before_ts: float) -> Request:
    """Scan for live tasks that are overdue since then.

    A scan: an index of live tasks would cost every task two writes more, for a search that seldom finds any.
    """
    return {
        "TableName": table,
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


def pending(table: str, shard: str, *, before_ts: float, limit: int) -> Request:
    """Query of one shard of the index of pending tasks, for those that are pending since before then."""
    return {
        "TableName": table,
        "IndexName": PENDING_INDEX,
        "KeyConditionExpression": "pendingShard = :shard AND pendingSince < :before",
        "ExpressionAttributeValues": to_item({":shard": shard, ":before": before_ts}),
        "Limit": limit,
    }


def _update(
    table: str, task_id: str, update: str, condition: str, values: Mapping[str, Any], *, returning: bool = False
) -> Request:
    request: Request = {
        "TableName": table,
        "Key": to_item({"taskId": task_id}),
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": to_item(values),
        "ReturnValues": "ALL_NEW" if returning else "NONE",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if "#status" in update + condition:  # a name that is not used is an error
        request["ExpressionAttributeNames"] = {"#status": "status"}
    return request


def ended_by(outcome: Outcome, token: str | None, status: Status) -> Outcome:
    """The outcome of a write of the attempt that ``token`` names.

    A refusal counts as done if the state is the one that this very attempt wanted: the SDK had then sent the write
    twice, because the answer to the first got lost.
    """
    task = outcome.task
    if not outcome.done and task is not None and task.claim == token and task.status is status:
        return Outcome(done=True, task=task)
    return outcome


def requeued_by(outcome: Outcome, token: str, generation: int) -> Outcome:
    """The outcome of a ``requeue`` out of this generation; as in ``ended_by``, the SDK may have sent it twice."""
    seen = outcome.task
    done = seen is not None and seen.pending_by == token and seen.generation == generation + 1
    return Outcome(done=True, task=seen) if done else outcome
