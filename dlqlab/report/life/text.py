"""The life of a task, and why its messages are where they are, as lines of text."""

from collections.abc import Iterator, Sequence

from dlqlab.analysis.following import LISTED_MAX
from dlqlab.analysis.keys import Found
from dlqlab.analysis.lives import Life
from dlqlab.analysis.log_lines import shown
from dlqlab.analysis.reasons import Reason, Receive, summary, where, work_stays
from dlqlab.analysis.spans import Look, Span, walk
from dlqlab.durations import duration
from dlqlab.wording import count

BAR = 24
_INDENT = "  "
_MARKS = {Look.WAIT: ".", Look.HIDDEN: "~", Look.INIT: "+", Look.MESSAGE: "-", Look.DELIVERY: "-"}


def life_lines(life: Life, some: Sequence[Span]) -> Iterator[str]:
    """A heading, a line for each span with its offset, duration and bar, and what the record cannot tell."""
    length_s = life.ended_ts - life.started_ts
    yield f"{life.key}: {'; '.join(life.how)}"
    yield f"{duration(length_s)} from the first to the last that is recorded"
    yield ""
    yield f"{'at':>10} {'took':>8}  {'':{BAR}}"
    for depth, span in walk(some):
        yield _line(span, depth, life.started_ts, length_s)
    if life.notes:
        yield ""
        yield from (f"note: {note}" for note in life.notes)


def reason_lines(life: Life, reasons: Sequence[Reason], others: Sequence[str] = ()) -> Iterator[str]:
    """For each message where it is, what became of each receive, and the last error with its log lines.

    ``others`` are messages of the same task that were not asked for.
    """
    if len(reasons) > 1:
        yield f"{life.key} has {len(reasons)} messages"
        yield ""
    for reason in reasons:
        yield f"message {reason.message_id} {reason.where}"
        if reason.link:
            yield f"it was {reason.link}"
        limit = "" if reason.max_receive_count is None else f" (maxReceiveCount {reason.max_receive_count})"
        yield f"in {reason.queue}{limit}: {reason.summary}"
        yield from (_receive(each, life.started_ts) for each in reason.receives)
        if reason.last_error or reason.last_lines:
            error = reason.last_error or "no line of its log tells it"
            yield f"last error: {error} (invocation {reason.last_request_id})"
            for line in reason.last_lines:
                yield from (f"  | {each}" for each in log_text(line, life, reason.message_id).splitlines())
        elif reason.last_request_id:
            yield f"last error: not known, invocation {reason.last_request_id} left no log line"
        yield ""
    if others:
        yield f"note: to the same task {'belongs' if len(others) == 1 else 'belong'} also {', '.join(others)}"
    yield from (f"note: {note}" for note in life.notes)


def listing(found: Found, several: Sequence[Life]) -> Iterator[str]:
    """What a key names, where that is more than one task: a line for each, to be asked for by its first message."""
    more = len(found.message_ids) - LISTED_MAX
    yield f"{found.key}: {'; '.join(found.how)}: {count(len(several), 'task')}; ask for one by its message id"
    for life in several:
        stay = work_stays(life)[0]
        yield f"  {stay.message_id}  in {stay.queue}: {summary(stay.deliveries)}; {where(life, stay.message_id)}"
    if more > 0:
        yield f"  and {count(more, 'more message')}"


def log_text(line: str, life: Life, message_id: str) -> str:
    """A log line without what stands around it anyway."""
    return shown(line, {life.key, message_id})


def _receive(receive: Receive, started_ts: float) -> str:
    number = "" if receive.receive_count is None else f" {receive.receive_count}"
    error = f": {receive.error}" if receive.error else ""
    return f"  receive{number:<3} {f'+{receive.ts - started_ts:.3f} s':>10}  {receive.fate}, {receive.reason}{error}"


def bar(start: float, end: float, length: float, width: int, mark: str = "=") -> str:
    """So many characters for the whole length: blanks, then marks from start to end, one at least."""
    if length <= 0:
        return mark + " " * (width - 1)
    first = min(width - 1, int(start / length * width))
    last = min(width, max(first + 1, round(end / length * width)))
    return f"{'':{first}}{mark * (last - first)}".ljust(width)


def _line(span: Span, depth: int, started_ts: float, length_s: float) -> str:
    start = span.start_ts - started_ts
    end = length_s if span.end_ts is None else span.end_ts - started_ts
    mark = "!" if span.is_bad and span.look in {Look.INVOCATION, Look.MOMENT, Look.CALL} else _mark(span)
    if span.look is Look.LOG:
        first, *more = span.detail.splitlines() or [""]
        margin = f"{_INDENT * depth}| "
        at = f"{f'+{start:.3f} s':>10}{'':{12 + BAR}}{margin}"
        return "\n".join(
            line.rstrip() for line in (f"{at}{first}", *(f"{'':{22 + BAR}}{margin}{each}" for each in more))
        )
    took = "" if span.look is Look.MOMENT else "open" if span.end_ts is None else duration(span.end_ts - span.start_ts)
    label = f"{span.label}: {span.detail}" if span.detail else span.label
    shown = bar(start, end, length_s, BAR, mark)
    return f"{f'+{start:.3f} s':>10} {took:>8}  {shown}  {_INDENT * depth}{label}"


def _mark(span: Span) -> str:
    return "*" if span.look is Look.MOMENT else _MARKS.get(span.look, "=")
