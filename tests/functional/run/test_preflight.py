"""The retry probe beside a queue whose hidden messages return only when its own clock ticks."""

import math
import time
from typing import Any, cast

import pytest

from dlqlab.deploy.target import Target
from dlqlab.fidelity.probes import visibility_tick
from dlqlab.run.preflight import probe_retries

CLOCK_S = 1.0


class TickingQueue:
    """SQS with one queue. What was hidden returns at the first tick after it is due; ticks are a second apart, the
    first ``phase_s`` after the first message would be due.
    """

    def __init__(self, phase_s: float | None) -> None:
        self.phase_s = phase_s
        self.due: dict[str, float] = {}
        self.first: float | None = None

    def client(self, _service: str) -> Any:
        return self

    def create_queue(self, **_request: str) -> dict[str, str]:
        return {"QueueUrl": "u"}

    def delete_queue(self, **_request: str) -> None:
        self.due.clear()

    def send_message_batch(self, *, Entries: list[dict[str, str]], **_request: str) -> None:
        self.due |= {entry["MessageBody"]: 0.0 for entry in Entries}

    def receive_message(self, *, MaxNumberOfMessages: int, **_request: Any) -> dict[str, Any]:
        time.sleep(0.001)
        now = time.time()
        found = [name for name, due in self.due.items() if self._shown(due) <= now][:MaxNumberOfMessages]
        self.due |= dict.fromkeys(found, math.inf)
        return {"Messages": [{"MessageId": name, "ReceiptHandle": name} for name in found]}

    def change_message_visibility(self, *, ReceiptHandle: str, VisibilityTimeout: int, **_request: str) -> None:
        self.due[ReceiptHandle] = time.time() + VisibilityTimeout
        self.first = self.first or self.due[ReceiptHandle]

    def _shown(self, due: float) -> float:
        if self.phase_s is None or self.first is None or not math.isfinite(due) or not due:
            return due
        tick = self.first + self.phase_s
        return tick + math.ceil((due - tick) / CLOCK_S) * CLOCK_S


@pytest.mark.parametrize(("phase_s", "ok"), [(0.02, False), (0.24, False), (0.48, False), (0.9, False), (None, True)])
def test_clock_of_a_second_is_told_whatever_its_phase(phase_s: float | None, ok: bool) -> None:
    """Messages that were all due at once would be back within a quarter of a second after a tick that comes soon."""
    probe = probe_retries(cast(Target, TickingQueue(phase_s)))
    found = visibility_tick(n=probe.n, median_s=probe.median_s, p95_s=probe.p95_s)

    assert ok is found.ok, found.statement
