"""Items of the two tables, as DynamoDB holds them.

Item of the task table (absent attributes are absent, not null):

    taskId S  status S  generation N  attempts N  effects N  payload S (JSON)  payloadDigest S  runId S  traceId S
    createdAt N  updatedAt N  enqueuedAt N
    pendingShard S  pendingSince N  pendingBy S  (until the message is on the queue: the sparse index "pending")
    leaseUntil N  notBefore N  closed BOOL  claim S  carrier S
    lastErrorType S  lastErrorMessage S
    history L of M {generation, startedAt, endedAt, outcome, errorType, errorMessage}
    redrives L of M {generation, at, reason, errorType, errorMessage}  (the generation that it began, the error before)

Item of the archive:

    archiveId S  taskId S  generation N  messageId S  body S  redacted BOOL  truncated BOOL  errorType S  errorMessage S
    reason S  attempts N  firstAt N  lastAt N  archivedAt N  expiresAt N (time to live)  runId S

Times are seconds since the epoch. The payload is JSON text, because DynamoDB nests 32 levels only.
"""

import zlib
from collections.abc import Mapping
from typing import Any

from taskrules.store import ArchivedMessage, NewTask
from taskrules.tasks import AttemptRecord, Redrive, Status, Task
from taskrules.wire import from_item, to_item

PENDING_SHARDS = 8
"""Keys of the index over which pending tasks are spread: one would take 1,000 writes a second at most."""


def new_item(task: NewTask) -> dict[str, Any]:
    """The item of a task that nobody has enqueued yet."""
    return to_item(
        {
            "taskId": task.task_id,
            "status": Status.QUEUED,
            "generation": 1,
            "attempts": 0,
            "effects": 0,
            "payload": task.payload_json,
            "payloadDigest": task.payload_digest,
            "createdAt": task.created_ts,
            "updatedAt": task.created_ts,
            "pendingShard": pending_shard(task.task_id),
            "pendingSince": task.created_ts,
            "pendingBy": task.pending_by,
            "history": [],
            "runId": task.run_id,
            "traceId": task.trace_id,
        }
    )


def pending_shard(task_id: str) -> str:
    """Key of a task in the index of pending ones."""
    return str(zlib.crc32(task_id.encode()) % PENDING_SHARDS)


def redrive_entry(task: Task, *, reason: str, now: float) -> dict[str, Any]:
    """What a redrive leaves in the task."""
    return {
        "generation": task.generation + 1,
        "at": now,
        "reason": reason,
        "errorType": task.last_error_type,
        "errorMessage": task.last_error_message,
    }


def archive_item(message: ArchivedMessage) -> dict[str, Any]:
    """The item of a dead letter."""
    return to_item(
        {
            "archiveId": message.archive_id,
            "taskId": message.task_id,
            "generation": message.generation,
            "messageId": message.message_id,
            "body": message.body,
            "redacted": message.redacted,
            "truncated": message.truncated,
            "errorType": message.error_type,
            "errorMessage": message.error_message,
            "reason": message.reason,
            "attempts": message.attempts,
            "firstAt": message.first_ts,
            "lastAt": message.last_ts,
            "archivedAt": message.archived_ts,
            "expiresAt": message.expires_ts,
            "runId": message.run_id,
        }
    )


def archived_of(item: Mapping[str, Any]) -> ArchivedMessage:
    """The dead letter of an item."""
    values = from_item(item)
    generation, attempts = values.get("generation"), values.get("attempts")
    return ArchivedMessage(
        archive_id=values["archiveId"],
        task_id=values.get("taskId"),
        generation=None if generation is None else int(generation),
        message_id=values["messageId"],
        body=values["body"],
        redacted=values["redacted"],
        truncated=values["truncated"],
        error_type=values["errorType"],
        error_message=values["errorMessage"],
        reason=values["reason"],
        attempts=None if attempts is None else int(attempts),
        first_ts=values.get("firstAt"),
        last_ts=values.get("lastAt"),
        archived_ts=values["archivedAt"],
        expires_ts=int(values["expiresAt"]),
        run_id=values["runId"],
    )


def latest_entry(task: Task) -> str:
    """Path of the running attempt in the history."""
    return f"history[{len(task.history) - 1}]"


def ended_entry(task: Task, now: float, outcome: str) -> dict[str, Any]:
    """The running attempt, ended."""
    latest = task.history[-1]
    return {"generation": latest.generation, "startedAt": latest.started_ts, "endedAt": now, "outcome": outcome}


def task_of(item: Mapping[str, Any]) -> Task:
    """The task of an item."""
    values = from_item(item)
    return Task(
        task_id=values["taskId"],
        status=Status(values["status"]),
        generation=int(values["generation"]),
        attempts=int(values["attempts"]),
        effects=int(values["effects"]),
        payload_json=values["payload"],
        payload_digest=values["payloadDigest"],
        created_ts=values["createdAt"],
        updated_ts=values["updatedAt"],
        enqueued_ts=values.get("enqueuedAt"),
        pending_by=values.get("pendingBy"),
        lease_until_ts=values.get("leaseUntil"),
        not_before_ts=values.get("notBefore"),
        closed=values.get("closed", False),
        claim=values.get("claim"),
        carrier=values.get("carrier"),
        last_error_type=values.get("lastErrorType"),
        last_error_message=values.get("lastErrorMessage"),
        history=_history(values["history"]),
        redrives=tuple(_redrive(entry) for entry in values.get("redrives", ())),
        run_id=values.get("runId"),
        trace_id=values.get("traceId"),
    )


def _redrive(entry: Mapping[str, Any]) -> Redrive:
    return Redrive(
        generation=int(entry["generation"]),
        at_ts=entry["at"],
        reason=entry["reason"],
        error_type=entry.get("errorType"),
        error_message=entry.get("errorMessage"),
    )


def _history(entries: list[dict[str, Any]]) -> tuple[AttemptRecord, ...]:
    """The attempts in order; their numbers follow from their places, since a claim cannot know its number ahead."""
    records: list[AttemptRecord] = []
    for entry in entries:
        generation = int(entry["generation"])
        previous = records[-1] if records else None
        records.append(
            AttemptRecord(
                generation=generation,
                attempt=previous.attempt + 1 if previous and previous.generation == generation else 1,
                started_ts=entry["startedAt"],
                ended_ts=entry.get("endedAt"),
                outcome=entry.get("outcome"),
                error_type=entry.get("errorType"),
                error_message=entry.get("errorMessage"),
            )
        )
    return tuple(records)
