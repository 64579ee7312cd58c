"""The page of tasks as HTML: one file, nothing is loaded from anywhere.

Rows are JSON in the page, from which its script makes the table. Lives are HTML already, as ``dlqlab trace --html``
draws them, packed (gzip) in groups of a few: a browser unpacks the group of a task when it is opened.
"""

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from itertools import batched
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dlqlab.analysis.chosen_tasks import DEAD_LETTER
from dlqlab.analysis.spans import spans
from dlqlab.contracts.verdict import Verdict
from dlqlab.report.life.logged import lines_about
from dlqlab.report.life.page import part
from dlqlab.report.life.text import reason_lines
from dlqlab.report.life.waterfall import LEGEND, STYLE
from dlqlab.report.tasks.gather import Task, Tasks

GROUP = 16
"""Lives that are unpacked together."""


def page(tasks: Tasks, verdict: Verdict, report: str) -> str:
    """The whole page.

    Args:
        tasks: what it shows.
        verdict: of the run.
        report: name of the report's file beside it.
    """
    return _environment().get_template("page.html.j2").render(
        verdict=verdict,
        report=report,
        notes=tasks.notes,
        rows=_json(rows(tasks.tasks)),
        groups=list(groups(tasks)),
        group=GROUP,
        style=STYLE,
        legend=LEGEND,
        count=len(tasks.tasks),
    )  # fmt: skip


def rows(tasks: Sequence[Task]) -> list[list[object]]:
    """One list for each task: key, reasons, attempts, receives, outcome, seconds or null, last error, other ids."""
    return [
        [
            row.key,
            row.why,
            row.attempts,
            row.receives,
            row.outcome,
            None if row.took_s is None else round(row.took_s, 4),
            row.last_error or "",
            row.ids,
        ]
        for row in (task.row for task in tasks)
    ]


def groups(tasks: Tasks) -> Iterator[str]:
    """The lives in order, ``GROUP`` in each: Base64 of the gzip of a JSON list of HTML."""
    for some in batched(tasks.tasks, GROUP, strict=False):
        text = json.dumps([_shown(task, tasks) for task in some], ensure_ascii=False)
        yield base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def _shown(task: Task, tasks: Tasks) -> str:
    life = task.life
    drawn = part(life, spans(life, lines_about(life, tasks.logged)))
    if DEAD_LETTER not in task.row.why:
        return drawn
    # Notes stand below the waterfall.
    told = [line for line in reason_lines(life, task.reasons) if not line.startswith("note: ")]
    return f"<h2>Why it is a dead letter</h2><pre>{escape('\n'.join(told).strip())}</pre>{drawn}"


def _json(value: object) -> str:
    """JSON that can stand in a script: what could end it or begin a comment is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
