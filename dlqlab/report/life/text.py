"""The life of a task as lines of text."""

from collections.abc import Iterator, Sequence

from dlqlab.analysis.lives import Life
from dlqlab.analysis.spans import Look, Span, walk
from dlqlab.durations import duration

BAR = 24
_INDENT = "  "
_MARKS = {Look.WAIT: ".", Look.HIDDEN: "~", Look.INIT: "+", Look.MESSAGE: "-", Look.DELIVERY: "-"}


def lines(life: Life, some: Sequence[Span]) -> Iterator[str]:
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
        return f"{'':{22 + BAR}}{_INDENT * depth}| {span.detail}".rstrip()
    took = "" if span.look is Look.MOMENT else "open" if span.end_ts is None else duration(span.end_ts - span.start_ts)
    label = f"{span.label}: {span.detail}" if span.detail else span.label
    shown = bar(start, end, length_s, BAR, mark)
    return f"{f'+{start:.3f} s':>10} {took:>8}  {shown}  {_INDENT * depth}{label}"


def _mark(span: Span) -> str:
    return "*" if span.look is Look.MOMENT else _MARKS.get(span.look, "=")
