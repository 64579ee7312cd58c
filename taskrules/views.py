"""What a client sees of a task."""

from datetime import UTC, datetime
from typing import Any

from taskrules.tasks import AttemptRecord, Task


def task_view(task: Task) -> dict[str, Any]:
    """The body of GET /tasks/{taskId}. Times are ISO 8601 in UTC with microseconds; what is not yet is null."""
    return {
        "taskId": task.task_id,
        "status": task.status,
        "generation": task.generation,
        "attemptCount": task.attempts,
        "attempts": [_attempt_view(record) for record in task.history],
        "redrives": [
            {"generation": redrive.generation, "at": _iso(redrive.at_ts), "reason": redrive.reason}
            for redrive in task.redrives
        ],
        "lastError": _error_view(task.last_error_type, task.last_error_message),
        "createdAt": _iso(task.created_ts),
        "enqueuedAt": _iso(task.enqueued_ts),
        "updatedAt": _iso(task.updated_ts),
    }


def _attempt_view(record: AttemptRecord) -> dict[str, Any]:
    return {
        "generation": record.generation,
        "attempt": record.attempt,
        "startedAt": _iso(record.started_ts),
        "endedAt": _iso(record.ended_ts),
        "outcome": record.outcome,
        "error": _error_view(record.error_type, record.error_message),
    }


def _error_view(error_type: str | None, message: str | None) -> dict[str, str | None] | None:
    return None if error_type is None else {"type": error_type, "message": message}


def _iso(ts: float | None) -> str | None:
    if ts is None:
        return None
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
