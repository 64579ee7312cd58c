"""How long messages wait after a failed attempt, and by what: the retry policy of each queue as it is seen to work.

A message is tried again in one of two ways. It stays in its queue until its visibility timeout is over, which is the
queue's or one that somebody set by ChangeMessageVisibility; or whoever failed with it sends it anew, with a delay.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from dlqlab.analysis.flow import Flow, attempts_of, failures
from dlqlab.analysis.life_parts import Attempt, Delivery, Stay
from dlqlab.durations import duration

SAME_S, SAME_RATIO = 0.5, 0.1
"""Waits that differ by less, or by less of their size, are taken for the same."""


class How(StrEnum):
    """What makes a message wait."""

    TIMEOUT = "visibility timeout of the queue"
    CHANGED = "ChangeMessageVisibility"
    RESENT = "sent anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One wait after a failed attempt.

    ``failures``: how many attempts had failed by then. ``wait_s``: until the message could be received again, from the
    end of the attempt or, where its visibility timeout was changed, from then.
    """

    queue: str
    message_id: str
    failures: int
    wait_s: float
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The retries of one queue: the median wait by number of failures, how they are made, and how often at most."""

    queue: str
    waits_s: Mapping[int, float]
    hows: tuple[How, ...]
    n: int
    receives_max: int | None

    def __str__(self) -> str:
        """``tasks: backoff 2.0 s, 4.0 s by ChangeMessageVisibility, 3 receives``."""
        waits = list(self.waits_s.values())
        same = all(_is_same(one, waits[0]) for one in waits)
        by = " and ".join(self.hows)
        if len(waits) > 1 and not same:
            text = f"backoff {', '.join(duration(one) for one in waits)} by {by}"
        elif self.hows == (How.RESENT,):
            text = f"sent anew {'at once' if waits[0] < SAME_S else f'with {duration(waits[0])} of delay'}, no backoff"
        else:
            text = f"{duration(waits[0])} by {by}" + (", no backoff" if len(waits) > 1 else "")
        receives = "" if self.receives_max is None else f", {self.receives_max} receives"
        return f"{self.queue}: {text}{receives}"


def waits(flow: Flow) -> list[Wait]:
    """Every wait after a failed attempt, in queues that are nobody's dead-letter queue."""
    found = [each for stay in flow.work for each in _in_queue(stay)]
    return found + list(_sent_anew(flow))


def policies(flow: Flow, some: Sequence[Wait]) -> list[Policy]:
    """The policy of each queue, as these waits show it."""
    by_queue: dict[str, list[Wait]] = {}
    for wait in some:
        by_queue.setdefault(wait.queue, []).append(wait)
    return [_policy(flow, queue, of_queue) for queue, of_queue in by_queue.items()]


def resent_chains(flow: Flow) -> dict[str, list[Stay]]:
    """Messages that a function sent anew to the queue that it had the one before from; by the id of the first.

    One that comes back from other queues, sent there by function after function, is sent anew if it is still the same:
    with another body it may be the next step of some work.
    """
    by_id = {(stay.queue, stay.message_id): stay for stay in flow.work}
    parents = {stay.message_id: parent for stay in flow.stays if (parent := flow.parent_of(stay))}
    before = {
        (stay.queue, stay.message_id): parent
        for stay in flow.work
        if (parent := _same_before(flow, stay, parents, by_id.keys()))
    }
    chains: dict[str, list[Stay]] = {}
    first: dict[tuple[str, str], str] = {}
    for stay in flow.work:  # in the order in which they entered, so a parent comes before its children
        parent = before.get((stay.queue, stay.message_id))
        head = first.get((stay.queue, parent), parent) if parent else stay.message_id
        first[stay.queue, stay.message_id] = head
        if parent:
            chains.setdefault(head, [by_id[stay.queue, head]]).append(stay)
    return chains


def _same_before(flow: Flow, stay: Stay, parents: Mapping[str, str], known: AbstractSet[tuple[str, str]]) -> str | None:
    """Its parent, if that was in the same queue; else the last of those before it that was there with the same body."""
    parent, passed = parents.get(stay.message_id), {stay.message_id}
    while parent and parent not in passed and (stay.queue, parent) not in known:
        passed.add(parent)
        parent = parents.get(parent)
    if parent is None or parent in passed:
        return None
    own = flow.body_hash(stay.message_id)
    is_direct = len(passed) == 1
    return parent if is_direct or (own is not None and own == flow.body_hash(parent)) else None


def _in_queue(stay: Stay) -> Iterator[Wait]:
    failed = 0
    for delivery, _ in pairwise(stay.deliveries):
        last = _last_failure(delivery)
        failed += last is not None
        if last is None or last.ended_ts is None or delivery.ended_ts is None:
            continue
        yield Wait(
            queue=stay.queue,
            message_id=stay.message_id,
            failures=failed,
            wait_s=max(0.0, delivery.ended_ts - (delivery.hidden[-1].ts if delivery.hidden else last.ended_ts)),
            how=How.CHANGED if delivery.hidden else How.TIMEOUT,
        )


def _last_failure(delivery: Delivery) -> Attempt | None:
    failed = [each for each in delivery.attempts if each.has_failed]
    return failed[-1] if failed else None


def _sent_anew(flow: Flow) -> Iterator[Wait]:
    for chain in resent_chains(flow).values():
        for failed, (before, after) in enumerate(pairwise(chain), start=1):
            last = next((each for each in attempts_of(before) if each.request_id == after.sender_request_id), None)
            if last is None:
                continue
            yield Wait(
                queue=after.queue,
                message_id=after.message_id,
                failures=failed,
                wait_s=after.delay_s,
                how=How.RESENT,
            )


def _policy(flow: Flow, queue: str, some: Sequence[Wait]) -> Policy:
    by_failures: dict[int, list[float]] = {}
    for wait in some:
        by_failures.setdefault(wait.failures, []).append(wait.wait_s)
    receives = [len(failures(stay)) for stay in flow.moved_from.values() if stay.queue == queue]
    return Policy(
        queue=queue,
        waits_s={n: statistics.median(by_failures[n]) for n in sorted(by_failures)},
        hows=tuple(dict.fromkeys(wait.how for wait in some)),
        n=len(some),
        receives_max=max(receives, default=None),
    )


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) <= max(SAME_S, SAME_RATIO * max(one, other))
