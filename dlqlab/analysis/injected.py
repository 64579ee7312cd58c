"""What a plan of faults from outside decides by itself, delivery by delivery, held against the record.

The plan is a function of keys and receive counts, so that it says which deliveries must fail before anything happened.
Of a batch one struck message is enough: Lambda fails the whole of it (Using Lambda with Amazon SQS, "Error handling"),
and which messages were batch mates only the record knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dlqlab.analysis.draw_keys import keys_of
from dlqlab.analysis.entering import Entering
from dlqlab.analysis.fault_windows import InForce, has_window, is_on
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.life_parts import Attempt, Delivery, Stay
from dlqlab.analysis.planned import Planned
from dlqlab.analysis.recorded_rows import Row
from dlqlab.analysis.stops import Stops
from dlqlab.contracts.injection import FAILURES, Case, Fault, Kind, Place, Plan, matches, strikes
from dlqlab.contracts.recorded import Kind as Event
from dlqlab.contracts.recorded import Outcome

_PAST_TIMEOUT_S = 1.0
_REFUSING = frozenset({Kind.CALL_THROTTLED, Kind.CALL_FAILED, Kind.CALL_DENIED, Kind.CALL_RESET})
_ASKED = frozenset({Kind.NAMED, Kind.MALFORMED})
"""Failures only where the mapping asks for batchItemFailures: elsewhere every answer is success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """One delivery to a function, as the plan sees it.

    ``must_fail``: None where the plan alone does not decide it. ``fault`` is the one that fails it, ``is_own`` whether
    it struck this message and not only a mate of its batch. ``has_failed`` is measured; None where the record ends.
    """

    stay: Stay
    delivery: Delivery
    attempt: Attempt
    must_fail: bool | None
    fault: str | None
    is_own: bool
    has_failed: bool | None


@dataclass(frozen=True)
class Oracle:
    """A plan beside the messages of a run."""

    flow: Flow
    plan: Plan
    in_force: InForce = field(default_factory=InForce)

    @cached_property
    def deliveries(self) -> tuple[Foreseen, ...]:
        """Every delivery that a mapping gave to a function whose code, or init, came to an end of any kind."""
        return tuple(self._foreseen())

    @cached_property
    def strikes(self) -> Sequence[Row]:
        """The rows of the record's table of strikes, from when the plan can have been in force."""
        began_ts = self.in_force.began_ts
        return self.flow.strikes_since(0.0 if began_ts is None else began_ts - self.in_force.unsure_s)

    @cached_property
    def struck_receives(self) -> frozenset[tuple[str, int]]:
        """Receives of messages that anything struck: message id, receive count."""
        return frozenset((row["message_id"], row["receive_count"] or 1) for row in self.strikes if row["message_id"])

    @cached_property
    def refused_receives(self) -> frozenset[tuple[str, int]]:
        """Receives of messages for which a call was refused however often it was tried: message id, receive count."""
        lasting = {one.name for one in self.plan.at(Place.CALL) if one.kind in _REFUSING and not one.attempts}
        return frozenset(
            (row["message_id"], row["receive_count"] or 1)
            for row in self.strikes
            if row["message_id"] and row["fault"] in lasting
        )

    @cached_property
    def letters_due(self) -> tuple[Stay, ...]:
        """The stays in queues of work of which the plan fails every allowed receive by their own key."""
        return tuple(stay for stay in self.flow.work if self._is_due(stay))

    def unplanned(self) -> Iterator[Row]:
        """Recorded strikes that the plan does not have."""
        planned = Planned(self.plan, self.in_force, self.stops, self._entered_ts)
        return (row for row in self.strikes if not planned.has(row))

    @cached_property
    def stops(self) -> Stops:
        """The stops of the emulator."""
        return Stops(self.plan, self.strikes, self.in_force, self._entered_ts)

    @cached_property
    def entering(self) -> Entering:
        """What the plan does to messages as they enter their queues."""
        return Entering(self.flow, self.plan, self._strikes, self._keys)

    def undone_drops(self) -> Iterator[Stay]:
        """Stays that a mapping's delete ended, although the plan drops the delete of that receive."""
        drops = [one for one in self.plan.at(Place.QUEUE) if one.kind is Kind.DELETE_DROPPED]
        for stay in self.flow.stays if drops else ():
            if stay.left == Event.DELETED and stay.deliveries and not stay.left_late:
                last = stay.deliveries[-1]
                meant = (one for one in drops if matches(one.queue, stay.queue))
                if any(self._strikes(one, stay.message_id, last.receive_count, stay.left_ts) for one in meant):
                    yield stay

    def is_explained(self, stay: Stay) -> bool:
        """Whether each counted receive of a dead letter has a failure, a strike, or nobody free to try it."""
        return all(
            (stay.message_id, each.receive_count or 1) in self.struck_receives
            or any(
                one.has_failed
                or one.outcome in {Outcome.THROTTLED, Outcome.INIT_ERROR}
                or one.request_id in self.flow.struck_requests
                for one in each.attempts
            )
            for each in stay.deliveries
            if each.is_counted
        )

    def _foreseen(self) -> Iterator[Foreseen]:
        for stay in self.flow.stays:
            for delivery in stay.deliveries:
                for attempt in delivery.attempts:
                    if attempt.source == "mapping" and attempt.outcome != Outcome.THROTTLED:
                        yield self._of(stay, delivery, attempt)

    def _of(self, stay: Stay, delivery: Delivery, attempt: Attempt) -> Foreseen:
        own = self._struck(attempt, stay.message_id)
        cut_off_by = self.stops.cut_off_by(attempt.request_id)
        mates = [self._struck(attempt, one, as_mate=True) for one in attempt.message_ids if one != stay.message_id]
        found = next((one for one in (own, *mates) if isinstance(one, Fault)), None)
        is_open = found is None and (None in (own, *mates) or self.stops.is_touched(attempt))
        return Foreseen(
            stay=stay,
            delivery=delivery,
            attempt=attempt,
            must_fail=True if found or cut_off_by else None if is_open else False,
            fault=found.name if found else cut_off_by,
            is_own=isinstance(own, Fault) or cut_off_by is not None,
            has_failed=None if attempt.outcome is None else has_failed(attempt),
        )

    def _struck(self, attempt: Attempt, message_id: str, *, as_mate: bool = False) -> Fault | bool | None:
        """The fault by which this message fails the attempt; False where none does, None where that is not decided."""
        answer: bool | None = False
        for fault in self._failing(attempt):
            if as_mate and fault.kind is Kind.NAMED:
                continue
            count = self._counts.get((attempt.request_id, message_id))
            strikes_it = self._strikes(fault, message_id, count, attempt.started_ts)
            if strikes_it:
                return fault
            answer = None if strikes_it is None else answer
        return answer

    def _failing(self, attempt: Attempt) -> Iterator[Fault]:
        """The plan's faults that fail this invocation if they strike a message of it."""
        for fault in self.plan.at(Place.FUNCTION):
            if matches(fault.function, attempt.function) and self._fails(
                fault, attempt.function, asks=bool(attempt.reports_failures)
            ):
                yield fault

    def _fails(self, fault: Fault, function: str, *, asks: bool) -> bool:
        if fault.kind is Kind.KILL:
            return not fault.seconds  # later than that it may be done before
        if fault.kind is Kind.STALL:
            timeout_s = self._timeouts_s.get(function)
            return timeout_s is not None and fault.seconds >= timeout_s + _PAST_TIMEOUT_S
        return fault.kind in FAILURES or (asks and fault.kind in _ASKED)

    def _strikes(self, fault: Fault, message_id: str, count: int | None, ts: float | None) -> bool | None:
        """Whether a fault of the plan strikes a message at a time; None where that cannot be known."""
        needs_key = bool(fault.keys) or fault.rate < 1
        key = self._keys.get(message_id)
        if (key is None and needs_key) or count is None:
            return None
        case = Case(key=key or message_id, message_id=message_id, receive_count=count)
        return strikes(fault, case, self.plan.seed) and self._is_on(fault, ts)

    def _is_on(self, fault: Fault, ts: float | None) -> bool | None:
        reached_ts = self._entered_ts.get(fault.after_queue) if fault.after_queue else None
        return is_on(fault, ts, self.in_force, reached_ts)

    def _is_due(self, stay: Stay) -> bool:
        topology = self.flow.topology
        queue = next((one for one in topology.queues if one.name == stay.queue), None) if topology else None
        if topology is None or queue is None or queue.max_receive_count is None or queue.dead_letters is None:
            return False
        consumers = [one for one in topology.consumers if one.queue == queue.role and one.is_enabled]
        takers = [(topology.function(one.function).name, bool(one.response_types)) for one in consumers]
        return bool(takers) and all(
            any(self._fails_always(fault, takers, stay.message_id, count) for fault in self.plan.at(Place.FUNCTION))
            for count in range(1, queue.max_receive_count + 1)
        )

    def _fails_always(self, fault: Fault, takers: Sequence[tuple[str, bool]], message_id: str, count: int) -> bool:
        return (
            not has_window(fault)
            and not fault.after_queue
            and all(matches(fault.function, name) and self._fails(fault, name, asks=asks) for name, asks in takers)
            and self._strikes(fault, message_id, count, None) is True
        )

    @cached_property
    def _counts(self) -> Mapping[tuple[str, str], int | None]:
        """Receive counts by invocation and message."""
        return {
            (attempt.request_id, stay.message_id): delivery.receive_count
            for stay in self.flow.stays
            for delivery in stay.deliveries
            for attempt in delivery.attempts
        }

    @cached_property
    def _timeouts_s(self) -> Mapping[str, int | None]:
        topology = self.flow.topology
        return {one.name: one.timeout_s for one in topology.functions} if topology else {}

    @cached_property
    def _entered_ts(self) -> Mapping[str, float]:
        """When the first message entered each queue."""
        found: dict[str, float] = {}
        for stay in self.flow.stays:
            if stay.sent_ts is not None:
                found[stay.queue] = min(found.get(stay.queue, stay.sent_ts), stay.sent_ts)
        return found

    @cached_property
    def _keys(self) -> Mapping[str, str]:
        """What the draws go by, by message id; without those of which the record cannot tell."""
        return keys_of(self.flow, self.strikes, by_path=self.plan.task_key is not None)


def has_failed(attempt: Attempt) -> bool:
    """Whether an invocation that ended left the message undone by its outcome or its answer."""
    return attempt.outcome != Outcome.OK or bool(attempt.failed)


def is_taken_along(one: Foreseen) -> bool:
    """Whether a delivery fails by the plan only because of a mate of its batch."""
    return bool(one.must_fail) and not one.is_own
