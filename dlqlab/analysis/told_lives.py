"""The life of a task from the app's own events, for a run without a recording.

It has attempts, backoffs and the end; requests, calls, waits and receives without an attempt are not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from dlqlab.analysis.life_parts import Attempt, Delivery, Fate, Hiding, Stay
from dlqlab.analysis.lives import Life
from dlqlab.contracts.recorded import ActorKind, Kind, Outcome

NOTE = (
    "it is told by the app's own events, because there is no recording of it: requests, calls, waits in queues and "
    "receives without an attempt are not in there"
)
HOW = "the app's events have it as taskId"
LEDGER_ALONE = "the clients' ledger has it, and nothing else tells of it"
_ATTEMPT_ENDS = frozenset({"attempt.succeeded", "attempt.failed"})
_ENDS = {"attempt.succeeded": Kind.DELETED, "task.dead_lettered": Kind.MOVED}

type Event = Mapping[str, Any]
"""A row of table ``events`` with None where a value is missing."""


def told_life(key: str, events: Sequence[Event], queue: str) -> Life:
    """The life of one task.

    Args:
        key: its task id.
        events: all of it; none where only the clients' ledger has the task.
        queue: name of the queue in which it waits for its attempts.
    """
    ordered = sorted(events, key=lambda event: event["ts"])
    ids = dict.fromkeys(event["message_id"] for event in ordered if event["message_id"])
    accepted = next((event["ts"] for event in ordered if event["event"] == "task.accepted"), None)
    stays = tuple(_stay(each, [e for e in ordered if e["message_id"] == each], accepted, queue) for each in ids)
    return Life(
        key=key,
        how=(HOW if events else LEDGER_ALONE,),
        requests=(),
        others=(),
        stays=tuple(stay if at == 0 else replace(stay, sent_ts=None) for at, stay in enumerate(stays)),
        notes=(NOTE,),
        started_ts=ordered[0]["ts"] if ordered else 0.0,
        ended_ts=ordered[-1]["ts"] if ordered else 0.0,
    )


def _stay(message_id: str, events: Sequence[Event], sent_ts: float | None, queue: str) -> Stay:
    started = list(_begins(events))
    deliveries = tuple(
        _delivery(message_id, events[first:following]) for first, following in pairwise([*started, len(events)])
    )
    end = next((event for event in reversed(events) if event["event"] in _ENDS), None)
    return Stay(
        message_id=message_id,
        queue=queue,
        sent_ts=sent_ts,
        delay_s=0.0,
        sender_kind=None,
        sender=None,
        sender_request_id=None,
        parent_ids=(),
        trace_id=None,
        group_id=None,
        body=None,
        deliveries=deliveries,
        left=_ENDS[end["event"]] if end else None,
        left_ts=end["ts"] if end else None,
        left_by=_who_ended_it(end) if end else None,
        left_late=False,
        late_deletes=(),
    )


def _begins(events: Sequence[Event]) -> Iterator[int]:
    """Where attempts begin: at their start, or at their end where the line of the start is missing."""
    is_open = False
    for at, event in enumerate(events):
        if event["event"] == "attempt.started" or (event["event"] in _ATTEMPT_ENDS and not is_open):
            yield at
        if event["event"] == "attempt.started" or event["event"] in _ATTEMPT_ENDS:
            is_open = event["event"] == "attempt.started"


def _who_ended_it(end: Event) -> str:
    """A dead letter is moved by its queue; the event is of who found it there."""
    return f"its queue, as {end['function']} reports" if end["event"] == "task.dead_lettered" else str(end["function"])


def _delivery(message_id: str, events: Sequence[Event]) -> Delivery:
    started = events[0]
    end = next((e for e in events if e["event"] in _ATTEMPT_ENDS), None)
    failed = end is not None and end["event"] == "attempt.failed"
    fate, reason = Fate.OPEN, "no end of the attempt was reported"
    if end is not None:
        fate = Fate.FAILED if failed else Fate.DONE
        reason = "the function reported it as failed" if failed else "the function was done with it"
    hidden: tuple[Hiding, ...] = ()
    if end is not None and failed and end["backoff_s"]:
        hidden = (Hiding(ts=end["ts"], seconds=end["backoff_s"], by=end["function"], request_id=None),)
    return Delivery(
        receive_count=started["receive_count"],
        received_ts=started["ts"],
        waited_s=None,
        visible_after_s=None,
        actor_kind=ActorKind.MAPPING,
        actor="the mapping",
        hidden=hidden,
        ended_ts=hidden[0].ts + hidden[0].seconds if hidden else end["ts"] if end else None,
        ended=None,
        ended_by=None,
        is_counted=True,
        attempts=(_attempt(message_id, started, end, failed=failed),),
        fate=fate,
        reason=reason,
    )


def _attempt(message_id: str, started: Event, end: Event | None, *, failed: bool) -> Attempt:
    return Attempt(
        request_id=started["request_id"] or "",
        function=started["function"] or "a function",
        environment=(started["log_stream"] or "").rpartition("]")[2] or None,
        source=None,
        started_ts=started["ts"],
        ended_ts=end["ts"] if end else None,
        init_s=None,
        duration_s=end["duration_s"] if end else None,
        outcome=Outcome.OK if end else None,
        error_type=end["error_type"] if end and failed else None,
        error_message=end["error_message"] if end and failed else None,
        message_ids=(message_id,),
        failed=failed,
        client_request_id=None,
    )
