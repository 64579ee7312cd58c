"""The life of a task as text and as a page."""

import re
from html.parser import HTMLParser

from dlqlab.analysis.keys import find
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.log_lines import Line
from dlqlab.analysis.reasons import reason, work_stays
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.analysis.spans import spans, walk
from dlqlab.contracts.recording import Recording
from dlqlab.report.life.page import page
from dlqlab.report.life.text import bar, life_lines, listing, reason_lines
from tests.support.lives import BATCH, body, completed, dead_lettered, submitted
from tests.support.recordings import T0, recording


def life_of(record: Recording, key: str) -> Life:
    rows = Rows(record)
    [life] = lives(rows, find(rows, key))
    return life


def words(life: Life) -> list[str]:
    """The lines of a life without times and bars."""
    return [line[47:] for line in list(life_lines(life, spans(life)))[4:]]


def test_timeline_of_a_completed_task() -> None:
    """What is inside is indented; a cold start, calls and the wait are told."""
    assert words(life_of(completed(), "t-1")) == [
        "request POST /tasks: 202 by curl/8, id r1",
        "  invocation of api: ok, id api-invocation",
        "    dynamodb PutItem items: 200 taskId=t-1",
        "message in tasks: sent by api, id m1",
        "  waits in the queue",
        "  receive 1: done, deleted by the mapping; visibility timeout 60 s",
        "    invocation of processor: ok, id p1",
        "      init: cold start, 0.10 s",
        "      dynamodb UpdateItem: 200",
        "  deleted by the mapping",
    ]


def test_timeline_says_how_it_was_found_and_when() -> None:
    life = life_of(completed(), "t-1")

    head, length, _, _, first, *_ = life_lines(life, spans(life))

    assert head == "t-1: it is in the keys of items of items; it is in the body of 1 message, as taskId"
    assert length == "0.91 s from the first to the last that is recorded"
    assert first[:34] == "  +0.000 s   0.20 s  =====        "


def test_log_lines_stand_in_their_invocation() -> None:
    life = life_of(dead_lettered(), "m1")
    found = [
        (depth, span.detail)
        for depth, span in walk(spans(life, {("m1", "p1"): [Line(T0, "", "boom")]}))
        if span.label == "log"
    ]

    assert found == [(3, "boom")]


def test_log_lines_have_their_time() -> None:
    """When they were stored, not when their invocation ended; further lines of a traceback stand below the first."""
    life = life_of(dead_lettered(), "m1")
    some = spans(life, {("m1", "p1"): [Line(T0 + 0.25, "", "boom\n  at f")]})
    first, second = [line for line in "\n".join(life_lines(life, some)).splitlines() if "| " in line]

    assert first.split() == ["+0.250", "s", "|", "boom"]
    assert (second.split(), second.index("|")) == (["|", "at", "f"], first.index("|"))
    assert '<span class="time">+0.250 s</span> boom\n  at f' in page(life, some)


def test_bar_has_a_mark_however_short_the_span() -> None:
    assert bar(0, 0, 10, 10) == "=         "
    assert bar(10, 10, 10, 10) == "         ="
    assert bar(2.5, 7.5, 10, 10) == "  ======  "
    assert bar(0, 0, 0, 3) == "=  "


def test_why_in_lines() -> None:
    """Each receive, the last error, its log lines."""
    life = life_of(dead_lettered(), "m1")
    told = reason(life, work_stays(life)[0], {"p1": [Line(T0, "", "a line of m1")]}, 3)

    assert list(reason_lines(life, [told])) == [
        "message m1 was dead-lettered: moved from tasks to dead-letters, and taken from there by monitor",
        f"in tasks (maxReceiveCount 3): {told.summary}",
        "  receive 1    +0.100 s  failed, the function failed: ValueError: on purpose",
        "  receive 2    +2.300 s  not tried, no environment was free",
        "  receive 3   +62.400 s  not tried, no environment was free",
        "last error: ValueError: on purpose (invocation p1)",
        "  | a line of m1",
        "",
    ]


def test_several_tasks_are_listed() -> None:
    rows = Rows(recording(messages=BATCH, bodies=[body("t-1", runId="run-9"), body("t-2", runId="run-9")]))
    found = find(rows, "run-9")

    assert list(listing(found, lives(rows, found))) == [
        "run-9: it is in the body of 2 messages, as runId: 2 tasks; ask for one by its message id",
        "  m1  in tasks: never received; is in tasks",
        "  m2  in tasks: never received; is in tasks",
    ]


class Page(HTMLParser):
    """What a page refers to, its words, and whether its elements close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.refers: list[str] = []
        self.rects: list[dict[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.refers += [str(found[name]) for name in ("src", "href", "xlink:href") if name in found]
        if tag == "rect":
            self.rects.append(found)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_page_is_whole_and_loads_nothing() -> None:
    """Every element closes, nothing is loaded, each span has its bar inside the axis."""
    life = life_of(dead_lettered(), "m1")
    found = spans(life)
    made = Page(page(life, found))

    assert (made.open, made.refers) == ([], [])
    assert "url(" not in page(life, found)
    bars = [each for each in made.rects if each["width"] != "1"]
    assert len(bars) == len(list(walk(found)))
    assert all(0 <= float(str(each["x"])) <= 1000 - float(str(each["width"])) + 0.01 for each in bars)
    assert "receive 3" in made.words


def test_page_shows_text_as_text() -> None:
    """A body's key with marks of HTML is no HTML."""
    life = life_of(recording(messages=[submitted("<b>")], bodies=[body("<b>")]), "<b>")

    html = page(life, spans(life, {("m1", "p1"): [Line(T0, "", "<script>")]}))

    assert "<b>:" not in html
    assert re.search(r"<h1>The life of &lt;b&gt;</h1>", html)
