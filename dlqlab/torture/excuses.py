"""Members of sets that a fault alone put there, whatever the pipeline does, or of which the row ended too soon."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dlqlab.analysis.draw_keys import keys_of
from dlqlab.analysis.flow import Flow, attempts_of, failures, successes
from dlqlab.analysis.injected import Oracle
from dlqlab.analysis.life_parts import Attempt, Stay
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.injection import KINDS, Kind, Place
from dlqlab.torture.never_made import is_work

_AFTER_WORK = frozenset({Kind.ANSWER_LOST, Kind.KILL, Kind.MEMORY, Kind.MALFORMED, Kind.NAMED})
"""They let the handler do its work, and fail the invocation all the same."""
_TOO_SOON = frozenset({"open", "not_done"})
_AT_FUNCTIONS = frozenset(kind for kind, meaning in KINDS.items() if meaning.place is Place.FUNCTION)


@dataclass(frozen=True)
class Excuses:
    """Which invocations faults struck, by their kinds; ``hidden`` are the stays of which it is too soon to tell."""

    oracle: Oracle
    hidden: tuple[Stay, ...] = ()

    def kept(self, name: str, members: Iterable[str]) -> tuple[str, ...]:
        """The members of a set, by its name, without those that the fault alone put there."""
        if name in _TOO_SOON:
            return tuple(one for one in members if one not in self._undecided)
        excuse = _EXCUSES.get(name)
        if excuse is None:
            return tuple(members)
        return tuple(one for one in members if not any(excuse(self, stay) for stay in self._stays.get(one, ())))

    def is_struck(self, attempt: Attempt, kinds: Iterable[Kind]) -> bool:
        """Whether a fault of one of the kinds struck the invocation."""
        return any(attempt.request_id in self._requests.get(kind, ()) for kind in kinds)

    def has_worked_after(self, attempt: Attempt, ts: float) -> bool:
        """Whether the invocation made a call that may be work, later than that."""
        return any(row["ts"] > ts and is_work(row) for row in self._calls.get(attempt.request_id, ()))

    def calls_for(self, stay: Stay, attempt: Attempt) -> list[Row]:
        """The calls of an attempt, of a batch those about an item in whose key the task's key stands."""
        calls, key = self._calls.get(attempt.request_id, []), self._keys.get(stay.message_id)
        return calls if attempt.batch == 1 else [row for row in calls if key and key in (row["item_key"] or "")]

    @cached_property
    def duplicated(self) -> frozenset[str]:
        """Messages that a fault gave out a second time."""
        return frozenset(row["message_id"] for row in self.oracle.strikes if row["kind"] == Kind.DUPLICATE)

    @cached_property
    def _keys(self) -> Mapping[str, str]:
        return keys_of(self.oracle.flow, self.oracle.strikes, by_path=self.oracle.plan.task_key is not None)

    @cached_property
    def _calls(self) -> Mapping[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.oracle.flow.calls:
            found.setdefault(row["request_id"] or "", []).append(row)
        return found

    @cached_property
    def _requests(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self.oracle.strikes:
            found.setdefault(row["kind"], set()).add(row["request_id"])
        return found

    @cached_property
    def _undecided(self) -> frozenset[str]:
        """Messages, and the keys of their tasks."""
        found = {stay.message_id for stay in self.hidden}
        return frozenset(found | {self._keys[one] for one in found if one in self._keys})

    @cached_property
    def _stays(self) -> Mapping[str, list[Stay]]:
        found: dict[str, list[Stay]] = {}
        for stay in self.oracle.flow.stays:
            found.setdefault(stay.message_id, []).append(stay)
        return found


def still_hidden(flow: Flow, ended_ts: float | None) -> tuple[Stay, ...]:
    """The stays that a visibility timeout still held back when the row ended, in queues with a redrive policy: they
    were to come again, or to become dead letters.
    """
    policies = {one.name for one in flow.topology.queues if one.max_receive_count} if flow.topology else set()
    return tuple(
        stay
        for stay in flow.work
        if stay.left is None and stay.queue in policies and ended_ts is not None and _hidden_until(stay) > ended_ts
    )


def _hidden_until(stay: Stay) -> float:
    last = stay.deliveries[-1] if stay.deliveries else None
    if last is None or last.ended_ts is not None:
        return 0.0
    if last.hidden:
        return last.hidden[-1].ts + last.hidden[-1].seconds
    return last.received_ts + (last.visible_after_s or 0.0)


def _was_done(excuses: Excuses, stay: Stay) -> bool:
    """Every failure came after the work: a handler that deletes when it is done, and then lost its answer.

    One that went on to work after the delete was not done by then.
    """
    failed = failures(stay)
    deleted_ts = float("inf") if stay.left_ts is None else stay.left_ts
    return bool(failed) and all(
        excuses.is_struck(each, _AFTER_WORK) and not excuses.has_worked_after(each, deleted_ts) for each in failed
    )


def _could_not_wait(excuses: Excuses, stay: Stay) -> bool:
    """An attempt failed from outside, so that no code could set how long the message waits."""
    return any(excuses.is_struck(each, _AT_FUNCTIONS) for each in failures(stay))


def _named_from_outside(excuses: Excuses, stay: Stay) -> bool:
    """The message that failed before it in the batch was named by a fault: its handler had done it."""
    return any(excuses.is_struck(each, [Kind.NAMED]) for each in attempts_of(stay))


def _was_recognised(excuses: Excuses, stay: Stay) -> bool:
    """All its successes but one looked, and did nothing: their calls that may be work were refused."""
    done = successes(stay)
    calls = [excuses.calls_for(stay, each) for each in done]
    idle = sum(bool(some) and not any(is_work(row) and not row["error_code"] for row in some) for some in calls)
    return len(done) > 1 and len(done) - idle <= 1


def _was_duplicated(excuses: Excuses, stay: Stay) -> bool:
    """A fault gave it out twice, whatever its visibility timeout."""
    return stay.message_id in excuses.duplicated


_EXCUSES: Mapping[str, Callable[[Excuses, Stay], bool]] = {
    "deleted_unfinished": _was_done,
    "done_again": _was_recognised,
    "at_once": _was_duplicated,
    "early": _could_not_wait,
    "late": _could_not_wait,
    "gone_on_after_a_failure": _named_from_outside,
}
