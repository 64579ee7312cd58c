"""Recordings of lives of tasks, and the rows that they are made of."""

import json
from collections.abc import Sequence
from typing import Any

from dlqlab.contracts.recording import Recording
from tests.support.recordings import QUEUE, T0, recording

DEAD = QUEUE.replace("tasks", "dead-letters")
MAPPING = {"actor_kind": "mapping", "actor": "mapping-of-tasks"}
API = "api-invocation"


def message(kind: str, at: float, message_id: str = "m1", **more: Any) -> dict[str, Any]:
    by = {
        "received": MAPPING,
        "deleted": MAPPING,
        "moved": MAPPING,
        "returned": {"actor_kind": "service", "actor": "sqs"},
    }
    return {"kind": kind, "ts": T0 + at, "message_id": message_id, **by.get(kind, {}), **more}


def submitted(task: str = "t-1", message_id: str = "m1", at: float = 0.0, request_id: str = API) -> dict[str, Any]:
    """A message that the API's function sent, whose body is that of ``body``."""
    sender = {"actor_kind": "invocation", "actor": "api", "request_id": request_id}
    return message("sent", at, message_id, receive_count=0, body_sha256=f"hash-{task}", **sender)


def body(task: str = "t-1", **more: Any) -> dict[str, Any]:
    text = json.dumps({"taskId": task, "payload": "x", **more})
    return {"body_sha256": f"hash-{task}", "body": text, "body_bytes": len(text)}


def request(task: str = "t-1", client_id: str = "r1", request_id: str = API, at: float = -0.1) -> dict[str, Any]:
    """The client's POST with the invocation of the API and its write of the task's item."""
    invocation = {"request_id": request_id, "function": "api", "client_request_id": client_id, "outcome": "ok"}
    by = {"actor_kind": "client", "actor": "curl/8", "service": "execute-api", "operation": "POST"}
    key = json.dumps({"taskId": {"S": task}})
    return {
        "invocations": [{**invocation, "started_ts": T0 + at, "ended_ts": T0 + at + 0.15}],
        "calls": [
            {
                **by,
                "ts": T0 + at - 0.01,
                "duration_s": 0.2,
                "request_id": client_id,
                "resource": "/tasks",
                "status": 202,
            },
            {
                "ts": T0 + at + 0.05,
                "request_id": request_id,
                "function": "api",
                "operation": "PutItem",
                "item_key": key,
                "resource": "items",
            },
        ],
    }


def ran(
    at: float, request_id: str, ids: Sequence[str] = ("m1",), failed: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """An invocation of the processor by its mapping."""
    times = {"started_ts": T0 + at, "ended_ts": T0 + at + 0.2, "duration_s": 0.2}
    given = {"source": "mapping", "source_arn": QUEUE, "message_ids": list(ids), "failed_ids": list(failed)}
    return {"request_id": request_id, "environment": "e1", "outcome": "ok", **times, **given, **more}


BATCH = [submitted("t-1", "m1"), submitted("t-2", "m2", request_id="other")]


def completed() -> Recording:
    sent = request()
    return recording(
        messages=[
            submitted(),
            message("received", 0.5, receive_count=1, visible_after_s=60.0),
            message("deleted", 0.8, receive_count=1, request_id="p1"),
        ],
        invocations=[*sent["invocations"], ran(0.55, "p1", init_s=0.1)],
        calls=[
            *sent["calls"],
            {"ts": T0 + 0.6, "request_id": "p1", "function": "processor", "operation": "UpdateItem"},
        ],
        bodies=[body()],
    )


def dead_lettered() -> Recording:
    """Tried and failed, then twice no environment was free; moved, and taken by the monitor."""
    return recording(
        messages=[
            submitted(),
            message("received", 0.1, receive_count=1, visible_after_s=60.0),
            message("hidden", 0.2, visible_after_s=2.0, actor_kind="invocation", actor="processor", request_id="p1"),
            message("returned", 2.2, receive_count=1),
            message("received", 2.3, receive_count=2, visible_after_s=60.0),
            message("returned", 62.3, receive_count=2),
            message("received", 62.4, receive_count=3, visible_after_s=60.0),
            message("returned", 122.4, receive_count=3),
            message("moved", 122.5, receive_count=3),
            message(
                "sent", 122.5, queue=DEAD, actor_kind="service", actor=QUEUE, parent_ids=["m1"], body_sha256="hash-t-1"
            ),
            message("received", 122.6, queue=DEAD, receive_count=4),
            message("deleted", 123.0, queue=DEAD, receive_count=4),
        ],
        invocations=[
            ran(0.15, "p1", failed=["m1"], outcome="error", error_type="ValueError", error_message="on purpose"),
            ran(2.35, "p2", failed=["m1"], outcome="throttled", environment=None, duration_s=None),
            ran(62.45, "p3", failed=["m1"], outcome="throttled", environment=None, duration_s=None),
            ran(122.65, "monitor-1", function="monitor", source_arn=DEAD),
        ],
        bodies=[body()],
    )
