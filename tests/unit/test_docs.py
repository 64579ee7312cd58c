"""Documentation that leads somewhere: links, anchors, quoted messages."""

import re
from pathlib import Path

import pytest

from dlqlab import paths

PAGES = sorted([*paths.DOCS.rglob("*.md"), *paths.ROOT.glob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
_FENCE = re.compile(r"^(```.*?^```|    .*?$)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
QUOTED = {
    "dlqlab needs Python $WANTED and found none": "scripts/setup",
    "is taken by": "dlqlab/emulator/core/listening.py",
    "no emulator of this project runs": "dlqlab/cli/actions/emulators.py",
    "emulators of this project run: ": "dlqlab/cli/actions/emulators.py",
    "at its start:": "dlqlab/emulator/host/lifecycle.py",
    "does anything serve the AWS API there?": "dlqlab/cli/console.py",
    "EXIT_PATCH_FAILED = 70": "dlqlab/emulator/startup.py",
    "nothing is deployed for stage": "dlqlab/deploy/pipeline.py",
    "a failed task was deleted from the queue": "dlqlab/deploy/verify.py",
    "event source mappings, expected 1": "dlqlab/deploy/functions.py",
    "this port speaks plain HTTP: use http://": "dlqlab/emulator/gateway/http_requests.py",
    "Reserved keys used in": "dlqlab/emulator/functions/lambda_checks.py",
    "which cannot be reached from here": "dlqlab/emulator/functions/layer_sources.py",
    ", but the function runs on ": "dlqlab/emulator/functions/compiled_modules.py",
    "is outside of this machine, and functions may not": "dlqlab/emulator/runtime/function_network/__init__.py",
    "payload is too large": "dlqlab/emulator/functions/lambda_checks.py",
    "malformed Lambda proxy response": "dlqlab/emulator/apigateway/rest_api_answers.py",
    "Endpoint request timed out": "dlqlab/emulator/apigateway/rest_api_answers.py",
    "late by %(late_mean_s).3f s on average": "loadtest/locustfile.py",
    "not enough data,": "dlqlab/analysis/checks/failure_rate.py",
    "not drained within": "dlqlab/collect/drain.py",
    "load goes to this machine only": "dlqlab/load/settings.py",
    "still sends": "dlqlab/run/collect_by_hand.py",
    "left over:": "dlqlab/doctor.py",
}
"""What docs/troubleshooting.md quotes -> the file that says it."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    """Each relative link names a file of the checkout, each anchor a heading in it."""
    broken = []
    for link in _LINK.finditer(_FENCE.sub("", page.read_text())):
        target, anchor = link["target"], link["anchor"]
        if target.startswith(("http://", "https://")):
            continue
        found = (page.parent / target) if target else page
        if not found.exists() or (anchor and anchor not in _anchors(found)):
            broken.append(link[0])

    assert [] == broken


def test_every_page_is_linked_from_the_readme_or_a_page_that_is() -> None:
    """Nobody has to guess that a page exists."""
    seen: set[Path] = set()
    waiting = [paths.ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.exists() or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [(page.parent / link["target"]).resolve() for link in _LINK.finditer(page.read_text())]

    assert [] == [page.name for page in PAGES if page not in seen]


@pytest.mark.parametrize("text", QUOTED)
def test_quoted_messages_are_the_programs(text: str) -> None:
    """A symptom that the page lists is one that somebody can see."""
    assert text in (paths.ROOT / QUOTED[text]).read_text()


def _anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, by GitHub's rule: lower case, spaces to hyphens, other marks dropped."""
    headings = _HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
