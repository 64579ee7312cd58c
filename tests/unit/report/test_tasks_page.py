"""The page of tasks: rows as JSON, lives packed, nothing from the network, no text of a run taken for markup."""

import base64
import gzip
import json
import re

from dlqlab.analysis.chosen_tasks import DEAD_LETTER
from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import lives
from dlqlab.analysis.log_lines import Line
from dlqlab.analysis.reasons import reason, work_stays
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.analysis.spans import spans
from dlqlab.analysis.task_rows import task_row
from dlqlab.contracts.verdict import Verdict
from dlqlab.report.life.logged import lines_about
from dlqlab.report.life.page import part
from dlqlab.report.tasks.gather import Task, Tasks
from dlqlab.report.tasks.page import GROUP, page
from tests.support.lives import body, ran, submitted
from tests.support.recordings import T0, recording
from tests.unit.report.test_html import Tags

HOSTILE = "</script><img src=x onerror=alert(1)>"
VERDICT = Verdict(run_id="r1", finished=True, checks=())


def tasks(count: int = 1, key: str = HOSTILE, why: str = DEAD_LETTER) -> Tasks:
    """So many times the same task, whose id, error and log line are hostile."""
    received = {"kind": "received", "ts": T0 + 0.5, "message_id": "m1", "receive_count": 1}
    failed = ran(0.6, "p1", failed=["m1"], outcome="error", error_type="Oops", error_message=HOSTILE)
    rows = Rows(recording(messages=[submitted(key), received], invocations=[failed], bodies=[body(key)]))
    [life] = lives(rows, find(rows, key))
    logged = {"p1": [Line(T0 + 0.7, "e1", HOSTILE)]}
    reasons = tuple(reason(life, stay, logged, 3) for stay in work_stays(life))
    one = Task(task_row(key, (why,), life, reasons), life, reasons)
    return Tasks((one,) * count, (f"note of {HOSTILE}",), logged)


def unpacked(html: str) -> list[list[str]]:
    packed = re.findall(r'<script type="text/plain" id="lives-\d+">(.*?)</script>', html)
    return [json.loads(gzip.decompress(base64.b64decode(each))) for each in packed]


def test_text_of_a_run_is_never_markup() -> None:
    """Neither in the rows, nor in a life, nor in a note."""
    html = page(tasks(), VERDICT, "report.html")
    tags = Tags(html)

    assert {tag for tag, _ in tags.found if tag == "img"} == set()
    assert len([tag for tag, _ in tags.found if tag == "script"]) == html.count("</script>")
    [[life]] = unpacked(html)
    drawn = {"h2", "pre", "p", "div", "b", "span", "small", "svg", "title", "rect", "ul", "li"}
    assert {tag for tag, _ in Tags(life).found} <= drawn
    assert "&lt;/script&gt;" in life


def test_page_loads_nothing_and_leads_back() -> None:
    """The one reference that leaves the file is the report beside it."""
    found = Tags(page(tasks(), VERDICT, "report.html")).found
    refers = [attributes[name] for _, attributes in found for name in ("src", "href") if name in attributes]

    assert refers == ["data:,", "report.html"]
    assert "http" not in re.sub(
        r"<script type=.*?</script>", "", page(tasks(), VERDICT, "report.html"), flags=re.DOTALL
    )


def test_rows_have_what_is_searched_and_sorted() -> None:
    html = page(tasks(), VERDICT, "report.html")
    found = re.search(r'id="rows">(.*?)</script>', html)
    assert found

    assert json.loads(found[1]) == [
        [HOSTILE, [DEAD_LETTER], 1, 1, "in tasks", None, f"Oops: {HOSTILE}", ["m1", "p1"]],
    ]


def test_life_is_the_one_that_trace_draws_with_why_it_is_dead() -> None:
    """The same waterfall; of what is no dead letter it stands alone."""
    [[dead]], [[slow]] = unpacked(page(tasks(), VERDICT, "")), unpacked(page(tasks(why="slow"), VERDICT, ""))
    life = tasks().tasks[0].life

    assert slow == part(life, spans(life, lines_about(life, tasks().logged)))
    assert dead.endswith(slow)
    assert "in tasks (maxReceiveCount 3): received once, tried once" in dead


def test_lives_are_packed_in_groups() -> None:
    found = unpacked(page(tasks(GROUP + 1), VERDICT, ""))

    assert [len(each) for each in found] == [GROUP, 1]
