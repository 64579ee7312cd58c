"""The life of one task: the client's request, what it caused, each message with all its deliveries, to its end.

Pure: from a ``Recording`` alone. What the record cannot tell is said in ``Life.notes`` and never guessed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dlqlab.analysis.attempted import attempt_of, call_of
from dlqlab.analysis.deliveries import Attempts, stays
from dlqlab.analysis.following import Chain, chains
from dlqlab.analysis.keys import Found
from dlqlab.analysis.life_parts import Attempt, Call, Stay
from dlqlab.analysis.recorded_rows import Row, Rows, is_of_client, texts
from dlqlab.contracts.recorded import ActorKind
from dlqlab.wording import count

_READS = frozenset({"GET", "HEAD", "GetItem", "BatchGetItem", "Query", "Scan"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked for, and the invocations that it caused."""

    call: Call
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One task. ``others`` are invocations that sent one of its messages or were about it, and had none of them.

    Times are seconds since the epoch; ``ended_ts`` is that of the last thing that is recorded of it.
    """

    key: str
    how: tuple[str, ...]
    requests: tuple[Request, ...]
    others: tuple[Attempt, ...]
    stays: tuple[Stay, ...]
    notes: tuple[str, ...]
    started_ts: float
    ended_ts: float


def lives(rows: Rows, found: Found) -> list[Life]:
    """The lives that a key names; several where it is one of a batch, a trace or a value that several tasks share."""
    if not found.message_ids and found.request_ids:
        return [_life(rows, found, Chain())]
    return [_life(rows, found, chain) for chain in chains(rows, found)]


def _life(rows: Rows, found: Found, chain: Chain) -> Life:
    message_rows = rows.messages(chain.ids)
    entered = [row for row in message_rows if row["kind"] == "sent"]
    given = rows.invocations_given(chain.ids)
    had = {row["request_id"] for row in given}
    asked = {row["request_id"] for row in entered} | (
        set(found.request_ids) if not found.message_ids or found.is_task else set()
    )
    others = [row for row in rows.invocations(set(texts(asked))) if row["request_id"] not in had]
    others += [row for row in rows.invocations_for(set(texts(asked))) if row["request_id"] not in had | asked]
    calls = _by_request(rows.calls({row["request_id"] for row in [*given, *others]}))
    attempts = _attempts(rows, chain.ids, given, calls)
    senders = [attempt_of(row, calls.get(row["request_id"], ()), None, {}, rows.next_start(row)) for row in others]
    client_ids = {each.client_request_id for each in senders} | asked
    of_clients = [row for row in rows.calls(set(texts(client_ids))) if is_of_client(row)]
    requests, senders, reads = _requests(of_clients, senders, entered)
    found_stays = stays(message_rows, attempts, rows.bodies_of(entered))
    return _told(found, chain, rows, requests, senders, [_linked(stay, chain) for stay in found_stays], reads)


def _attempts(rows: Rows, ids: Iterable[str], given: Sequence[Row], calls: dict[str, list[Row]]) -> Attempts:
    mates = {each for row in given for each in row["message_ids"]}
    bodies = rows.bodies_of(rows.sent(mates))
    return {
        message_id: [
            attempt_of(row, calls.get(row["request_id"], ()), message_id, bodies, rows.next_start(row))
            for row in given
            if message_id in row["message_ids"]
        ]
        for message_id in ids
    }


def _requests(
    calls: Sequence[Row], senders: Sequence[Attempt], entered: Sequence[Row]
) -> tuple[list[Request], list[Attempt], int]:
    """Requests of clients with their invocations, the invocations that no client asked for, and how many only read."""
    sending = {row["request_id"] for row in entered}
    caused: dict[str, list[Attempt]] = {}
    for attempt in senders:
        if attempt.client_request_id:
            caused.setdefault(attempt.client_request_id, []).append(attempt)
    requests: list[Request] = []
    used: set[str] = set()
    reads = 0
    for row in calls:
        own = caused.get(row["request_id"] or "", [])
        used.update(each.request_id for each in own)
        if row["operation"] in _READS and not sending & {row["request_id"], *(each.request_id for each in own)}:
            reads += 1
            continue
        requests.append(Request(call=call_of(row), attempts=tuple(own)))
    return requests, [each for each in senders if each.request_id not in used], reads


def _linked(stay: Stay, chain: Chain) -> Stay:
    if stay.message_id in stay.parent_ids:
        return replace(stay, link=f"moved from {stay.sender}")
    return replace(stay, link=chain.links.get(stay.message_id, ""))


def _told(
    found: Found,
    chain: Chain,
    rows: Rows,
    requests: Sequence[Request],
    others: Sequence[Attempt],
    found_stays: Sequence[Stay],
    reads: int,
) -> Life:
    notes = [*chain.notes, *rows.recording.gaps]
    if reads:
        notes.append(
            f"{count(reads, 'request')} of clients only read it, and {'is' if reads == 1 else 'are'} not shown"
        )
    missing = [stay.message_id for stay in found_stays if stay.sent_ts is None]
    notes += [f"how message {each} entered its queue is not in the record" for each in dict.fromkeys(missing)]
    times = list(_times(requests, others, found_stays))
    return Life(
        key=found.key,
        how=found.how,
        requests=tuple(requests),
        others=tuple(others),
        stays=tuple(found_stays),
        notes=tuple(notes),
        started_ts=min(times, default=0.0),
        ended_ts=max(times, default=0.0),
    )


def _times(requests: Sequence[Request], others: Iterable[Attempt], found_stays: Iterable[Stay]) -> Iterable[float]:
    for request in requests:
        yield from (request.call.ts, request.call.ts + request.call.duration_s)
    every = [*others, *(each for request in requests for each in request.attempts)]
    for stay in found_stays:
        yield from (ts for ts in (stay.sent_ts, stay.left_ts, *stay.late_deletes) if ts is not None)
        for delivery in stay.deliveries:
            yield from (ts for ts in (delivery.received_ts, delivery.ended_ts) if ts is not None)
            every += delivery.attempts
    for attempt in every:
        yield attempt.started_ts
        if attempt.ended_ts is not None:
            yield attempt.ended_ts


def _by_request(calls: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in calls:
        if row["actor_kind"] == ActorKind.INVOCATION:  # a service's for it, as SNS's deliveries, it did not make
            found.setdefault(row["request_id"], []).append(row)
    return found
