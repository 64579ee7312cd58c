"""What a plan of faults from outside decides when a message enters a standard queue: it expires, or is visible late.

Of the faults that strike there the first one does, in the plan's order, as the emulator draws them. A message that
comes late, also in another order, meets no other fate for that; one that expires is gone before it is received. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dlqlab.analysis.flow import Flow
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.contracts.injection import REORDER_DRAW, Case, Fault, Kind, Place, Plan, draw, matches
from dlqlab.contracts.recorded import Kind as Event

EARLY_TOLERANCE_S = 0.01
"""So much sooner a receive may be recorded: a message's delay and the record go by two clocks."""
_ON_ENTERING = frozenset({Kind.LATE, Kind.REORDER, Kind.EXPIRED})

type Strikes = Callable[[Fault, str, int, float | None], bool | None]
"""Whether a fault strikes a message, by its id, its receive count and a time; None where that cannot be known."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A stay whose beginning a fault strikes. ``delay_s``: so much later than it is sent it is visible at the least."""

    stay: Stay
    fault: Fault
    delay_s: float

    @property
    def expires(self) -> bool:
        return self.fault.kind is Kind.EXPIRED

    @property
    def is_followed(self) -> bool:
        """Whether it expired unreceived; or had that delay, and nobody received it before."""
        stay = self.stay
        if self.expires:
            return stay.left == Event.EXPIRED and not stay.deliveries
        first_ts = stay.deliveries[0].received_ts if stay.deliveries else float("inf")
        is_early = first_ts < (stay.sent_ts or 0.0) + self.delay_s - EARLY_TOLERANCE_S
        return not is_early and stay.delay_s >= self.delay_s - EARLY_TOLERANCE_S


@dataclass(frozen=True)
class Entering:
    """The messages of a run as they enter standard queues, beside the plan. ``keys`` are what draws go by."""

    flow: Flow
    plan: Plan
    strikes: Strikes
    keys: Mapping[str, str]

    @cached_property
    def foreseen(self) -> tuple[Entered, ...]:
        """The stays of which the plan decides that they expire, or are visible late."""
        return tuple(Entered(stay, fault, self._delay_s(stay, fault)) for stay, fault in self._struck)

    @cached_property
    def _struck(self) -> tuple[tuple[Stay, Fault], ...]:
        faults = [fault for fault in self.plan.at(Place.QUEUE) if fault.kind in _ON_ENTERING]
        if not faults:
            return ()
        found = ((stay, self._first(faults, stay)) for stay in self.flow.stays if not stay.queue.endswith(".fifo"))
        return tuple((stay, fault) for stay, fault in found if fault is not None)

    def _first(self, faults: list[Fault], stay: Stay) -> Fault | None:
        """The fault that strikes a stay as it begins; None where none does, or that is not decided."""
        for fault in faults:
            if matches(fault.queue, stay.queue):
                is_struck = self._strikes(fault, stay)
                if is_struck is not False:
                    return fault if is_struck else None
        return None

    def _strikes(self, fault: Fault, stay: Stay) -> bool | None:
        return None if stay.sent_ts is None else self.strikes(fault, stay.message_id, self._count(stay), stay.sent_ts)

    def _delay_s(self, stay: Stay, fault: Fault) -> float:
        """The least delay that the plan gives it; what its sender asked for comes on top."""
        key = self.keys.get(stay.message_id)
        if fault.kind is not Kind.REORDER or key is None:
            return fault.seconds if fault.kind is Kind.LATE else 0.0
        case = Case(key=key, message_id=stay.message_id, receive_count=self._count(stay))
        return fault.seconds * draw(fault, case, self.plan.seed, REORDER_DRAW)

    def _count(self, stay: Stay) -> int:
        """How often it had been received before it came here, as draws count: a dead letter keeps its receives."""
        return max(1, self._counts.get((stay.message_id, stay.sent_ts), 0))

    @cached_property
    def _counts(self) -> Mapping[tuple[str, float | None], int]:
        rows = Rows(self.flow.recording).sent({stay.message_id for stay in self.flow.stays})
        return {(row["message_id"], row["ts"]): row["receive_count"] or 0 for row in rows}
