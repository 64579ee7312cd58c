"""Fault plan: which attempt of which task fails, and how. Declared, seeded, known before the run starts."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any, Self

from taskrules.bounds import check, ratio, setting
from taskrules.draws import uniform


class FaultMode(StrEnum):
    """What the failure rate counts."""

    PER_ATTEMPT = "per_attempt"  # each attempt fails by a draw of its own
    PER_TASK = "per_task"  # one draw for the task: it always fails or never
    NONE = "none"


class Leaves(StrEnum):
    """What an attempt leaves behind, with a fault or without one."""

    SUCCESS = "success"  # the effect and its report
    FAILURE = "failure"  # no effect, and the report of an error
    NOTHING = "nothing"  # neither: the process ended before the effect
    EFFECT = "effect"  # the effect without a certain report: the process ended right after it


class Fault(StrEnum):
    """What happens to an attempt: one row each, from which all else about a fault derives.

    ``rate`` is the field of FaultPlan that gives its share of the draw, empty for one that is not drawn; ``meaning``
    says in a sentence what that share is of. ``is_retried``: the task is still to be done and another attempt may do
    it; an attempt that reports a failure and is not retried sends its task to the dead-letter queue. ``error`` is the
    type that the attempt's report names, empty where nothing is reported.

    Drawn faults share the draw in the order of their rows: the first band is the failure rate's, so that adding a rarer
    fault does not change which attempts fail by it.
    """

    rate: str
    leaves: Leaves
    is_retried: bool
    error: str
    meaning: str

    def __new__(cls, name: str, rate: str, leaves: Leaves, is_retried: bool, error: str, meaning: str) -> Self:
        made = str.__new__(cls, name)
        made._value_ = name
        made.rate, made.leaves, made.is_retried, made.error, made.meaning = rate, leaves, is_retried, error, meaning
        return made

    NONE = "none", "", Leaves.SUCCESS, False, "", ""
    TRANSIENT = (
        "transient", "failure_rate", Leaves.FAILURE, True, "TransientFault",
        "share of attempts (or tasks) that fail",
    )  # fmt: skip
    PERMANENT = (
        "permanent", "permanent_rate", Leaves.FAILURE, False, "PermanentFault",
        "share that fails with an error that no retry helps",
    )  # fmt: skip
    TIMEOUT = (
        "timeout", "timeout_rate", Leaves.NOTHING, True, "",
        "share that works on until Lambda ends the function",
    )  # fmt: skip
    CRASH_BEFORE_EFFECT = (
        "crash_before_effect", "crash_before_rate", Leaves.NOTHING, True, "",
        "share whose process dies before the effect",
    )  # fmt: skip
    CRASH_AFTER_EFFECT = (
        "crash_after_effect", "crash_after_rate", Leaves.EFFECT, False, "",
        "share whose process dies after the effect, before the message is deleted",
    )  # fmt: skip
    OUTAGE = "outage", "", Leaves.FAILURE, True, "DependencyUnavailable", ""  # the dependency is down

    @property
    def is_reported(self) -> bool:
        """Whether the function itself says that the attempt failed."""
        return self.leaves is Leaves.FAILURE

    @property
    def is_death(self) -> bool:
        """Whether the process ends over the attempt, and with it the function's whole batch."""
        return self.leaves in (Leaves.NOTHING, Leaves.EFFECT)


DRAWN = tuple(fault for fault in Fault if fault.rate)
"""The drawn faults in the order in which they share the draw."""

MESSAGE_ALWAYS_FAILS = "ERROR"
MESSAGE_NEVER_FAILS = "SUCCESS"


def _seconds(default: float, meaning: str) -> Any:
    return setting(default, meaning, 0, give="seconds of 0 or more")


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
    mode: FaultMode = setting(
        FaultMode.PER_ATTEMPT,
        "what the failure rate counts: attempts, each by its own draw, or tasks, by one draw each",
    )
    failure_rate: float = ratio(0.3, Fault.TRANSIENT.meaning)
    permanent_suffix: str = setting("", "tasks whose id ends so always fail; empty for none")
    permanent_rate: float = ratio(0.0, Fault.PERMANENT.meaning)
    timeout_rate: float = ratio(0.0, Fault.TIMEOUT.meaning)
    crash_before_rate: float = ratio(0.0, Fault.CRASH_BEFORE_EFFECT.meaning)
    crash_after_rate: float = ratio(0.0, Fault.CRASH_AFTER_EFFECT.meaning)
    slow_rate: float = ratio(0.0, "share that takes `slow_s` longer")
    slow_s: float = _seconds(0.0, "how much longer a slow attempt takes")
    duplicate_rate: float = ratio(0.0, "share of tasks whose message is sent twice")
    api_crash_rate: float = ratio(0.0, "share of submissions whose function dies between the item and its message")
    outage_start_s: float = _seconds(0.0, "when the dependency goes down, counted from the functions' configuration")
    outage_duration_s: float = _seconds(0.0, "for how long every attempt then fails; 0 for no outage")

    def __post_init__(self) -> None:
        check(self)
        if self.share(*DRAWN) > 1 + 1e-9:
            rates = " + ".join(fault.rate for fault in DRAWN)
            raise ValueError(f"{rates} is over 1: an attempt has one fault at most, lower the rates")

    def rate_of(self, fault: Fault) -> float:
        """The share of the draw that a drawn fault has."""
        rate: float = getattr(self, fault.rate)
        return rate

    def share(self, *faults: Fault) -> float:
        """The share of the draw that these have together."""
        return sum(self.rate_of(fault) for fault in faults)

    def edges(self) -> tuple[float, ...]:
        """Upper ends of the bands of the drawn faults, which share the draw in their order."""
        return tuple(accumulate(map(self.rate_of, DRAWN)))

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
        for fault in DRAWN:
            edge += getattr(self, fault.rate)
            if draw < edge:
                return Decision(fault, f"draw {draw:.6f} below {edge:g}", slow_s)
        return Decision(Fault.NONE, f"draw {draw:.6f} not below {edge:g}", slow_s)

    def _draw(self, purpose: str, task_id: str, generation: int, attempt: int) -> float:
        sticky = self.mode is FaultMode.PER_TASK
        return uniform(self.seed, purpose, task_id, 1 if sticky else generation, 0 if sticky else attempt)
