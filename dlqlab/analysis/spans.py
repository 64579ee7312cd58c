"""A life as spans of time inside each other, which text, JSON and waterfall show alike."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dlqlab.analysis.leaves import key_text
from dlqlab.analysis.life_parts import Attempt, Call, Delivery, Fate, Stay
from dlqlab.analysis.lives import Life, Request
from dlqlab.analysis.log_lines import Line
from dlqlab.contracts.recorded import ActorKind, Kind, Outcome
from dlqlab.durations import duration
from dlqlab.wording import count


class Look(StrEnum):
    """How a span is drawn."""

    REQUEST = "request"
    INVOCATION = "invocation"
    INIT = "init"
    CALL = "call"
    MESSAGE = "message"
    WAIT = "wait"
    DELIVERY = "delivery"
    HIDDEN = "hidden"
    MOMENT = "moment"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What took from ``start_ts`` to ``end_ts``; a moment has the same twice, what has no end in the record None.

    ``ids`` are what it can be asked for by; ``is_bad``: something went wrong here.
    """

    look: Look
    start_ts: float
    end_ts: float | None
    label: str
    detail: str = ""
    is_bad: bool = False
    ids: tuple[str, ...] = ()
    inner: tuple["Span", ...] = field(default=())


type Lines = Mapping[tuple[str, str], Sequence[Line]]
"""Log lines by message id and request id: what an invocation of a batch wrote about that message."""

_LEFT = {
    Kind.DELETED: "deleted",
    Kind.MOVED: "moved to its dead-letter queue",
    Kind.REDRIVEN: "redriven",
    Kind.FILTERED: "filtered out",
    Kind.EXPIRED: "expired",
    Kind.PURGED: "purged",
}
_EMULATORS = re.compile(r"^/(_aws/execute-api|restapis)/[^/]+/[^/]+(/_user_request_)?|^/_aws/lambda-url/[^/]+")
"""Of a path: what only says where in the emulator the API is."""
_BAD_ENDS = frozenset({Kind.MOVED, Kind.EXPIRED, Kind.PURGED})


def spans(life: Life, lines: Lines | None = None) -> tuple[Span, ...]:
    """The spans of a life in the order in which they began; ``lines`` stand in their invocations."""
    found = [
        *(_request(each) for each in life.requests),
        *(_attempt(each) for each in life.others),
        *(_stay(each, lines or {}) for each in life.stays),
    ]
    return tuple(sorted(found, key=lambda span: span.start_ts))


def walk(some: Iterable[Span], depth: int = 0) -> Iterator[tuple[int, Span]]:
    """Every span with its depth, each before what is inside it."""
    for span in some:
        yield depth, span
        yield from walk(span.inner, depth + 1)


def _request(request: Request) -> Span:
    call = request.call
    by = f" by {product}" if (product := (call.who or "").partition(" ")[0]) else ""
    return Span(
        look=Look.REQUEST,
        start_ts=call.ts,
        end_ts=call.ts + call.duration_s,
        label=f"request {_asked(call)}",
        detail=f"{_answer(call)}{by}{f', id {call.request_id}' if call.request_id else ''}",
        is_bad=call.status >= 400,  # noqa: PLR2004  (of HTTP)
        ids=(call.request_id,) if call.request_id else (),
        inner=tuple(_attempt(each) for each in request.attempts),
    )


def _attempt(attempt: Attempt, lines: Sequence[Line] = ()) -> Span:
    inner = [_call(call) for call in attempt.calls]
    if attempt.init_s is not None:
        inner.append(
            Span(
                look=Look.INIT,
                start_ts=attempt.started_ts,
                end_ts=attempt.started_ts + attempt.init_s,
                label="init",
                detail=f"cold start, {duration(attempt.init_s)}",
                is_bad=attempt.outcome == Outcome.INIT_ERROR,
            )
        )
    logged = tuple(_line(line) for line in lines)
    return Span(
        look=Look.INVOCATION,
        start_ts=attempt.started_ts,
        end_ts=attempt.ended_ts,
        label=f"invocation of {attempt.function}",
        detail=_told(attempt),
        is_bad=attempt.outcome not in {None, Outcome.OK} or bool(attempt.failed),
        ids=(attempt.request_id,),
        inner=(*sorted(inner, key=lambda span: span.start_ts), *logged),
    )


def _told(attempt: Attempt) -> str:
    parts = [attempt.outcome or "no end in the record"]
    if attempt.error:
        parts.append(attempt.error)
    if attempt.failed and attempt.outcome == Outcome.OK:
        parts.append("reports the message as failed")
    if attempt.batch > 1:
        parts.append(f"batch of {attempt.batch}")
    if attempt.fault:
        parts.append(f"struck by fault {attempt.fault}")
    if attempt.calls_of_mates:
        parts.append(f"{count(attempt.calls_of_mates, 'call')} about batch mates not shown")
    return ", ".join([*parts, f"id {attempt.request_id}"])


def _line(line: Line) -> Span:
    return Span(look=Look.LOG, start_ts=line.ts, end_ts=line.ts, label="log", detail=line.text)


def _call(call: Call) -> Span:
    about = f" {key_text(call.item_key)}" if call.item_key else ""
    return Span(
        look=Look.CALL,
        start_ts=call.ts,
        end_ts=call.ts + call.duration_s,
        label=_asked(call),
        detail=f"{_answer(call)}{about}{_struck(call.fault)}",
        is_bad=call.error_code is not None or call.status >= 400,  # noqa: PLR2004  (of HTTP)
    )


def _asked(call: Call) -> str:
    resource = call.resource or ""
    if call.service in {"execute-api", "lambda-url"}:
        return f"{call.operation} {_EMULATORS.sub('', resource) or '/'}"
    return " ".join(part for part in (call.service, call.operation, resource.rpartition("/")[2]) if part)


def _answer(call: Call) -> str:
    return f"{call.status} {call.error_code}" if call.error_code else str(call.status)


def _stay(stay: Stay, lines: Lines) -> Span:
    start = stay.sent_ts if stay.sent_ts is not None else min((each.received_ts for each in stay.deliveries), default=0)
    inner: list[Span] = []
    if stay.delay_s and stay.sent_ts is not None:
        end = stay.sent_ts + stay.delay_s
        inner.append(Span(look=Look.HIDDEN, start_ts=stay.sent_ts, end_ts=end, label=f"delayed by {_s(stay.delay_s)}"))
    for delivery in stay.deliveries:
        inner += [*_wait(delivery), _delivery(delivery, stay.message_id, lines)]
    waits_since = _waits_since(stay)
    inner += [_moment(ts, "delete without effect", is_bad=True) for ts in stay.late_deletes]
    if stay.left and stay.left_ts is not None:
        late = ", after its visibility timeout" if stay.left_late else ""
        text = f"{_LEFT[Kind(stay.left)]} by {stay.left_by}{late}"
        inner.append(_moment(stay.left_ts, text, is_bad=stay.left in _BAD_ENDS))
    if waits_since is not None:
        inner.append(Span(look=Look.WAIT, start_ts=waits_since, end_ts=stay.left_ts, label="waits in the queue"))
    if not stay.left:
        inner.append(_moment(_last(inner, start), "still in the queue when the record was read"))
    link = stay.link or (f"sent by {stay.sender}" if stay.sender else "")
    return Span(
        look=Look.MESSAGE,
        start_ts=start,
        end_ts=stay.left_ts,
        label=f"message in {stay.queue}",
        detail=", ".join(part for part in (link, f"id {stay.message_id}") if part) + _struck(stay.fault),
        ids=(stay.message_id,),
        inner=tuple(sorted(inner, key=lambda span: span.start_ts)),
    )


def _waits_since(stay: Stay) -> float | None:
    """Since when it is visible and nobody receives it; None where it is not, or left at once."""
    if not stay.deliveries:
        return None if stay.sent_ts is None else stay.sent_ts + stay.delay_s
    last = stay.deliveries[-1]
    return last.ended_ts if last.ended == Kind.RETURNED and stay.left is None else None


def _last(inner: Sequence[Span], start: float) -> float:
    return max((span.end_ts or span.start_ts for _, span in walk(inner)), default=start)


def _wait(delivery: Delivery) -> list[Span]:
    if delivery.waited_s is None:
        return []
    start = delivery.received_ts - delivery.waited_s
    return [Span(look=Look.WAIT, start_ts=start, end_ts=delivery.received_ts, label="waits in the queue")]


def _delivery(delivery: Delivery, message_id: str, lines: Lines) -> Span:
    inner = [_attempt(each, lines.get((message_id, each.request_id), ())) for each in delivery.attempts]
    for hiding in delivery.hidden:
        end = hiding.ts + hiding.seconds
        end = end if delivery.ended_ts is None else min(end, max(delivery.ended_ts, hiding.ts))
        text = f"hidden for {_s(hiding.seconds)}" if hiding.seconds else "made visible at once"
        inner.append(Span(look=Look.HIDDEN, start_ts=hiding.ts, end_ts=end, label=text, detail=f"by {hiding.by}"))
    number = "" if delivery.receive_count is None else f" {delivery.receive_count}"
    by = "" if delivery.actor_kind == ActorKind.MAPPING else f"by {delivery.actor}: "
    hidden = "" if delivery.visible_after_s is None else f"; visibility timeout {_s(delivery.visible_after_s)}"
    return Span(
        look=Look.DELIVERY,
        start_ts=delivery.received_ts,
        end_ts=delivery.ended_ts,
        label=f"receive{number}",
        detail=f"{by}{delivery.fate}, {delivery.reason}{hidden}{_struck(delivery.fault)}",
        is_bad=delivery.fate in {Fate.FAILED, Fate.NOT_TRIED},
        inner=tuple(sorted(inner, key=lambda span: span.start_ts)),
    )


def _struck(fault: str | None) -> str:
    return f", struck by fault {fault}" if fault else ""


def _moment(ts: float, text: str, *, is_bad: bool = False) -> Span:
    return Span(look=Look.MOMENT, start_ts=ts, end_ts=ts, label=text, is_bad=is_bad)


def _s(seconds: float) -> str:
    return f"{seconds:g} s"
