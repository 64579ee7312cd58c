"""When the emulator stood still or was gone by a plan of faults from outside, and which invocations that cut off.

When a stop is due the plan says, what was under way then only the record: the strike names each message of an
invocation that an outage cut off. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dlqlab.analysis.fault_windows import InForce
from dlqlab.analysis.life_parts import Attempt
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.injection import Fault, Place, Plan

_LATE_S = 5.0
"""So much later than it is due a stop may begin on a busy machine."""
_BACK_S = 1.0
"""So long after a stop its effects may last: what had just started is killed as well."""


@dataclass(frozen=True)
class Stops:
    """The stops of a plan beside the strikes of a record."""

    plan: Plan
    strikes: Sequence[Row]
    in_force: InForce
    entered_ts: Mapping[str, float] = field(default_factory=dict)
    """When the first message entered each queue, by its name."""

    def cut_off_by(self, request_id: str) -> str | None:
        """The outage that cut an invocation off, by its name."""
        return self._cut_off.get(request_id)

    def is_touched(self, attempt: Attempt) -> bool:
        """Whether an invocation was under way in a stop, or began in it: then it may have failed for that."""
        ended_ts = attempt.ended_ts if attempt.ended_ts is not None else float("inf")
        return any(attempt.started_ts <= last_ts and ended_ts >= first_ts for first_ts, last_ts in self._spans)

    def missing(self) -> Iterator[str]:
        """The stops that were due while the plan was in force, and are not in the record; by their names."""
        ended_ts, load_began_ts = self.in_force.ended_ts, self.in_force.load_began_ts
        if ended_ts is None or load_began_ts is None:
            return
        struck = {row["fault"] for row in self.strikes}
        for fault in self._faults.values():
            due_ts = self._due_ts(fault)
            if due_ts is None or fault.name in struck:
                continue
            if load_began_ts <= due_ts - self.in_force.unsure_s and due_ts + _LATE_S < ended_ts:
                yield fault.name

    def is_planned(self, fault: Fault, row: Row) -> bool:
        """Whether a strike of a stop is not sooner than it is due, and of its only time."""
        own = [one for one in self.strikes if one["fault"] == fault.name and _is_of_stop(one)]
        due_ts = self._due_ts(fault)
        is_due = due_ts is None or row["ts"] >= due_ts - self.in_force.unsure_s
        return is_due and (not _is_of_stop(row) or row["ts"] == own[0]["ts"])

    def _due_ts(self, fault: Fault) -> float | None:
        """When it is due; None where that is not known, or nothing entered the queue that it waits for."""
        began_ts = self.entered_ts.get(fault.after_queue) if fault.after_queue else self.in_force.began_ts
        return None if began_ts is None else began_ts + fault.from_s

    @cached_property
    def _faults(self) -> Mapping[str, Fault]:
        return {fault.name: fault for fault in self.plan.at(Place.EMULATOR)}

    @cached_property
    def _cut_off(self) -> Mapping[str, str]:
        return {
            row["request_id"]: row["fault"]
            for row in self.strikes
            if row["fault"] in self._faults and row["request_id"] is not None
        }

    @cached_property
    def _spans(self) -> Sequence[tuple[float, float]]:
        """When it stopped: first and last second, as seconds since the epoch."""
        return [
            (row["ts"], row["ts"] + self._faults[row["fault"]].seconds + _BACK_S)
            for row in self.strikes
            if row["fault"] in self._faults and _is_of_stop(row)
        ]


def _is_of_stop(row: Row) -> bool:
    """Whether a strike tells of the stop itself, not of an invocation that it cut off."""
    return row["request_id"] is None
