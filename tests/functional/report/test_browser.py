"""The page in a real browser, where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dlqlab.analysis.chosen_tasks import DEAD_LETTER, SLOW
from dlqlab.analysis.reasons import reason
from dlqlab.analysis.task_rows import task_row
from dlqlab.analysis.told_lives import told_life
from dlqlab.contracts.manifest import Manifest, Provenance
from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.tables import TABLES
from dlqlab.contracts.verdict import Check, Status, Verdict
from dlqlab.report.html import page
from dlqlab.report.tasks.gather import Task, Tasks
from dlqlab.report.tasks.page import page as tasks_page

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
    """A page with a chart, a drawing wider than any screen, a long list of members and a long line of code."""
    drawing = {"output_type": "execute_result", "data": {"image/svg+xml": '<svg width="3000" height="9"></svg>'}}
    output = {
        "output_type": "display_data",
        "data": {"image/png": PIXEL},
        "metadata": {"image/png": {"alt": "a pixel", "width": 700, "height": 370}},
    }
    code = {"cell_type": "code", "source": "x = 1  # " + "long " * 60, "metadata": {}, "outputs": [output]}
    drawn = {"cell_type": "code", "source": "drawn(facts)", "metadata": {}, "outputs": [drawing]}
    ids = tuple(f"t-1-{number:08d}" for number in range(50))
    check = Check(name="a", title="Nothing lost", status=Status.INVALID, statement="50 lost", members={"lost": ids})
    made_by = Provenance(command=("x" * 300,))
    manifest = Manifest(run_id="r", scenario=Scenario(name="small"), provenance=made_by)
    return page({"cells": [code, drawn]}, Verdict(run_id="r", finished=True, checks=(check,)), manifest)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the page is not opened in a browser")
@pytest.mark.parametrize("width", [400, 1300])
def test_page_fits_and_logs_no_errors(tmp_path: Path, width: int) -> None:
    """At both widths nothing reaches over the side, every picture shows, nothing is fetched, the console is quiet."""
    shown = _in_frame(report(), PROBE, tmp_path, width)

    assert ["wide=0 broken=0 loaded=0"] == re.findall(r'data-inner="([^"]*)"', shown.stdout)
    assert [] == [line for line in shown.stderr.splitlines() if "CONSOLE" in line]


def _in_frame(html: str, probe: str, tmp_path: Path, width: int) -> subprocess.CompletedProcess[str]:
    """What the browser prints of the page with a probe's script in it, in a frame of this width."""
    inner = tmp_path / "page.html"
    inner.write_text(html.replace("</body>", probe + "</body>"))
    # A headless window has a least width of its own; a frame has not.
    outer = tmp_path / "frame.html"
    outer.write_text(f'<iframe src="page.html" style="width:{width}px;height:900px;border:0"></iframe>')
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--no-first-run", "--disable-dev-shm-usage", "--allow-file-access-from-files", "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000",
    ]  # fmt: skip

    return subprocess.run(
        [*command, "--dump-dom", _frame_reader(outer)], capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )


def _frame_reader(outer: Path) -> str:
    """The address of the framing page, which copies the probe's result out of its frame."""
    script = """<script>
addEventListener("load", () => {
  const inner = document.querySelector("iframe").contentDocument;
  const read = () => {
    if (inner.body.dataset.probe) document.body.dataset.inner = inner.body.dataset.probe;
    else setTimeout(read, 20);
  };
  read();
});
</script>"""
    outer.write_text(outer.read_text() + script)
    return outer.as_uri()


TASKS_PROBE = """<script>
addEventListener("load", async () => {
  const said = [];
  const say = (text) => said.push(text);
  const visible = () => [...document.querySelectorAll("tr.task button")].map((name) => name.textContent);
  const type = (text) => {
    const words = document.getElementById("words");
    words.value = text;
    words.dispatchEvent(new Event("input"));
  };
  say(`all=${visible().length}`);
  type("m-2");
  say(`message=${visible()}`);
  type("LATE boom");
  say(`error=${visible()}`);
  type("");
  const why = document.getElementById("why");
  why.value = "slow";
  why.dispatchEvent(new Event("change"));
  say(`slow=${visible()}`);
  why.value = "";
  why.dispatchEvent(new Event("change"));
  const time = [...document.querySelectorAll("th button")].find((name) => name.textContent === "entry to end");
  time.click();
  say(`longest=${visible()[0]}`);
  time.click();
  say(`shortest=${visible()[0]}`);
  document.querySelector("tr.task button").click();
  say(`opened=${document.activeElement.getAttribute("aria-expanded")}`);
  while (!document.querySelector("tr.life svg")) await new Promise((done) => setTimeout(done, 10));
  say(`why=${document.querySelectorAll("tr.life pre").length}`);
  document.activeElement.click();
  say(`closed=${document.querySelectorAll("tr.life").length}`);
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const loaded = performance.getEntriesByType("resource").length;
  document.body.dataset.probe = [...said, `wide=${wide}`, `loaded=${loaded}`].join(" ");
});
</script>"""


def three_tasks() -> str:
    """Two dead letters and a slow task that took 1, 2 and 3 s."""
    made = []
    for n, why in ((1, DEAD_LETTER), (2, DEAD_LETTER), (3, SLOW)):
        events = [
            {**dict.fromkeys(TABLES["events"]), "event": name, "ts": ts, "message_id": f"m-{n}", "function": "f",
             "request_id": "r" * 40, "error_type": "Late", "error_message": f"boom {n}"}
            for name, ts in (("task.accepted", 0.0), ("attempt.started", 0.5), ("attempt.failed", 0.6),
                             ("task.dead_lettered", float(n)))
        ]  # fmt: skip
        life = told_life(f"t-{n}", events, "tasks")
        reasons = tuple(reason(life, stay, {}) for stay in life.stays)
        made.append(Task(task_row(life.key, (why,), life, reasons), life, reasons))
    return tasks_page(Tasks(tuple(made), (), {}), Verdict(run_id="r", finished=True, checks=()), "report.html")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the page is not opened in a browser")
@pytest.mark.parametrize("width", [400, 1300])
def test_tasks_are_searched_filtered_sorted_and_opened(tmp_path: Path, width: int) -> None:
    """By message id and by words of the error; by reason; by time both ways; a click opens a life and closes it."""
    shown = _in_frame(three_tasks(), TASKS_PROBE, tmp_path, width)

    told = re.findall(r'data-inner="([^"]*)"', shown.stdout)
    assert told[0].split() == [
        "all=3", "message=t-2", "error=t-1,t-2,t-3", "slow=t-3", "longest=t-3", "shortest=t-1", "opened=true", "why=1",
        "closed=0", "wide=0", "loaded=0",
    ]  # fmt: skip
    assert [] == [line for line in shown.stderr.splitlines() if "CONSOLE" in line]
