"""Fault plan: which attempt of which task fails, and how. Declared, seeded, known before the run starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from taskrules.draws import uniform


class FaultMode(StrEnum):
    """What the failure rate counts."""

    PER_ATTEMPT = "per_attempt"  # each attempt fails by a draw of its own
    PER_TASK = "per_task"  # one draw for the task: it always fails or never
    NONE = "none"


class Fault(StrEnum):
    """What happens to an attempt."""

    NONE = "none"
    TRANSIENT = "transient"  # fails, may be retried
    PERMANENT = "permanent"  # fails, no retry can help
    TIMEOUT = "timeout"  # works on until Lambda ends it
    CRASH_BEFORE_EFFECT = "crash_before_effect"  # the process dies before the task's effect
    CRASH_AFTER_EFFECT = "crash_after_effect"  # the process dies after it, before the message is deleted
    OUTAGE = "outage"  # fails because the dependency is down, may be retried


RETRIED_FAULTS = frozenset({Fault.TRANSIENT, Fault.TIMEOUT, Fault.CRASH_BEFORE_EFFECT, Fault.OUTAGE})
"""Faults after which the task is still to be done and another attempt may do it."""

MESSAGE_ALWAYS_FAILS = "ERROR"
MESSAGE_NEVER_FAILS = "SUCCESS"


@dataclass(frozen=True, slots=True)
class Decision:
    """The fault of one attempt, why it was chosen, and how long the work takes besides."""

    fault: Fault
    reason: str
    slow_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """Seeded faults. Rates are ratios of 0 to 1.

    Precedence: what the message scripts (``ERROR``, ``SUCCESS``), then the outage of the dependency, then the permanent
    suffix of the taskId, then the drawn faults. The drawn ones share one draw, so their rates add up and must stay
    within 1. The outage goes by the clock: seconds after the start of the run, whatever the mode.
    """

    seed: int = 0
    mode: FaultMode = FaultMode.PER_ATTEMPT
    failure_rate: float = 0.3
    permanent_suffix: str = ""
    permanent_rate: float = 0.0
    timeout_rate: float = 0.0
    crash_before_rate: float = 0.0
    crash_after_rate: float = 0.0
    slow_rate: float = 0.0
    slow_s: float = 0.0
    duplicate_rate: float = 0.0
    api_crash_rate: float = 0.0
    outage_start_s: float = 0.0
    outage_duration_s: float = 0.0

    def __post_init__(self) -> None:
        for name in (*_DRAWN, "slow_rate", "duplicate_rate", "api_crash_rate"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}: give a ratio of 0 to 1 (0.3 is 30 %)")
        if sum(getattr(self, name) for name in _DRAWN) > 1 + 1e-9:
            raise ValueError(f"{' + '.join(_DRAWN)} is over 1: an attempt has one fault at most, lower the rates")
        for name in ("slow_s", "outage_start_s", "outage_duration_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give seconds of 0 or more")

    def decide(
        self,
        task_id: str,
        attempt: int,
        *,
        message: str | None = None,
        generation: int = 1,
        run_s: float | None = None,
    ) -> Decision:
        """The fault of this attempt (1 is the first).

        ``message`` is the payload, where that is a text; ``run_s`` how long after the start of the run the attempt
        began, None where nobody knows and no outage is assumed.
        """
        slow_s = self.slow_s if self._draw("slow", task_id, generation, attempt) < self.slow_rate else 0.0
        if message == MESSAGE_ALWAYS_FAILS:
            return Decision(Fault.TRANSIENT, "message ERROR always fails", slow_s)
        if message == MESSAGE_NEVER_FAILS:
            return Decision(Fault.NONE, "message SUCCESS never fails", slow_s)
        if run_s is not None and self.is_outage(run_s):
            return Decision(Fault.OUTAGE, f"the dependency is down for {self.outage_duration_s:g} s", slow_s)
        if self.permanent_suffix and task_id.endswith(self.permanent_suffix):
            return Decision(Fault.TRANSIENT, f"taskId ends in {self.permanent_suffix}", slow_s)
        return self._drawn(task_id, generation, attempt, slow_s)

    def is_outage(self, run_s: float) -> bool:
        """Whether the dependency is down so long after the start of the run."""
        return self.outage_start_s <= run_s < self.outage_start_s + self.outage_duration_s

    def is_duplicated(self, task_id: str, generation: int = 1) -> bool:
        """Whether the API enqueues this task twice, as SQS's at-least-once delivery may."""
        return uniform(self.seed, "duplicate", task_id, generation) < self.duplicate_rate

    def is_api_crash(self, task_id: str) -> bool:
        """Whether the API dies while it accepts this task: the task is in the table, its message not on the queue."""
        return uniform(self.seed, "api-crash", task_id) < self.api_crash_rate

    def _drawn(self, task_id: str, generation: int, attempt: int, slow_s: float) -> Decision:
        if self.mode is FaultMode.NONE:
            return Decision(Fault.NONE, "no faults", slow_s)
        draw = self._draw("fault", task_id, generation, attempt)
        edge = 0.0
        for name, fault in _DRAWN.items():
            edge += getattr(self, name)
            if draw < edge:
                return Decision(fault, f"draw {draw:.6f} below {edge:g}", slow_s)
        return Decision(Fault.NONE, f"draw {draw:.6f} not below {edge:g}", slow_s)

    def _draw(self, purpose: str, task_id: str, generation: int, attempt: int) -> float:
        sticky = self.mode is FaultMode.PER_TASK
        return uniform(self.seed, purpose, task_id, 1 if sticky else generation, 0 if sticky else attempt)


_DRAWN: Mapping[str, Fault] = {
    "failure_rate": Fault.TRANSIENT,
    "permanent_rate": Fault.PERMANENT,
    "timeout_rate": Fault.TIMEOUT,
    "crash_before_rate": Fault.CRASH_BEFORE_EFFECT,
    "crash_after_rate": Fault.CRASH_AFTER_EFFECT,
}
"""The drawn faults in the order in which they share the draw: the first band is the failure rate's, so that adding a
rarer fault does not change which attempts fail by it."""
