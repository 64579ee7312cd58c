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
:root { --ground: #fff; --text: #1b1f24; --faint: #57606a; --line: #d0d7de; --card: #f6f8fa; --grid: #d8dee4;
  --bad: #c62f2f; --request: #5b3f99; --invocation: #1a6fb5; --init: #7fb2dd; --call: #2f8f5b; --message: #8c959f;
  --wait: #e0b93c; --delivery: #57606a; --hidden: #e6cf8a; --moment: #1b1f24 }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --text: #e8eaed; --faint: #a9afb7; --line: #3a3f45;
  --card: #202327; --grid: #33383e; --bad: #ff6b62; --request: #b39ddb; --invocation: #58a6e8; --init: #9cc7ea;
  --call: #58c08a; --message: #7d858e; --wait: #d9b34a; --delivery: #a9afb7; --hidden: #a8924d; --moment: #e8eaed } }
.legend span { display: inline-block; margin: 0 12px 2px 0; white-space: nowrap }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 4px; vertical-align: -1px;
  border-radius: 2px; background: var(--tone) }
.request { --tone: var(--request) } .invocation { --tone: var(--invocation) } .init { --tone: var(--init) }
.call { --tone: var(--call) } .message { --tone: var(--message) } .wait { --tone: var(--wait) }
.delivery { --tone: var(--delivery) } .hidden { --tone: var(--hidden) } .moment { --tone: var(--moment) }
.wrong { --tone: var(--bad) }
.fall { margin: 10px 0; border-top: 1px solid var(--line) }
.row { display: grid; grid-template-columns: minmax(0, 56%) minmax(0, 1fr); column-gap: 10px; align-items: center;
  border-bottom: 1px solid var(--line); padding: 2px 0; font-size: 13px }
.row.top { background: var(--card) } .row b { font-weight: 600 } .row.bad b { color: var(--bad) }
.words { overflow-wrap: anywhere; padding-left: calc(14px * var(--deep, 0)) }
.words small { color: var(--faint); font-size: 12px }
.row.log .words { grid-column: 1 / -1; font-family: ui-monospace, monospace; font-size: 12px; white-space: pre-wrap }
.time { color: var(--faint); white-space: nowrap; font-variant-numeric: tabular-nums }
.row svg { width: 100%; height: 14px; display: block } .row rect { fill: var(--tone) } .row .grid { fill: var(--grid) }
.axis { position: sticky; top: 0; background: var(--ground); z-index: 1 }
.ticks { display: flex; justify-content: space-between; font-size: 12px; color: var(--faint);
  font-variant-numeric: tabular-nums }
@media (max-width: 760px) { .row { grid-template-columns: minmax(0, 1fr); row-gap: 2px } }
"""
"""Its colours are light or dark as the reader's system is; a page with other colours names them anew after it."""
LEGEND = (
    '<p class="legend">'
    + "".join(f'<span><i class="{look}"></i>{name}</span>' for look, name in _NAMES.items())
    + '<span><i class="wrong"></i>went wrong</span></p>'
)
_GRID = "".join(
    f'<rect class="grid" x="{_WIDTH * at / _TICKS - 0.5:g}" width="1" height="14"/>' for at in range(1, _TICKS)
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
    indent = f'style="--deep:{depth}"'
    if span.look is Look.LOG:
        words = f'<span class="time">+{start:.3f} s</span> {escape(span.detail)}'
        return f'<div class="row log"><div class="words" {indent}>{words}</div></div>'
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
    tone = "wrong" if span.is_bad and not is_frame else span.look
    y, height = (5, 4) if is_frame else (1, 12)
    shape = f'<rect class="{tone}" x="{max(0.0, x):.2f}" y="{y}" width="{width:.2f}" height="{height}"/>'
    title = f"<title>{escape(span.label)}: {escape(duration(end - start))}</title>"
    return f'<svg viewBox="0 0 {_WIDTH} 14" preserveAspectRatio="none" role="img">{title}{_GRID}{shape}</svg>'
