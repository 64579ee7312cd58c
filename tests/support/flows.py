"""What a record shows of messages that are given to functions by mappings, a few words for each message.

    flow = Story().sent("m1").tried("m1", at=1, ok=False).back("m1", at=31).tried("m1", at=31).deleted("m1", at=32)

``facts(story)`` is what the checks see of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.scenario import from_dict
from dlqlab.contracts.tables import frame
from dlqlab.contracts.topology import Topology
from tests.support.recordings import QUEUE, T0, recording

DEAD = QUEUE.replace("tasks", "dead-letters")
FIFO = QUEUE.replace("tasks", "tasks.fifo")
MAPPING = {"actor_kind": "mapping", "actor": "mapping-of-tasks"}
SQS = {"actor_kind": "service", "actor": "sqs"}
TOOK_S = 0.5
HIDDEN_S = 30.0


@dataclass
class Story:
    """Rows of a record, in the order in which they are told; times in seconds since its start."""

    queue: str = QUEUE
    messages: list[dict[str, Any]] = field(default_factory=list)
    invocations: list[dict[str, Any]] = field(default_factory=list)
    receives: dict[str, int] = field(default_factory=dict)

    def sent(self, message_id: str, at: float = 0.0, **more: Any) -> Self:
        return self._row("sent", message_id, at, {"receive_count": 0, **more})

    def received(self, message_id: str, at: float, **more: Any) -> Self:
        self.receives[message_id] = self.receives.get(message_id, 0) + 1
        return self._row("received", message_id, at, {**MAPPING, "visible_after_s": HIDDEN_S, **more})

    def invoked(self, *ids: str, at: float, failed: Sequence[str] = (), **more: Any) -> Self:
        """An invocation with a batch. ``outcome`` of another kind than ok fails all of it."""
        bad = list(ids) if more.get("outcome", "ok") != "ok" else list(failed)
        self.invocations.append(
            {
                "request_id": f"i{len(self.invocations) + 1}",
                "outcome": "ok",
                "started_ts": T0 + at,
                "ended_ts": T0 + at + TOOK_S,
                "source": "mapping",
                "source_arn": self.queue,
                "message_ids": list(ids),
                "failed_ids": bad,
                **more,
            }
        )
        return self

    def tried(self, message_id: str, at: float, *, ok: bool = True, **more: Any) -> Self:
        """Received, and given to the function alone."""
        outcome = {} if ok else {"outcome": "error", "error_type": "ValueError", "error_message": "on purpose"}
        return self.received(message_id, at).invoked(message_id, at=at, **outcome, **more)

    def back(self, message_id: str, at: float) -> Self:
        return self._row("returned", message_id, at, SQS)

    def hidden(self, message_id: str, at: float, seconds: float) -> Self:
        by = {"actor_kind": "invocation", "actor": "processor", "visible_after_s": seconds}
        return self._row("hidden", message_id, at, by)

    def deleted(self, message_id: str, at: float, **more: Any) -> Self:
        return self._row("deleted", message_id, at, {**MAPPING, **more})

    def left(self, kind: str, message_id: str, at: float, **more: Any) -> Self:
        """Left by itself: expired, purged, filtered, redriven; or never entered: deduplicated."""
        return self._row(kind, message_id, at, {**SQS, **more})

    def moved(self, message_id: str, at: float) -> Self:
        self._row("moved", message_id, at, SQS)
        by = {**SQS, "actor": self.queue, "queue": DEAD, "parent_ids": [message_id]}
        return self._row("sent", message_id, at, by)

    def _row(self, kind: str, message_id: str, at: float, more: dict[str, Any]) -> Self:
        row = {"kind": kind, "message_id": message_id, "ts": T0 + at, "queue": self.queue}
        if kind not in {"not_deleted", "deduplicated"}:
            row["receive_count"] = self.receives.get(message_id, 0)
        self.messages.append(row | more)
        return self


def facts(story: Story, promise: Promise | None = None, topology: Topology | None = None, **more: Any) -> Facts:
    """The evidence of a run of which nothing but the record is there, unless more is given to ``evidence``."""
    return Facts(evidence(story, promise, topology, **more))


def evidence(
    story: Story,
    promise: Promise | None = None,
    topology: Topology | None = None,
    *,
    gaps: Sequence[str] = (),
    effects: Sequence[str] = (),
    requests: pd.DataFrame | None = None,
    plan: Plan | None = None,
    **rows: Any,
) -> RunEvidence:
    """``requests`` is the clients' ledger; ``rows`` are further rows of the record: calls, bodies, invocations.
    ``plan`` is that of faults from outside.
    """
    scenario = from_dict({"name": "any", "description": "any", "faults": {"mode": "none"}}, source="test")
    manifest = Manifest(
        run_id="r",
        scenario=scenario,
        finished=True,
        drained=True,
        drain_ended_ts=T0,
        promise=promise or Promise(),
        effects=tuple(effects),
        injection=plan,
    )
    tables = {} if requests is None else {"ledger": requests}
    invocations = [*story.invocations, *rows.pop("invocations", ())]
    found = recording(messages=story.messages, invocations=invocations, gaps=gaps, **rows)
    return RunEvidence(manifest=manifest, tables=tables, topology=topology, recording=found)


def ledger(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """The clients' ledger: task id, request id and outcome of each request."""
    named = [{"task_id": task, "request_id": request, "outcome": outcome} for task, request, outcome in rows]
    return frame("ledger", [{"payload": "{}", "worker": "w", "sent_ts": T0, **row} for row in named])
