"""How a mapping and its function behave, as the run shows: times, failures, what is put off, what is sent."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.topology import Consumer as Declared
from dlqlab.twin.pipeline.chains import Place, Sent, place_of
from dlqlab.twin.pipeline.durations import ENOUGH, durations, samples
from dlqlab.twin.pipeline.failures import raise_rates
from dlqlab.twin.pipeline.model import Consumer, Durations, Failing, Hides, Hop, Hops
from dlqlab.twin.pipeline.tries import Invoked, Try, invocations_of

LAGS_MAX = 500
BATCH_DEFAULT = 10
"""Lambda's for an SQS queue (API reference, CreateEventSourceMapping)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run shows of one consumer. ``filtered``: the share of its queue's messages that a filter deleted."""

    queue: str
    function: str
    tries: Sequence[Try]
    sent: Mapping[tuple[Place, str], Sequence[Sent]]
    visits: Mapping[Place, int]
    filtered: float = 0.0


def consumer_of(declared: Declared, seen: Seen) -> Consumer:
    """The mapping with its declared settings and its seen behaviour."""
    invocations = invocations_of(seen.tries)
    settles = [one.settle_s for one in invocations if one.settle_s is not None]
    failing = Failing(raises=raise_rates([_batch(one) for one in invocations]), named=_named(invocations))
    succeeds, fails = _durations(invocations)
    return Consumer(
        queue=seen.queue,
        function=seen.function,
        batch_size=declared.batch_size or BATCH_DEFAULT,
        window_s=float(declared.batch_window_s or 0),
        max_concurrency=declared.max_concurrency,
        reports_failures="ReportBatchItemFailures" in declared.response_types,
        deliver_s=samples([one.deliver_s for one in invocations]),
        settle_s=samples(settles),
        succeeds=succeeds,
        fails=fails,
        failing=failing,
        hides=_hides(seen.tries),
        hops=_hops(seen),
        filtered=seen.filtered,
    )


def _batch(one: Invoked) -> tuple[tuple[int, ...], bool]:
    return tuple(each.receives for each in one.tries), one.raised


def _named(invocations: Sequence[Invoked]) -> dict[int, float]:
    """Of the messages of invocations that did not raise: the share that stayed in the queue, by receive count."""
    trials, stayed = Counter[int](), Counter[int]()
    for one in invocations:
        if not one.raised:
            trials.update(each.receives for each in one.tries)
            stayed.update(each.receives for each in one.tries if each.stays)
    return {receive: stayed[receive] / n for receive, n in sorted(trials.items())} if stayed else {}


def _durations(invocations: Sequence[Invoked]) -> tuple[Durations, Durations]:
    """Of invocations with which all is well, and of those with a failure; one for both where that has too few."""
    warm = [one for one in invocations if one.attempt.init_s is None]
    known = [(one, one.took_s) for one in (warm if len(warm) >= ENOUGH else invocations)]
    timed = [(one, took_s) for one, took_s in known if took_s is not None]
    good = [(len(one.tries), took_s) for one, took_s in timed if not any(each.stays for each in one.tries)]
    bad = [(len(one.tries), took_s) for one, took_s in timed if any(each.stays for each in one.tries)]
    if len(good) < ENOUGH or len(bad) < ENOUGH:
        return durations([*good, *bad]), Durations()
    return durations(good), durations(bad)


def _hides(tries: Sequence[Try]) -> Hides:
    """Empty where nobody changed a visibility timeout after a failure."""
    found: dict[int, list[float | None]] = {}
    for one in tries:
        if one.stays and one.delivery.ended in {Kind.RETURNED, None}:
            hidden = one.delivery.hidden
            found.setdefault(one.receives, []).append(hidden[-1].seconds if hidden else None)
    if not any(seconds is not None for some in found.values() for seconds in some):
        return {}
    return {receive: tuple(some) for receive, some in sorted(found.items())}


def _hops(seen: Seen) -> Hops:
    """What attempts send, by how often their message's chain had been in the queue before and whether they succeed."""
    classes: dict[tuple[int, bool], list[Sequence[Sent]]] = {}
    for one in seen.tries:
        place = place_of(one.stay)
        key = seen.visits.get(place, 0), not one.stays
        classes.setdefault(key, []).append(seen.sent.get((place, one.attempt.request_id), ()))
    found = {key: _of_class(some) for key, some in classes.items()}
    return {key: hops for key, hops in found.items() if hops}


def _of_class(attempts: Sequence[Sequence[Sent]]) -> tuple[Hop, ...]:
    targets = dict.fromkeys(one.child.queue for some in attempts for one in some)
    return tuple(
        _hop(queue, [[one for one in some if one.child.queue == queue] for some in attempts]) for queue in targets
    )


def _hop(queue: str, attempts: Sequence[Sequence[Sent]]) -> Hop:
    sent = [one for some in attempts for one in some]
    lags = [_lag(one) for one in sent]
    step = max(1, len(lags) // LAGS_MAX)
    return Hop(
        queue=queue,
        counts=_counts(attempts),
        lags=tuple(lags[::step]),
        delays_s=samples([one.child.delay_s for one in sent]),
    )


def _counts(attempts: Sequence[Sequence[Sent]]) -> tuple[tuple[int, float], ...]:
    """How many an attempt sends: as it was seen, or, where the record cannot tell which of a batch sent it, the mean
    between the two next whole numbers.
    """
    n = len(attempts)
    if all(one.share == 1 for some in attempts for one in some):
        return tuple((number, many / n) for number, many in sorted(Counter(len(some) for some in attempts).items()))
    mean = sum(one.share for some in attempts for one in some) / n
    low = math.floor(mean)
    return (low, 1 - (mean - low)), (low + 1, mean - low)


def _lag(one: Sent) -> tuple[float, float]:
    """The part of the invocation that had passed, and how long after its end."""
    started_ts, ended_ts, sent_ts = one.attempt.started_ts, one.attempt.ended_ts, one.child.sent_ts
    if ended_ts is None or sent_ts is None or ended_ts <= started_ts:
        return 1.0, 0.0
    if sent_ts >= ended_ts:
        return 1.0, sent_ts - ended_ts
    return max(0.0, (sent_ts - started_ts) / (ended_ts - started_ts)), 0.0
