"""A page of one life: heading, waterfall, notes. One file, nothing is loaded from anywhere."""

from collections.abc import Sequence
from html import escape

from dlqlab.analysis.lives import Life
from dlqlab.analysis.spans import Span
from dlqlab.durations import duration
from dlqlab.report.life.waterfall import LEGEND, STYLE, rows

_PAGE_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: var(--text); background: var(--ground);
  margin: 0 auto; padding: 12px; max-width: 1300px }
h1 { font-size: 20px; margin: 0 0 4px; overflow-wrap: anywhere } p { margin: 2px 0; overflow-wrap: anywhere }
"""


def page(life: Life, some: Sequence[Span]) -> str:
    """The page as HTML."""
    title = f"The life of {life.key}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title><style>{STYLE}{_PAGE_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
{part(life, some, LEGEND)}
</body></html>
"""


def part(life: Life, some: Sequence[Span], legend: str = "") -> str:
    """What a page shows of a life below its heading."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in life.notes)
    return f"""<p>{escape("; ".join(life.how))}</p>
<p>{escape(duration(life.ended_ts - life.started_ts))} from the first to the last that is recorded. \
Times count from the first.</p>
{legend}
{rows(some, life.started_ts, life.ended_ts)}
{f"<h2>What the record does not tell</h2><ul>{notes}</ul>" if notes else ""}"""
