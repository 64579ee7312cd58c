"""Every delivery of a run to a function, with its invocation: what a consumer's rates and times are counted from."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlqlab.analysis.flow import Flow
from dlqlab.analysis.life_parts import Attempt, Delivery, Stay
from dlqlab.contracts.recorded import ActorKind, Kind, Outcome

type Pair = tuple[str, str]
"""A queue and the function that works on it."""


@dataclass(frozen=True, slots=True)
class Try:
    """One message in one invocation. ``stays``: it was not deleted by its mapping after it."""

    stay: Stay
    delivery: Delivery
    attempt: Attempt

    @property
    def stays(self) -> bool:
        return bool(self.attempt.failed)

    @property
    def receives(self) -> int:
        return self.delivery.receive_count or 1


def tries_of(flow: Flow) -> dict[Pair, list[Try]]:
    """By queue and function, in the order of the messages."""
    found: dict[Pair, list[Try]] = {}
    for stay in flow.stays:
        for delivery in stay.deliveries:
            if delivery.actor_kind != ActorKind.MAPPING:
                continue
            for attempt in delivery.attempts:
                if attempt.has_run:
                    found.setdefault((stay.queue, attempt.function), []).append(Try(stay, delivery, attempt))
    return found


@dataclass(frozen=True, slots=True)
class Invoked:
    """One invocation of a consumer with its messages."""

    attempt: Attempt
    tries: tuple[Try, ...]

    @property
    def raised(self) -> bool:
        """Whether its whole batch stays because of how it ended, not of what it answered."""
        return self.attempt.outcome != Outcome.OK

    @property
    def took_s(self) -> float | None:
        """Without an init."""
        if self.attempt.ended_ts is None:
            return None
        whole_s = self.attempt.ended_ts - self.attempt.started_ts
        return whole_s if self.attempt.init_s is None else self.attempt.duration_s

    @property
    def init_s(self) -> float | None:
        """What a cold start added; None where it was warm."""
        if self.attempt.init_s is None or self.attempt.ended_ts is None or self.attempt.duration_s is None:
            return None
        return max(0.0, self.attempt.ended_ts - self.attempt.started_ts - self.attempt.duration_s)

    @property
    def deliver_s(self) -> float:
        """From its last receive to its start."""
        return max(0.0, self.attempt.started_ts - max(one.delivery.received_ts for one in self.tries))

    @property
    def settle_s(self) -> float | None:
        """From its end until its mapping had deleted; None where it deleted nothing."""
        ended_ts = self.attempt.ended_ts
        left = [
            one.delivery.ended_ts
            for one in self.tries
            if one.delivery.ended == Kind.DELETED and one.delivery.ended_ts is not None
        ]
        return None if ended_ts is None or not left else max(0.0, max(left) - ended_ts)


def invocations_of(tries: Sequence[Try]) -> list[Invoked]:
    """Each invocation once."""
    found: dict[str, list[Try]] = {}
    for one in tries:
        found.setdefault(one.attempt.request_id, []).append(one)
    return [Invoked(some[0].attempt, tuple(some)) for some in found.values()]
