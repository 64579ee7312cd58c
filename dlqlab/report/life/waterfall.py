"""The waterfall of a life: a row for each span, its words above or beside its bar, whatever the width of the page.

Bars are SVG, stretched to the width that there is; words are HTML, so that they wrap and can be copied and are never
stretched.
"""

from collections.abc import Sequence
from html import escape

from dlqlab.analysis.spans import Look, Span, walk
from dlqlab.durations import duration

_WIDTH = 1000
"""Units of the time axis; what they are on the page is the page's affair."""
_BAR_MIN = 4
_TICKS = 4
_COLOURS = {
    Look.REQUEST: "#5b3f99",
    Look.INVOCATION: "#1a6fb5",
    Look.INIT: "#7fb2dd",
    Look.CALL: "#2f8f5b",
    Look.MESSAGE: "#8c959f",
    Look.WAIT: "#e0b93c",
    Look.DELIVERY: "#57606a",
    Look.HIDDEN: "#e6cf8a",
    Look.MOMENT: "#1b1f24",
}
BAD = "#c62f2f"
_NAMES = {
    Look.REQUEST: "client's request",
    Look.INVOCATION: "invocation",
    Look.INIT: "init (cold start)",
    Look.CALL: "call",
    Look.MESSAGE: "message in a queue",
    Look.WAIT: "waits, visible",
    Look.DELIVERY: "receive",
    Look.HIDDEN: "hidden",
}
STYLE = """
.legend span { display: inline-block; margin: 0 12px 2px 0; white-space: nowrap }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 4px; vertical-align: -1px;
  border-radius: 2px }
.fall { margin: 10px 0; border-top: 1px solid #d0d7de }
.row { display: grid; grid-template-columns: minmax(0, 56%) minmax(0, 1fr); column-gap: 10px; align-items: center;
  border-bottom: 1px solid #eaeef2; padding: 2px 0; font-size: 13px }
.row.top { background: #f6f8fa } .row b { font-weight: 600 } .row.bad b { color: #c62f2f }
.words { overflow-wrap: anywhere } .words small { color: #57606a; font-size: 12px }
.row.log .words { grid-column: 1 / -1; font-family: ui-monospace, monospace; font-size: 12px; white-space: pre-wrap }
.time { color: #57606a; white-space: nowrap; font-variant-numeric: tabular-nums }
.row svg { width: 100%; height: 14px; display: block }
.axis { position: sticky; top: 0; background: #fff; z-index: 1 } .ticks { display: flex; justify-content: space-between;
  font-size: 12px; color: #57606a; font-variant-numeric: tabular-nums }
@media (max-width: 760px) { .row { grid-template-columns: minmax(0, 1fr); row-gap: 2px } }
"""
LEGEND = (
    '<p class="legend">'
    + "".join(f'<span><i style="background:{_COLOURS[look]}"></i>{name}</span>' for look, name in _NAMES.items())
    + f'<span><i style="background:{BAD}"></i>went wrong</span></p>'
)


def rows(some: Sequence[Span], started_ts: float, ended_ts: float) -> str:
    """The rows as HTML; the classes are those of ``STYLE``."""
    length_s = ended_ts - started_ts
    every = [_row(span, depth, started_ts, length_s) for depth, span in walk(some)]
    return f'<div class="fall">{_axis(length_s)}{"".join(every)}</div>'


def _axis(length_s: float) -> str:
    ticks = "".join(f"<span>{escape(duration(length_s * at / _TICKS))}</span>" for at in range(_TICKS + 1))
    return f'<div class="row axis"><div class="words"></div><div class="ticks">{ticks}</div></div>'


def _row(span: Span, depth: int, started_ts: float, length_s: float) -> str:
    start = span.start_ts - started_ts
    indent = f'style="padding-left:{14 * depth}px"'
    if span.look is Look.LOG:
        return f'<div class="row log"><div class="words" {indent}>{escape(span.detail)}</div></div>'
    end = length_s if span.end_ts is None else span.end_ts - started_ts
    took = "" if span.look is Look.MOMENT else ", open" if span.end_ts is None else f", {duration(end - start)}"
    classes = " ".join(["row", *(["top"] if depth == 0 else []), *(["bad"] if span.is_bad else [])])
    detail = f" <small>· {escape(span.detail)}</small>" if span.detail else ""
    words = f'<b>{escape(span.label)}</b> <span class="time">+{start:.3f} s{took}</span>{detail}'
    return f'<div class="{classes}"><div class="words" {indent}>{words}</div>{_bar(span, start, end, length_s)}</div>'


def _bar(span: Span, start: float, end: float, length_s: float) -> str:
    scale = _WIDTH / length_s if length_s > 0 else 0.0
    width = max(_BAR_MIN, (end - start) * scale)
    x = min(start * scale, _WIDTH - width)
    is_frame = span.look in {Look.MESSAGE, Look.DELIVERY}
    colour = BAD if span.is_bad and not is_frame else _COLOURS[span.look]
    y, height = (5, 4) if is_frame else (1, 12)
    grid = "".join(
        f'<rect x="{_WIDTH * at / _TICKS - 0.5:g}" width="1" height="14" fill="#d8dee4"/>' for at in range(1, _TICKS)
    )
    shape = f'<rect x="{max(0.0, x):.2f}" y="{y}" width="{width:.2f}" height="{height}" fill="{colour}"/>'
    title = f"<title>{escape(span.label)}: {escape(duration(end - start))}</title>"
    return f'<svg viewBox="0 0 {_WIDTH} 14" preserveAspectRatio="none" role="img">{title}{grid}{shape}</svg>'
