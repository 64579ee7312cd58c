"""The HTML page: verdict first, nothing from the network, text from the run escaped."""

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

from dlqlab.contracts.manifest import CardEntry, Manifest
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.verdict import Check, NamedSet, SetKind, Status, Verdict
from dlqlab.report.html import Link, page

MANIFEST = Manifest(
    run_id="r1",
    simulated=True,
    drained=True,
    scenario=Scenario(name="small", description="a <b>small</b> run"),
    fidelity=(
        CardEntry(name="visibility_tick", ok=True, statement="back within 0.4 s"),
        CardEntry(name="log_filters", ok=False, statement="filters are ignored"),
    ),
)
LOST = tuple(f"t-{number:02d}" for number in range(25))
VERDICT = Verdict(
    run_id="r1",
    finished=True,
    checks=(
        Check(
            name="a", title="Nothing lost", status=Status.INVALID, statement="25 lost <tasks>", members={"lost": LOST}
        ),
        Check(name="b", title="Rate", status=Status.VALID, statement="30 %", members={"fine": ("hidden-1",)}),
    ),
)


class Tags(HTMLParser):
    """All tags with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def cell(
    kind: str, source: str, *, tags: tuple[str, ...] = (), outputs: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    """A cell as a notebook holds it."""
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}, "outputs": list(outputs)}


def picture(alt: str) -> dict[str, Any]:
    """The output of a cell that shows a chart."""
    return {
        "output_type": "execute_result",
        "data": {"image/png": "aGk=\n", "text/plain": alt},
        "metadata": {"image/png": {"alt": alt, "width": 700, "height": 370}},
    }


NOTEBOOK = {
    "cells": [
        cell("markdown", "# title"),
        cell("code", "run_dir = '.'", tags=("parameters",)),
        cell("markdown", "### Rates\n\n**Claim:** <script>alert(1)</script>"),
        cell("code", "charts.failure_rate(facts)", outputs=(picture('28 % "failed" & more'),)),
        cell(
            "code", "print_verdict(verdict)", tags=("verdict",), outputs=({"output_type": "stream", "text": "again"},)
        ),
    ]
}


def test_page_loads_nothing_from_the_network() -> None:
    """No reference leaves the file: no scripts, no style sheets, pictures and icon as data."""
    text = page(NOTEBOOK, VERDICT, MANIFEST)

    references = [value for _, found in Tags(text).found for name, value in found.items() if name in ("src", "href")]
    assert ["data"] * len(references) == [str(value).partition(":")[0] for value in references]
    assert 2 == len(references)
    assert [] == re.findall(r"https?://|@import|url\(", text)
    assert "script" not in {tag for tag, _ in Tags(text).found}


def test_verdict_stands_before_the_first_picture() -> None:
    """Who opens the page sees the answer first, then the charts, the fidelity card and the manifest."""
    text = page(NOTEBOOK, VERDICT, MANIFEST)

    places = [text.index(mark) for mark in ("25 lost", "<img", 'id="fidelity"', 'id="manifest"')]
    assert sorted(places) == places
    assert "again" not in text


def test_every_picture_has_its_text() -> None:
    """The finding is the alternative text, whatever characters it holds."""
    pictures = [found for tag, found in Tags(page(NOTEBOOK, VERDICT, MANIFEST)).found if tag == "img"]

    assert ['28 % "failed" & more'] == [found["alt"] for found in pictures]


def test_text_of_the_run_is_escaped() -> None:
    """A statement, a description or prose cannot bring tags into the page."""
    text = page(NOTEBOOK, VERDICT, MANIFEST)

    assert "25 lost &lt;tasks&gt;" in text
    assert "a &lt;b&gt;small&lt;/b&gt; run" in text
    assert "<script>" not in text


def test_members_of_failing_sets_are_listed_up_to_twenty() -> None:
    """Sets of a check that is not valid show their first members; valid checks show none."""
    text = page(NOTEBOOK, VERDICT, MANIFEST)

    assert "t-19" in text
    assert "t-20" not in text
    assert "and 5 more in verdict.json" in text
    assert "hidden-1" not in text


def test_page_of_a_bare_manifest_says_what_is_missing() -> None:
    """A manifest without optional keys and a verdict without checks still make a page."""
    text = page(
        {"cells": []}, Verdict(run_id="r", finished=False, checks=()), Manifest(run_id="r", scenario=Scenario(name="x"))
    )

    assert "nothing was checked" in text
    assert "The target was not probed." in text
    assert "did not come to its end" in text


def test_sets_that_speak_against_a_check_are_open_and_told() -> None:
    """What a failing set means stands below its members; book-keeping comes after it, folded."""
    sets = (
        NamedSet("sent", SetKind.ACCOUNT, "A client sent it."),
        NamedSet("lost", SetKind.VIOLATION, "Nothing is left."),
    )
    members = {"sent": ("t-1", "t-2"), "lost": ("t-1",)}
    check = Check(name="a", title="A", status=Status.INVALID, statement="1 lost", members=members, sets=sets)
    text = page({"cells": []}, Verdict(run_id="r", finished=True, checks=(check,)), MANIFEST)
    told = '<details open><summary>lost: 1</summary><code>t-1</code><p class="faint">Nothing is left.</p></details>'
    folded = "<details><summary>sent: 2</summary>"

    assert text.index(told) < text.index(folded)


def test_patches_that_are_applied_are_folded() -> None:
    """The fidelity card shows probes, differences and what is off; that a patch does its work is one line."""
    entries = [
        CardEntry(name="visibility_tick", ok=True, statement="back within 0.4 s"),
        CardEntry(name="patch redrive", ok=True, statement="Redrive works."),
        CardEntry(name="patch match_dimensions", ok=False, statement="off: Dimensions match."),
    ]
    text = page(NOTEBOOK, VERDICT, dataclasses.replace(MANIFEST, fidelity=tuple(entries)))
    shown, summary, folded = text.partition("<summary>1 patch of the emulator, which does as AWS does</summary>")

    assert summary
    assert "off: Dimensions match." in shown
    assert "Redrive works." not in shown
    assert "Redrive works." in folded


def test_page_leads_to_the_tasks() -> None:
    """With their number; where there is none, with the reason. A comparison has no such page."""
    some = page(NOTEBOOK, VERDICT, MANIFEST, tasks=Link("tasks.html", 1234))
    none = page(NOTEBOOK, VERDICT, MANIFEST, tasks=Link("tasks.html", 0, ("Nothing is <known>.",)))

    assert '<a href="tasks.html">1,234 tasks with their lives</a>' in some
    assert '<a href="tasks.html">No task is shown by itself</a>: Nothing is &lt;known&gt;.' in none
    assert "tasks.html" not in page(NOTEBOOK, VERDICT, MANIFEST)


def test_drawing_stands_above_the_charts_with_its_text() -> None:
    """Once as it is, in a frame that scrolls; its text is folded, and it is no cell without a chart."""
    data = {"image/svg+xml": ["<svg>", "<text>12 entered</text></svg>"], "text/plain": "→ orders <&>"}
    cell = {
        "cell_type": "code", "source": "drawn(facts)", "metadata": {},
        "outputs": [{"output_type": "execute_result", "data": data, "metadata": {}}],
    }  # fmt: skip
    html = page({"cells": [cell]}, Verdict(run_id="r", finished=True, checks=()), MANIFEST)

    assert 1 == html.count('<div class="drawing" tabindex="0"><svg><text>12 entered</text></svg></div>')
    assert "<pre>→ orders &lt;&amp;&gt;</pre>" in html
    assert html.index("12 entered") < html.index('<section id="charts">')
    assert "without a chart" not in html
