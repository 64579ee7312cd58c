"""Whether every asynchronous invocation was done: Lambda drops an event that failed for good and has nowhere to go."""

from collections.abc import Sequence

from dlqlab.analysis.causes import shape
from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.events import End, Event
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.wording import examples
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count

SETS = (
    NamedSet(End.DONE, SetKind.ACCOUNT, "Asynchronous invocations that succeeded, at once or when tried again."),
    NamedSet(End.HANDED_ON, SetKind.ACCOUNT, "Failed for good, and given to an on-failure destination or DLQ."),
    NamedSet(
        End.DROPPED,
        SetKind.VIOLATION,
        "Failed for good, and dropped: the function has neither an on-failure destination nor a dead-letter queue.",
    ),
    NamedSet(End.OPEN, SetKind.OPEN, "Failed or had not ended when the record ended, and may be tried again."),
)


@check(
    "events",
    "Every asynchronous invocation done",
    place=35,
    sets=SETS,
    asked=lambda facts: facts.has_asynchronous_calls,
)
def events_check(facts: Facts) -> Judgement:
    """Valid: each was done or handed on. Named by the request id of Lambda."""
    events = facts.asynchronous
    members = {str(end): tuple(one.request_id for one in events if one.end is end) for end in End}
    dropped = [one for one in events if one.end is End.DROPPED]
    if not events:
        statement = "no function was invoked asynchronously, so nothing is proven"
        return Judgement(status=Status.UNKNOWN, statement=statement, n=0)
    open_or_done = Status.UNKNOWN if members[End.OPEN] else Status.VALID
    return Judgement(
        status=Status.INVALID if dropped else open_or_done,
        statement=_statement(events, dropped, members[End.OPEN]),
        measured=float(len(dropped)),
        expected=0.0,
        unit="asynchronous invocations",
        n=len(events),
        members=members,
    )


def _statement(events: Sequence[Event], dropped: Sequence[Event], open_: Sequence[str]) -> str:
    parts = [f"{count(len(events), 'asynchronous invocation')}, {len(dropped):,} dropped"]
    causes: dict[tuple[str, str], list[str]] = {}
    for one in dropped:
        causes.setdefault((one.function, shape(one.error)), []).append(one.request_id)
    parts += [
        f"{len(ids):,} of {function}, which has no on-failure destination ({why}): {examples(ids)}"
        for (function, why), ids in causes.items()
    ]
    if open_:
        parts.append(f"{len(open_):,} may still be tried again: {examples(open_)}")
    return "; ".join(parts)
