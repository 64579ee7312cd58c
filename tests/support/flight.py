"""What a recorder would have written down of the simulated pipeline, row by row."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dlqlab.analysis.witnessed import Parts
from dlqlab.contracts.recording import Recording
from dlqlab.specimens import task_system
from taskrules import requests
from taskrules.store import Claim, Failure
from taskrules.tasks import AttemptRecord, Status, Task
from tests.support.recordings import recording

PARTS = Parts.of(task_system("local"))
REFUSED = {"status": 400, "error_code": requests.CONDITION_FAILED}


@cache  # a history asks for it with each attempt
def claim_update() -> str:
    """The update expression of a claim."""
    claim = Claim(task_id="t", generation=1, message_id="m", token="i#m", now=1, lease_until_ts=2, attempts_max=3)
    return str(requests.claim("tasks", claim)["UpdateExpression"])


@cache
def complete_update(attempt: int = 1) -> str:
    """The update expression of a task's effect."""
    return str(requests.complete("tasks", _task(attempt), now=2)["UpdateExpression"])


@cache
def fail_update(attempt: int = 1, *, closed: bool = False) -> str:
    """The update expression of a failed attempt; ``closed``: no other follows."""
    failure = Failure(error_type="E", error_message="e", not_before_ts=3, closed=closed)
    return str(requests.fail("tasks", _task(attempt), failure, now=2)["UpdateExpression"])


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:000000000000:{name}"


def body_of(task_id: str, payload: str) -> str:
    """The message of a task as the app sends it; ``payload`` is JSON."""
    return json.dumps({"taskId": task_id, "payload": json.loads(payload), "generation": 1}, separators=(",", ":"))


@dataclass(slots=True)
class Flight:
    """The rows so far."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    invocations: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None  # characters of a body that are kept

    def sent(self, message_id: str, body: str, at: float, *, by: str | None, dead: bool = False) -> None:
        """``by``: request id of the function that sends; None where SQS moves, or a client sends."""
        sha256 = hashlib.sha256(body.encode()).hexdigest()
        self.bodies[sha256] = body
        actor = (
            {"actor_kind": "invocation", "request_id": by} if by else {"actor_kind": "service" if dead else "client"}
        )
        self._message("sent", message_id, at, dead=dead, body_sha256=sha256, **actor)

    def moved(self, message_id: str, at: float) -> None:
        self._message("moved", message_id, at, actor_kind="mapping")

    def deleted(self, message_id: str, at: float, *, by: str, dead: bool = False) -> None:
        """By its mapping, after the invocation ``by``."""
        self._message("deleted", message_id, at, dead=dead, actor_kind="mapping", request_id=by)

    def invoked(
        self, function: str, request_id: str, start: float, end: float, outcome: str, message_ids: Sequence[str]
    ) -> None:
        times = {"started_ts": start, "ended_ts": end}
        row = {"request_id": request_id, "function": function, "source": "mapping", "outcome": outcome}
        self.invocations.append(row | times | {"message_ids": list(message_ids)})

    def updated(self, task_id: str, update: str, at: float, *, by: str, **answer: Any) -> None:
        """A write of the task's item by the processor."""
        item = {"resource": PARTS.tasks[0], "item_key": _key(PARTS.tasks[1], task_id), "update": update}
        self._call("UpdateItem", at, by, function=PARTS.processor, **item, **answer)

    def archived(self, archive_id: str, at: float, *, by: str) -> None:
        item = {"resource": PARTS.archive[0], "item_key": _key(PARTS.archive[1], archive_id)}
        self._call("PutItem", at, by, function=PARTS.monitor, **item)

    def recording(self, *, gaps: Sequence[str] = ()) -> Recording:
        """All of it."""
        is_cut = self.cut_at is not None
        bodies = [
            {"body_sha256": key, "body": body[: self.cut_at], "body_bytes": len(body), "is_cut": is_cut}
            for key, body in self.bodies.items()
        ]
        return recording(
            messages=self.messages, invocations=self.invocations, calls=self.calls, bodies=bodies, gaps=gaps
        )

    def _message(self, kind: str, message_id: str, at: float, *, dead: bool = False, **more: Any) -> None:
        queue = queue_arn(PARTS.dead_letters if dead else PARTS.queue)
        self.messages.append({"kind": kind, "message_id": message_id, "ts": at, "queue": queue, **more})

    def _call(self, operation: str, at: float, by: str, **more: Any) -> None:
        self.calls.append({"ts": at, "operation": operation, "request_id": by, "actor_kind": "invocation", **more})


def _key(attribute: str, value: str) -> str:
    return json.dumps({attribute: {"S": value}}, separators=(",", ":"))


def _task(attempt: int) -> Task:
    return Task(
        task_id="t",
        status=Status.PROCESSING,
        generation=1,
        attempts=attempt,
        effects=0,
        payload_json="{}",
        payload_digest="",
        created_ts=0,
        updated_ts=0,
        claim="i#m",
        history=tuple(AttemptRecord(generation=1, attempt=one, started_ts=1) for one in range(1, attempt + 1)),
    )
