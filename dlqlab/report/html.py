"""The report as one HTML file that opens offline: verdict, charts, fidelity card, manifest, in this order.

The page is made from the executed notebook by a template of our own: nothing in it is loaded from anywhere, pictures
are inlined, and text from the run is escaped. A drawing (SVG) stands in it as our own code made it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from dlqlab.analysis.summary import MEMBERS_SHOWN
from dlqlab.contracts.manifest import CardEntry, Manifest
from dlqlab.contracts.verdict import STATUS_SIGNS, Check, Status, Verdict

HIDDEN_TAG = "verdict"
"""Cells with this tag show the verdict again, which the page has at its top."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as it stands in a notebook: base64 of a PNG, its text, and the size to show it at in pixels."""

    png: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the page: prose, then what a code cell showed, with its code."""

    prose: str  # HTML
    code: str
    pictures: tuple[Picture, ...]
    texts: tuple[str, ...]
    drawings: tuple[str, ...] = ()  # SVG


@dataclass(frozen=True, slots=True)
class Link:
    """To the page of tasks: its file, how many it shows, and in sentences what it does not."""

    file: str
    count: int
    notes: tuple[str, ...] = ()


def page(
    notebook: Mapping[str, Any],
    verdict: Verdict,
    manifest: Manifest,
    *,
    against: Manifest | None = None,
    title: str | None = None,
    lead: Sequence[str] = (),
    tasks: Link | None = None,
) -> str:
    """The whole page.

    Args:
        notebook: an executed notebook of format 4.
        verdict: stands at the top.
        manifest: of the run; its ``fidelity`` is shown as a card, all of it at the end.
        against: of the run that this one is compared with.
        title: of the page; default: the run's scenario.
        lead: sentences in the banner; default: what the manifest says about the run.
        tasks: the page of single tasks, where there is one.
    """
    parts = tuple(_parts(notebook))
    template = _environment().get_template("page.html.j2")
    return template.render(
        title=title or f"{manifest.scenario.name}: {verdict.status}",
        lead=lead,
        tasks=tasks,
        manifest=manifest,
        description="" if against else manifest.scenario.description,
        verdict=verdict,
        charts=[part for part in parts if part.pictures],
        drawings=[part for part in parts if part.drawings],
        others=[part for part in parts if part.code and not part.pictures and not part.drawings],
        fidelity=[entry for entry in manifest.fidelity if not _is_applied_patch(entry)],
        patches=[entry for entry in manifest.fidelity if _is_applied_patch(entry)],
        manifest_json=json.dumps(_shown(manifest, against), indent=2, ensure_ascii=False),
    )


def _shown(manifest: Manifest, against: Manifest | None) -> dict[str, object]:
    return {"first": against.to_json(), "second": manifest.to_json()} if against else manifest.to_json()


@dataclass(frozen=True, slots=True)
class Shown:
    """A set of a check: its first members, how many more there are, and whether they speak against the check."""

    name: str
    meaning: str
    ids: Sequence[str]
    more: int
    is_against: bool


def members_shown(check: Check) -> list[Shown]:
    """The sets of a check that is not valid: first those that speak against it, then the others. Empty ones are not."""
    if check.status is Status.VALID:
        return []
    against = check.against
    found = [
        Shown(name, check.meaning(name), ids[:MEMBERS_SHOWN], max(0, len(ids) - MEMBERS_SHOWN), name in against)
        for name, ids in check.members.items()
        if ids
    ]
    return sorted(found, key=lambda shown: not shown.is_against)


def _is_applied_patch(entry: CardEntry) -> bool:
    """Whether a row of the fidelity card says that a patch gives what AWS has: nobody needs it but to look it up."""
    return bool(entry.ok) and entry.name.startswith("patch ")


def _parts(notebook: Mapping[str, Any]) -> Iterator[Part]:
    """Each code cell with the prose before it."""
    prose: list[str] = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            prose.append(_markdown().render(cell["source"]))
        elif cell["cell_type"] == "code" and HIDDEN_TAG not in cell["metadata"].get("tags", []):
            shown = tuple(_pictures(cell)), tuple(_texts(cell)), tuple(_drawings(cell))
            yield Part("\n".join(prose), cell["source"], *shown)
            prose = []


def _pictures(cell: Mapping[str, Any]) -> Iterator[Picture]:
    for output in cell["outputs"]:
        png = output.get("data", {}).get("image/png")
        if png is not None:
            about = output.get("metadata", {}).get("image/png", {})
            yield Picture(
                "".join(png.split()), about.get("alt", "chart"), about.get("width", 700), about.get("height", 400)
            )


def _drawings(cell: Mapping[str, Any]) -> Iterator[str]:
    for output in cell["outputs"]:
        svg = output.get("data", {}).get("image/svg+xml")
        if svg is not None:
            yield "".join(svg)


def _texts(cell: Mapping[str, Any]) -> Iterator[str]:
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            yield output["text"]
        elif output["output_type"] in ("execute_result", "display_data") and "image/png" not in output["data"]:
            yield output["data"].get("text/plain", "")


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["signs"] = {str(status): sign for status, sign in STATUS_SIGNS.items()}
    environment.globals["members_shown"] = members_shown
    return environment
