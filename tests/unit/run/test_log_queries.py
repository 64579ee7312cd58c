"""Queries over what a run keeps, and at a target."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlqlab.collect.lines import EventRow, InvocationRow, Source, parse
from dlqlab.errors import EvidenceError, UsageError
from dlqlab.insights.lines import lambda_fields
from dlqlab.run.log_queries import QueryAnswer, groups_of, query_run, query_target
from dlqlab.run.stored_lines import event_message, report_message, stored_lines
from tests.support.recorded import NAMES, recorded


@pytest.mark.parametrize("name", NAMES)
def test_a_kept_event_is_the_line_that_wrote_it(name: str, tmp_path: Path) -> None:
    """Read again, the rebuilt lines give the rows of the table that they were made of."""
    run = recorded(name, tmp_path)
    table = run.read("events").drop(columns="cell")
    source = Source("f", "s", 0.0, "id")
    own = [column for column in table.columns if column not in {"stored_ts", "log_stream", "line_id"}]
    lines = [line for line in stored_lines(run) if line.message.startswith('{"event"')]
    found = [parse(line.message, source) for line in lines]

    assert len(table) == len(found)
    for row, again in zip(table[own].to_dict("records"), found, strict=True):
        assert isinstance(again, EventRow)
        assert {key: value for key, value in row.items() if value == value and value is not None} == {  # noqa: PLR0124  (NaN is not itself)
            key: again.row[key] for key in own if again.row.get(key) is not None
        }


def test_nested_payloads_are_objects_again() -> None:
    """As the function wrote them, so that their fields can be asked for."""
    row = {"event": "task.dead_lettered", "ts": 1.5, "task_id": "t", "payload": '{"order":{"id":17}}', "archived": True}
    event = json.loads(event_message(row))

    assert {"order": {"id": 17}} == event["payload"]
    assert ("t", 1.5, True, None) == (event["taskId"], event["ts"], event["archived"], event["reason"])


def test_a_report_line_says_what_is_kept() -> None:
    """Its fields are found by a query and by the collector alike."""
    row = {"request_id": "r", "duration_ms": 12.34, "init_duration_ms": 200.5, "memory_mb": 68.0, "status": "timeout"}
    line = report_message(row)
    parsed = parse(line, Source("f", "s", 0.0, "id"))

    assert {"@type": "REPORT", "@requestId": "r", "@duration": 12.34, "@initDuration": 200.5,
            "@maxMemoryUsed": 68_000_000} == lambda_fields(line)  # fmt: skip
    assert isinstance(parsed, InvocationRow)
    assert row.items() <= parsed.row.items()


def test_prints_and_bad_lines_are_asked_too(tmp_path: Path) -> None:
    """Whatever the run keeps of its log is searched; a damaged file is said to be one."""
    run = recorded("one_retry", tmp_path)
    kept = {"function": "f", "log_stream": "s", "stored_ts": 1.5, "line_id": "x", "line": "Traceback of t-9"}
    (run.path / "other_lines.jsonl").write_text(json.dumps(kept) + "\n")
    (run.path / "bad_lines.jsonl").write_text(json.dumps(kept | {"line": '{"event": "t-9"}', "error": "e"}) + "\n")
    found = query_run(run, "fields @message, @log, @timestamp | filter @message like /t-9/ | sort @message desc")

    assert [
        {"@message": '{"event": "t-9"}', "@log": "000000000000:/aws/lambda/f", "@timestamp": "1970-01-01 00:00:01.500"},
        {"@message": "Traceback of t-9", "@log": "000000000000:/aws/lambda/f", "@timestamp": "1970-01-01 00:00:01.500"},
    ] == found.rows
    (run.path / "other_lines.jsonl").write_text("{}\n")
    with pytest.raises(EvidenceError, match=r"other_lines.jsonl, line 1: is not a kept log line"):
        query_run(run, "fields @message")


class Pages:
    """A target's log groups, and the answers of its queries in the order in which they come."""

    def __init__(self, *groups: str, answers: tuple[dict[str, Any], ...] = ()) -> None:
        self._groups = groups
        self._answers = list(answers)
        self.started: dict[str, Any] = {}
        self.stopped = False

    class exceptions:  # noqa: N801  (as boto3 calls it)
        class MalformedQueryException(Exception):
            def __init__(self, message: str) -> None:
                self.response = {"Error": {"Message": message}}

    def get_paginator(self, _name: str) -> "Pages":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"logGroups": [{"logGroupName": name}]} for name in self._groups]

    def start_query(self, **request: Any) -> dict[str, str]:
        if request["queryString"] == "?":
            raise self.exceptions.MalformedQueryException("unexpected symbol found ?")
        self.started = request
        return {"queryId": "q"}

    def get_query_results(self, queryId: str) -> dict[str, Any]:
        assert queryId == "q"
        return self._answers.pop(0)

    def stop_query(self, queryId: str) -> None:
        assert queryId == "q"
        self.stopped = True


def client(*groups: str, answers: tuple[dict[str, Any], ...] = ()) -> Any:
    return Pages(*groups, answers=answers)


def complete(*rows: dict[str, str]) -> dict[str, Any]:
    cells = [[{"field": name, "value": value} for name, value in row.items()] for row in rows]
    return {"status": "Complete", "results": cells, "statistics": {"recordsMatched": 2.0, "recordsScanned": 3.0}}


def test_a_target_is_asked_until_it_has_answered() -> None:
    """In whole seconds that hold the last line too; columns that some rows lack stand where they belong."""
    logs = client(
        "g", answers=({"status": "Running"}, complete({"a": "1", "c": "3", "@ptr": "p"}, {"a": "1", "b": "2"}))
    )
    found = query_target(logs, "fields a", ["g"], since_ts=5.7, limit=7, wall_clock=lambda: 9.9, sleep=lambda _s: None)

    assert (
        QueryAnswer(columns=("a", "b", "c"), rows=[{"a": "1", "c": "3"}, {"a": "1", "b": "2"}], matched=2, scanned=3)
        == found
    )
    assert {
        "logGroupNames": ["g"],
        "queryString": "fields a",
        "startTime": 5,
        "endTime": 10,
        "limit": 7,
    } == logs.started
    assert not logs.stopped


def test_a_query_that_nobody_waits_for_is_stopped() -> None:
    """Ctrl-C ends the query as well."""

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    logs = client("g", answers=({"status": "Running"},))
    with pytest.raises(KeyboardInterrupt):
        query_target(logs, "fields a", ["g"], since_ts=0, sleep=interrupted)

    assert logs.stopped


def test_a_query_that_fails_is_no_answer() -> None:
    with pytest.raises(EvidenceError, match="ended as Failed"):
        query_target(client("g", answers=({"status": "Failed"},)), "fields a", ["g"], since_ts=0)
    with pytest.raises(UsageError, match=r"malformed: unexpected symbol found \?"):
        query_target(client("g"), "?", ["g"], since_ts=0)


def test_which_log_groups_are_asked() -> None:
    """Those that are named, or the pipeline's, or those of all functions."""
    logs = client("/aws/lambda/a", "/aws/lambda/b", "other")

    assert ["/aws/lambda/b"] == groups_of(logs, [], ["/aws/lambda/b", "/aws/lambda/gone"])
    assert ["/aws/lambda/a", "/aws/lambda/b"] == groups_of(logs, [], ["/aws/lambda/gone"])
    assert ["other"] == groups_of(logs, ["other"], ["/aws/lambda/b"])
    assert ["/aws/lambda/a", "/aws/lambda/b"] == groups_of(logs, ["/aws/*"], [])
    for there, wanted, said in (
        (logs, ["nope"], "--group nope: there is no such log group; there are /aws/lambda/a"),
        (client("other"), [], "there is no log group of a function yet"),
        (client(*(f"/aws/lambda/{n}" for n in range(51))), [], "51 log groups, and a query asks at most 50"),
    ):
        with pytest.raises(UsageError, match=said):
            groups_of(there, wanted, [])
