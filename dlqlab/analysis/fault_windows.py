"""When a fault from outside can strike: while its plan is in force, in its window, after its queue was reached."""

from dataclasses import dataclass

from dlqlab.contracts.injection import Fault

PUT_WITHIN_S = 2.0
"""So long the emulator may take to say that a plan is in force."""
PUT_AHEAD_S = 5.0
"""A plan is put in force no longer than this before the load begins, where the run does not say when it was."""
_UNTIL_ENDLESS_S = 86_400.0


@dataclass(frozen=True, slots=True)
class InForce:
    """From when until when a plan was in force, in seconds since the epoch; None where nobody says.

    ``unsure_s``: so much sooner than ``began_ts`` it may have begun. ``load_began_ts``: with the load a run's record
    begins.
    """

    began_ts: float | None = None
    ended_ts: float | None = None
    unsure_s: float = PUT_AHEAD_S
    load_began_ts: float | None = None


def has_window(fault: Fault) -> bool:
    """Whether a fault strikes for a part of the time only."""
    return fault.from_s > 0 or fault.until_s < _UNTIL_ENDLESS_S


def is_on(fault: Fault, ts: float | None, in_force: InForce, reached_ts: float | None) -> bool | None:
    """Whether a fault can strike at a time; None where that is not decided.

    Args:
        fault: of the plan.
        ts: the time; None where it is not known.
        in_force: when the plan was.
        reached_ts: when the first message entered the queue that the fault waits for; None where none did, or it waits
            for none.
    """
    if fault.after_queue and (reached_ts is None or ts is None or ts < reached_ts):
        return False if ts is not None else None
    began_ts, ended_ts = in_force.began_ts, in_force.ended_ts
    if began_ts is None or ts is None:
        return None if has_window(fault) else True
    if ts < began_ts - in_force.unsure_s:
        return False
    if ts < began_ts or (ended_ts is not None and ts >= ended_ts):
        return None
    first_s, last_s = ts - began_ts, ts - began_ts + in_force.unsure_s
    if last_s < fault.from_s or first_s >= fault.until_s:
        return False
    return True if first_s >= fault.from_s and last_s < fault.until_s else None
