"""Which message of a run comes from which, as the twin counts it: roots enter, all others are sent by attempts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dlqlab.analysis.flow import Flow, attempts_of, is_moved_here
from dlqlab.analysis.life_parts import Attempt, Stay

type Place = tuple[str, str]
"""Queue and message id: a dead letter keeps its id."""


def place_of(stay: Stay) -> Place:
    """Where it stands."""
    return stay.queue, stay.message_id


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that an attempt sent, or may have sent: ``share`` is 1 over the number of its possible parents."""

    child: Stay
    parent: Stay
    attempt: Attempt
    share: float


@dataclass(slots=True)
class Chains:
    """The messages of a run in the queues that are simulated.

    ``roots``: those that enter. ``visits``: how many messages of its chain were in its queue before. ``first``: the
    root of each; None where several parents are possible. ``unsure``: how many have several.
    """

    roots: list[Stay] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    visits: dict[Place, int] = field(default_factory=dict)
    first: dict[Place, Place | None] = field(default_factory=dict)
    unsure: int = 0


def chains(flow: Flow, queues: Iterable[str], letters: Iterable[str]) -> Chains:
    """Of these queues, of which some are dead-letter queues."""
    own, dead, found = frozenset(queues), frozenset(letters), Chains()
    by_id: dict[str, list[Stay]] = {}
    counts: dict[Place, dict[str, int]] = {}
    for stay in flow.stays:  # in the order in which they entered: a parent comes before what it sends
        if stay.queue not in own or stay.sent_ts is None:
            continue
        parents = [by_id[one][-1] for one in stay.parent_ids if one != stay.message_id and one in by_id]
        moved_from = by_id[stay.message_id][-1] if is_moved_here(stay) and stay.message_id in by_id else None
        origin = moved_from or (parents[0] if parents else None)
        by_id.setdefault(stay.message_id, []).append(stay)
        place = place_of(stay)
        before = counts.get(place_of(origin), {}) if origin else {}
        found.visits[place] = before.get(stay.queue, 0)
        counts[place] = {**before, stay.queue: before.get(stay.queue, 0) + 1}
        if moved_from:
            found.first[place] = found.first[place_of(moved_from)]
        elif parents:
            found.unsure += len(parents) > 1
            found.first[place] = found.first[place_of(parents[0])] if len(parents) == 1 else None
            found.sent += _sent(stay, parents)
        else:
            found.first[place] = place
            if stay.queue not in dead:
                found.roots.append(stay)
    return found


def _sent(child: Stay, parents: list[Stay]) -> list[Sent]:
    sent = []
    for parent in parents:
        attempts = list(attempts_of(parent))
        by_request = [one for one in attempts if one.request_id == child.sender_request_id]
        if by_request or attempts:
            attempt = (by_request or attempts)[-1]
            sent.append(Sent(child=child, parent=parent, attempt=attempt, share=1 / len(parents)))
    return sent


def by_sender(sent: Iterable[Sent]) -> Mapping[tuple[Place, str], list[Sent]]:
    """What each attempt at each message sent, by the message's place and the attempt's request id."""
    found: dict[tuple[Place, str], list[Sent]] = {}
    for one in sent:
        found.setdefault((place_of(one.parent), one.attempt.request_id), []).append(one)
    return found
