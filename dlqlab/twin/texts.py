"""What the sampled tasks say in words: ids, payloads and error messages, which the engine knows only as numbers."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dlqlab.contracts.scenario import Scenario
from dlqlab.load import tasks as generator
from dlqlab.load.junk import junk_bodies
from dlqlab.twin.arrivals import Arrivals
from dlqlab.twin.engine import layout
from taskrules.faults import Fault, FaultPlan
from taskrules.messages import MessageError, TaskMessage, parse_body
from taskrules.redaction import redact, redact_body
from taskrules.settings import REDACT_FIELDS
from taskrules.tasks import ATTEMPT_LOST, MALFORMED_MESSAGE, NEVER_ATTEMPTED, OUTLIVED_TASK

FIELDS = frozenset(name.strip().lower() for name in REDACT_FIELDS.split(","))
REASONS = tuple(reason.text for reason in layout.Reason)
ERRORS = (
    NEVER_ATTEMPTED, ATTEMPT_LOST, MALFORMED_MESSAGE, OUTLIVED_TASK,
    *(fault.error or Fault.TRANSIENT.error for fault in layout.FAULTS),
)  # fmt: skip
"""By the engine's code. An attempt outlives its time-out only with a transient error."""


@dataclass(frozen=True)
class Texts:
    """Texts of a simulation's tasks."""

    scenario: Scenario
    arrivals: Arrivals
    warm_up_s: float

    def task_id(self, task: int) -> str:
        ids = self.arrivals.task_ids
        return generator.task_id(self.scenario.seed, task) if ids is None else ids[task]

    def payload(self, task: int) -> str:
        """As the client sent it: JSON."""
        if self.arrivals.payloads is not None:
            return self.arrivals.payloads[task]
        seed, load = self.scenario.seed, self.scenario.load
        script = generator.script(seed, task, load.scripted_rate)
        return generator.to_json(generator.payload(seed, task, load.payload_bytes) if script is None else script)

    def shown(self, task: int) -> str:
        """As it is logged: without secrets."""
        return json.dumps(redact(json.loads(self.payload(task)), FIELDS), ensure_ascii=False, separators=(",", ":"))

    def body(self, task: int, generation: int, run_id: str) -> str:
        """The task's message as it is archived."""
        payload = json.loads(self.payload(task))
        message = TaskMessage(task_id=self.task_id(task), payload=payload, generation=generation, run_id=run_id)
        return redact_body(message.to_body(), FIELDS)[0]

    def failure(self, task: int, attempt: int, generation: int, at_s: float) -> str:
        """Why the attempt that began then failed, in the fault plan's words."""
        payload = json.loads(self.payload(task)) if self.has_scripts else None
        return self._plan.decide(
            self.task_id(task),
            attempt,
            message=payload if isinstance(payload, str) else None,
            generation=generation,
            run_s=at_s + self.warm_up_s,
        ).reason

    @cached_property
    def has_scripts(self) -> bool:
        return self.arrivals.payloads is not None or self.scenario.load.scripted_rate > 0

    @cached_property
    def _plan(self) -> FaultPlan:
        return self.scenario.faults

    @cached_property
    def junk(self) -> list[tuple[str, str]]:
        """Body and what is wrong with it, of each junk message."""
        return [(body, _problem(body)) for body in junk_bodies(self.scenario.load.junk_messages, self.scenario.seed)]


def _problem(body: str) -> str:
    try:
        parse_body(body)
    except MessageError as error:
        return str(error)
    return "a task after all"


def reasons(codes: np.ndarray[Any, Any]) -> Any:
    return np.array(REASONS, dtype=object)[codes]


def errors(codes: np.ndarray[Any, Any]) -> Any:
    return np.array(ERRORS, dtype=object)[codes]


BREAKER_EVENTS = {
    layout.Event.OPENED: ("breaker.opened", "too many calls failed"),
    layout.Event.HALF_OPENED: ("breaker.half_opened", "cool-down is over"),
    layout.Event.CLOSED_AGAIN: ("breaker.closed", "the trial succeeded"),
}
