"""The page in a real browser, where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dlqlab.contracts.manifest import Manifest, Provenance
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.verdict import Check, Status, Verdict
from dlqlab.report.html import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEADLINE_S = 60
PROBE = """<script>
addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const broken = [...document.images].filter((image) => image.naturalWidth === 0).length;
  const loaded = performance.getEntriesByType("resource").length;
  document.body.dataset.probe = `wide=${wide} broken=${broken} loaded=${loaded}`;
});
</script>"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def report() -> str:
    """A page with a chart, a long list of members and a long line of code."""
    output = {
        "output_type": "display_data",
        "data": {"image/png": PIXEL},
        "metadata": {"image/png": {"alt": "a pixel", "width": 700, "height": 370}},
    }
    code = {"cell_type": "code", "source": "x = 1  # " + "long " * 60, "metadata": {}, "outputs": [output]}
    ids = tuple(f"t-1-{number:08d}" for number in range(50))
    check = Check(name="a", title="Nothing lost", status=Status.INVALID, statement="50 lost", members={"lost": ids})
    made_by = Provenance(command=("x" * 300,))
    manifest = Manifest(run_id="r", scenario=Scenario(name="small"), provenance=made_by)
    return page({"cells": [code]}, Verdict(run_id="r", finished=True, checks=(check,)), manifest)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the page is not opened in a browser")
@pytest.mark.parametrize("width", [400, 1300])
def test_page_fits_and_logs_no_errors(tmp_path: Path, width: int) -> None:
    """At both widths nothing reaches over the side, every picture shows, nothing is fetched, the console is quiet."""
    inner = tmp_path / "page.html"
    inner.write_text(report().replace("</body>", PROBE + "</body>"))
    # A headless window has a least width of its own; a frame has not.
    outer = tmp_path / "frame.html"
    outer.write_text(f'<iframe src="page.html" style="width:{width}px;height:900px;border:0"></iframe>')
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--no-first-run", "--disable-dev-shm-usage", "--allow-file-access-from-files", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000",
    ]  # fmt: skip

    shown = subprocess.run(
        [*command, "--dump-dom", _frame_reader(outer)], capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )

    assert ["wide=0 broken=0 loaded=0"] == re.findall(r'data-inner="([^"]*)"', shown.stdout)
    assert [] == [line for line in shown.stderr.splitlines() if "CONSOLE" in line]


def _frame_reader(outer: Path) -> str:
    """The address of the framing page, which copies the probe's result out of its frame."""
    script = """<script>
addEventListener("load", () => {
  const inner = document.querySelector("iframe").contentDocument;
  setTimeout(() => { document.body.dataset.inner = inner.body.dataset.probe; }, 100);
});
</script>"""
    outer.write_text(outer.read_text() + script)
    return outer.as_uri()
