"""What became of every message of a run, from the record alone: for any pipeline, with nothing of its own.

A **stay** is one message in one queue (``life_parts``). Stays are made of the same parts as ``trace`` shows, without
the calls of their invocations, so that a check and a trace cannot tell different things.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dlqlab.analysis.attempted import attempt_of
from dlqlab.analysis.deliveries import name_of, stays
from dlqlab.analysis.leaves import key_values, values_of
from dlqlab.analysis.life_parts import Attempt, Delivery, Stay
from dlqlab.analysis.recorded_rows import Row, Rows
from dlqlab.contracts.injection import KINDS, Place
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.topology import Topology

_AT_FUNCTIONS = frozenset(kind.value for kind, meaning in KINDS.items() if meaning.place is Place.FUNCTION)


@dataclass(frozen=True)
class Flow:
    """The messages of one run.

    Args:
        recording: of the run.
        topology: of the pipeline: queues that it does not name (probes, other pipelines) are left out; None: all count.
        promise: what is promised about them.
        since_ts: when the load began. A record begins with the minute before, in which the deployment or another run
            may have sent messages of its own: what was over by then is none of this run's.
    """

    recording: Recording
    topology: Topology | None = None
    promise: Promise = field(default_factory=Promise)
    since_ts: float = 0.0

    @cached_property
    def stays(self) -> tuple[Stay, ...]:
        """Every message in every queue, in the order in which they entered."""
        rows = [row for row in self.recording.messages.to_pylist() if self.is_own(row["queue"])]
        found = stays(rows, self._attempts, {})
        return tuple(stay for stay in found if stay.left_ts is None or stay.left_ts >= self.since_ts)

    def parent_of(self, stay: Stay) -> str | None:
        """The message whose invocation sent this one; of several in a batch the only one with the same body."""
        if stay.sender_kind != ActorKind.INVOCATION:
            return None
        others = [one for one in stay.parent_ids if one != stay.message_id]
        if len(others) > 1:
            own = self.body_hash(stay.message_id)
            others = [one for one in others if own is not None and self.body_hash(one) == own]
        return others[0] if len(others) == 1 else None

    def body_hash(self, message_id: str) -> str | None:
        """SHA-256 of the message's body as it was sent; None where that is not known."""
        return self._body_hashes.get(message_id)

    def is_about(self, call: Row, message_id: str) -> bool:
        """Whether the key of a call's item has a value of the message's body in it."""
        if not call["item_key"]:
            return False
        bodies = self._rows.bodies_of(self._rows.sent({message_id}))
        return not key_values(call["item_key"]).isdisjoint(values_of(bodies.get(message_id, "")))

    @cached_property
    def _rows(self) -> Rows:
        """One for all look-ups, since it makes its indices anew."""
        return Rows(self.recording)

    @cached_property
    def _body_hashes(self) -> Mapping[str, str]:
        rows = self.recording.messages.select(["message_id", "kind", "body_sha256"]).to_pylist()
        return {row["message_id"]: row["body_sha256"] for row in rows if row["kind"] == Kind.SENT}

    @cached_property
    def dead_letter_queues(self) -> frozenset[str]:
        """Names of the queues that messages were moved to or are declared to be moved to."""
        declared = {queue.dead_letters for queue in self.topology.queues} if self.topology else set()
        named = {queue.name for queue in self.topology.queues if queue.role in declared} if self.topology else set()
        return frozenset(named | {stay.queue for stay in self.stays if is_moved_here(stay)})

    @cached_property
    def work(self) -> tuple[Stay, ...]:
        """The stays in queues that are nobody's dead-letter queue."""
        return tuple(stay for stay in self.stays if stay.queue not in self.dead_letter_queues)

    @cached_property
    def letters(self) -> tuple[Stay, ...]:
        """The stays in dead-letter queues, whoever sent the message there."""
        return tuple(stay for stay in self.stays if stay.queue in self.dead_letter_queues)

    @cached_property
    def moved_from(self) -> Mapping[str, Stay]:
        """The stay that ended when SQS moved the message to a dead-letter queue, by message id; the last of several."""
        return {stay.message_id: stay for stay in self.stays if stay.left == Kind.MOVED}

    @cached_property
    def consumed_queues(self) -> frozenset[str]:
        """Names of the queues that a function works on, as declared or as seen."""
        declared = {one.queue for one in self.topology.consumers} if self.topology else set()
        named = {queue.name for queue in self.topology.queues if queue.role in declared} if self.topology else set()
        given = (row["source_arn"] for row in self.every_invocation if row["source"] == "mapping")
        return frozenset(named | {name_of(arn) for arn in given if arn})

    @cached_property
    def fifo_queues(self) -> frozenset[str]:
        """Names of the queues that keep the order of a group; AWS demands that they end with ``.fifo``."""
        return frozenset(stay.queue for stay in self.stays if stay.queue.endswith(".fifo"))

    @cached_property
    def invocations(self) -> tuple[Row, ...]:
        """The rows of the table of invocations that were given messages of these queues."""
        return tuple(
            row
            for row in self.every_invocation
            if row["message_ids"] and self.is_own(row["source_arn"] or "") and not self.is_over(row["ended_ts"])
        )

    def strikes_since(self, ts: float) -> tuple[Row, ...]:
        """The rows of the table of strikes from a time on: a run before may have had faults of its own."""
        return tuple(row for row in self.recording.faults.to_pylist() if row["ts"] is None or row["ts"] >= ts)

    @cached_property
    def struck_requests(self) -> frozenset[str]:
        """Invocations that a fault from outside struck, or a call of theirs."""
        return frozenset(filter(None, self.recording.faults["request_id"].to_pylist()))

    @cached_property
    def failed_from_outside(self) -> frozenset[str]:
        """Invocations that a fault struck themselves: what became of them is not their code's doing. Where only a call
        of theirs was struck, it is.
        """
        rows = self.recording.faults.select(["kind", "request_id"]).to_pylist()
        return frozenset(row["request_id"] for row in rows if row["request_id"] and row["kind"] in _AT_FUNCTIONS)

    @cached_property
    def calls(self) -> list[Row]:
        """The calls of functions and clients."""
        rows: list[Row] = self.recording.calls.to_pylist()
        return [row for row in rows if row["ts"] >= self.since_ts]

    @cached_property
    def every_invocation(self) -> list[Row]:
        """The whole table of invocations, of all functions and pipelines."""
        found: list[Row] = self.recording.invocations.to_pylist()
        return found

    @cached_property
    def _attempts(self) -> Mapping[str, list[Attempt]]:
        found: dict[str, list[Attempt]] = {}
        for row in self.every_invocation:
            for message_id in row["message_ids"] or ():
                found.setdefault(message_id, []).append(attempt_of(row, (), message_id, {}, self._rows.next_start(row)))
        return found

    @cached_property
    def _own_names(self) -> frozenset[str] | None:
        return frozenset(self.topology.queue_names.values()) if self.topology else None

    def is_over(self, ended_ts: float | None) -> bool:
        """Whether what ended then was over before the load began."""
        return ended_ts is not None and ended_ts < self.since_ts

    def is_own_caller(self, function: str | None) -> bool:
        """Whether it is a function of the pipeline, or none: several pipelines may share an emulator."""
        return function is None or self._own_functions is None or function in self._own_functions

    @cached_property
    def _own_functions(self) -> frozenset[str] | None:
        return frozenset(one.name for one in self.topology.functions) if self.topology else None

    def is_own(self, arn: str) -> bool:
        """Whether the queue of that ARN or name belongs to the pipeline."""
        return self._own_names is None or name_of(arn) in self._own_names


def is_moved_here(stay: Stay) -> bool:
    """Whether SQS moved the message into this queue: a dead letter keeps its id, so it is its own parent."""
    return stay.message_id in stay.parent_ids


def attempts_of(stay: Stay) -> Iterator[Attempt]:
    """The invocations that had the message in this queue and ran, in order."""
    return (each for delivery in stay.deliveries for each in delivery.attempts if each.has_run)


def successes(stay: Stay) -> list[Attempt]:
    """The attempts that did the message's work, by their own word."""
    return [each for each in attempts_of(stay) if each.has_succeeded]


def failures(stay: Stay) -> list[Attempt]:
    """The attempts that failed with the message or called it failed."""
    return [each for each in attempts_of(stay) if each.has_failed]


def counted(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The receives that count for the redrive policy."""
    return [each for each in deliveries if each.is_counted]


def ids(some: Iterable[Stay]) -> tuple[str, ...]:
    """Their message ids, each once, in order."""
    return tuple(dict.fromkeys(stay.message_id for stay in some))


def subjects_of(invocation: Row) -> tuple[str, ...]:
    """What an invocation is named by: the message that it was given; where it had several or none, its request id."""
    given = tuple(invocation["message_ids"] or ())
    return given if len(given) == 1 else (invocation["request_id"],)
