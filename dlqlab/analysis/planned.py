"""Whether a strike of a record is one of its plan: by whom it is meant for, its draw, and its time. Pure.

The record tells of a struck call which of its operation it was in the invocation, and of calls and requests which
attempt of the client: with the key and the receive count that is all that the plan goes by. Records of earlier versions
do not tell it; there a call is taken as planned where its names and its message are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dlqlab.analysis.deliveries import name_of
from dlqlab.analysis.fault_windows import InForce, is_on
from dlqlab.analysis.recorded_rows import Row
from dlqlab.analysis.stops import Stops
from dlqlab.contracts.aims import is_meant_call, is_meant_request
from dlqlab.contracts.injection import Case, Fault, Place, Plan, matches, strikes

_TOLD_AHEAD_S = 2.0
"""So much sooner than the first message of a queue is recorded, a strike that waited for it may be."""


@dataclass(frozen=True)
class Planned:
    """A plan, beside when it was in force, its stops, and when the first message entered each queue."""

    plan: Plan
    in_force: InForce
    stops: Stops
    entered_ts: Mapping[str, float]

    def has(self, row: Row) -> bool:
        """Whether the plan has this strike."""
        fault = next((one for one in self.plan.faults if one.name == row["fault"]), None)
        if fault is None or fault.kind != row["kind"]:
            return False
        if fault.place is Place.EMULATOR:
            return self.stops.is_planned(fault, row)
        return _is_meant(fault, row) and self._is_drawn(fault, row) and self._is_in_time(fault, row["ts"])

    def _is_drawn(self, fault: Fault, row: Row) -> bool:
        if fault.place is Place.CALL and row["nth"] is None:  # of an earlier version: its draw is not known
            fault = replace(fault, rate=1.0, nth=(), attempts=0)
        case = Case(
            key=row["task_key"],
            message_id=row["message_id"] or "",
            receive_count=row["receive_count"] or 1,
            nth=row["nth"] or 0,
            attempt=row["attempt"] or 1,
        )
        return strikes(fault, case, self.plan.seed)

    def _is_in_time(self, fault: Fault, ts: float) -> bool:
        """Whether it may be in its window, as far as that is known."""
        reached_ts = self.entered_ts.get(fault.after_queue)
        if reached_ts is not None and ts < reached_ts - _TOLD_AHEAD_S:
            return False
        return is_on(fault, ts, self.in_force, ts if fault.after_queue else None) is not False


def _is_meant(fault: Fault, row: Row) -> bool:
    function, operation = row["function"] or "", row["operation"] or ""
    if fault.place is Place.FUNCTION:
        return matches(fault.function, function)
    if fault.place is Place.QUEUE:
        return matches(fault.queue, name_of(row["queue"]))
    if fault.place is Place.REQUEST:
        return is_meant_request(fault, f"{operation} {row['resource'] or ''}")
    return is_meant_call(fault, function, f"{row['service']}:{operation}", row["resource"])
