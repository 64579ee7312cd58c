"""A matrix as one HTML file: the table, and for each broken row the life of one of its messages."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from dlqlab.analysis.indexed_rows import IndexedRows
from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import lives
from dlqlab.analysis.spans import spans
from dlqlab.contracts.rundir import RunDir
from dlqlab.report.life.page import part
from dlqlab.report.life.waterfall import LEGEND, STYLE
from dlqlab.torture.bench import own_evidence
from dlqlab.torture.judged import Outcome
from dlqlab.torture.result import Answer, Change, Result
from dlqlab.torture.terminal import name, summary

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: var(--text); background: var(--ground);
  margin: 0 auto; padding: 12px; max-width: 1300px }
h1 { font-size: 20px; margin: 0 0 4px } h2 { font-size: 16px; margin: 24px 0 4px }
table.rows { border-collapse: collapse; width: 100% } table.rows td, table.rows th { text-align: left;
  padding: 3px 8px; border-bottom: 1px solid #8884; vertical-align: top } .n { text-align: right }
.broken { color: #c62828 } .degraded, .unknown, .untouched { color: #b26a00 } .survived { color: #2e7d32 }
p { margin: 2px 0; overflow-wrap: anywhere } code { overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { .broken { color: #ff8a80 } .survived { color: #81c784 }
  .degraded, .unknown, .untouched { color: #ffb74d } }
"""


def page(result: Result, folder: Path, differences: Sequence[Change] = ()) -> str:
    """The page.

    Args:
        result: the matrix.
        folder: of its evidence, from which the lives are read.
        differences: to the last one.
    """
    title = f"{result.name} under faults from outside"
    rows = "".join(_row(one) for one in result.in_order())
    broken = [one for one in result.in_order() if one.outcome is Outcome.BROKEN]
    changed = "".join(f"<li>{escape(one.name)}: {one.before}, now {one.now}</li>" for one in differences)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title><style>{STYLE}{_STYLE}</style></head><body>
<h1>{escape(title)}</h1><p>{escape(summary(result))}</p>
<table class="rows"><thead><tr><th>row</th><th>outcome</th><th class="n">strikes</th><th class="n">messages</th>
<th>what is broken, and what happened</th></tr></thead><tbody>{rows}</tbody></table>
{"".join(f"<p>Left out: {escape(text)}</p>" for text in result.left_out)}
{f"<h2>Since the last time</h2><ul>{changed}</ul>" if changed else ""}
{LEGEND if broken else ""}{"".join(_broken(one, folder) for one in broken)}
</body></html>
"""


def _row(one: Answer) -> str:
    said = "; ".join(
        f"{len(harm.messages):,} {name(harm.name)}{' (also without faults)' if harm.name in one.also_without else ''}"
        for harm in one.harms
    )
    shown = (
        f'<a href="#{escape(one.name)}">{escape(one.name)}</a>' if one.outcome is Outcome.BROKEN else escape(one.name)
    )
    never = f"<details><summary>never reached</summary>{escape(one.never)}</details>" if one.never else ""
    return (
        f'<tr><td>{shown}</td><td class="{one.outcome}">{one.outcome}</td>'
        f'<td class="n">{f"{one.strikes:,}" if one.faults else ""}</td>'
        f'<td class="n">{f"{len(one.messages):,}" if one.harms else ""}</td>'
        f"<td>{escape(one.what)}<p>{escape(said or one.reason)}</p>{never}</td></tr>"
    )


def _broken(one: Answer, folder: Path) -> str:
    first = one.first
    if first is None:
        return ""
    message_id = first.messages[0]
    rule = f"<p>Lint rule: <code>{escape(one.rule)}</code></p>" if one.rule else ""
    return (
        f'<h2 id="{escape(one.name)}">{escape(one.name)}: {escape(one.what)}</h2><p class="broken">{escape(one.reason)}'
        f"</p>{rule}<p>Remedy: {escape(one.remedy)}</p><p>The life of <code>{escape(message_id)}</code>"
        f"{_task(one, message_id)}:</p>{_life(RunDir(folder / one.run), message_id)}"
    )


def _task(one: Answer, message_id: str) -> str:
    key = one.tasks_of.get(message_id)
    return f", task <code>{escape(key)}</code>" if key and key != message_id else ""


def _life(run: RunDir, key: str) -> str:
    """The waterfall of a message or task; a sentence where the record does not know it."""
    recording = own_evidence(run).recording
    if recording is None:
        return "<p>There is no record of it.</p>"
    rows = IndexedRows(recording, [key])
    found = find(rows, key)
    several = lives(rows, found) if found.how else []
    life = next((one for one in several if any(stay.message_id == key for stay in one.stays)), None)
    life = life or next(iter(several), None)
    return part(life, spans(life, {})) if life else "<p>The record does not know it.</p>"
