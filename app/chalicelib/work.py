"""The simulated work of a task and the simulated dependency that it calls. The effect is the write that follows it."""

from collections.abc import Callable
from typing import Never

from taskrules.faults import Decision, Fault


class DependencyError(RuntimeError):
    """What the dependency answers when it does not work: the circuit breaker counts these."""


class TransientFault(DependencyError):  # noqa: N818  (the name is what logs and reports show)
    """A simulated failure that a retry may help."""


class DependencyUnavailable(DependencyError):  # noqa: N818  (as above)
    """The dependency is down; a retry after the outage helps."""


class PermanentFault(RuntimeError):  # noqa: N818  (as above)
    """A simulated failure that no retry can help; the dependency works, the task is at fault."""


def work(decision: Decision, *, timeout_s: float, sleep: Callable[[float], None], crash: Callable[[], Never]) -> None:
    """Takes its time and fails as the plan says.

    Raises:
        TransientFault, DependencyUnavailable, PermanentFault: as planned.
    """
    if decision.slow_s:
        sleep(decision.slow_s)
    match decision.fault:
        case Fault.TRANSIENT:
            raise TransientFault(decision.reason)
        case Fault.OUTAGE:
            raise DependencyUnavailable(decision.reason)
        case Fault.PERMANENT:
            raise PermanentFault(decision.reason)
        case Fault.TIMEOUT:
            sleep(timeout_s + 1)
            raise TransientFault("the function outlived its timeout")
        case Fault.CRASH_BEFORE_EFFECT:
            crash()
