"""Pulling logs from a paging service."""

import json
from pathlib import Path

import pandas as pd
import pytest

from dlqlab.collect.combine import combine_events, combine_invocations, combine_lines
from dlqlab.collect.logs import Window, collect_logs, line_id, that_ever_logged, wait_for_lines
from dlqlab.collect.windows import Counts
from dlqlab.contracts.names import log_group, probe_prefix
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError
from tests.support.collect.fakes import EndlessLogs, FakeLogs, FakeTime, log_line, started_line

GROUP = log_group("p")


def started(n: int, *, spacing_s: float = 1.0) -> list[dict[str, object]]:
    """One attempt.started for each of n tasks, evenly spaced from 1000 s on."""
    times = [1000 + i * spacing_s for i in range(n)]
    return [log_line(ts, started_line(f"t-{i}", ts)) for i, ts in enumerate(times)]


def pulled(logs: FakeLogs, tmp_path: Path, window: Window | None = None) -> tuple[Counts, pd.DataFrame]:
    """Pull the function p and combine."""
    counts = collect_logs(logs.client(), ["p"], window or Window(1000, 1100), "r", tmp_path / "parts")
    run = RunDir(tmp_path)
    combine_events(tmp_path / "parts", run)
    return counts, run.read("events")


@pytest.mark.parametrize("repeat", [0, 1, 2])
@pytest.mark.parametrize("page", [1, 3, 1000])
def test_every_line_is_pulled_once(tmp_path: Path, page: int, repeat: int) -> None:
    """Partial pages, empty pages with a token and lines that come twice do not change what is found."""
    counts, events = pulled(FakeLogs({GROUP: started(25)}, page=page, repeat=repeat), tmp_path)

    assert [f"t-{i}" for i in range(25)] == list(events["task_id"])
    assert Counts(lines=25, events=25) == counts


def test_lines_at_the_edges_of_windows_are_neither_lost_nor_doubled(tmp_path: Path) -> None:
    """Windows share no millisecond and leave none out; lines outside the asked time stay out."""
    times = [999.999, 1000.0, 1009.999, 1010.0, 1010.001, 1029.999, 1030.0, 1099.999, 1100.0]
    logs = FakeLogs({GROUP: [log_line(ts, started_line(f"t-{ts}", ts)) for ts in times]})

    _, events = pulled(logs, tmp_path)

    assert [f"t-{ts}" for ts in times[1:-1]] == list(events["task_id"])


@pytest.mark.parametrize(("proven", "found"), [("r", []), ("another run", ["probe"])])
def test_proof_of_the_deployment_is_none_of_the_runs_tasks(tmp_path: Path, proven: str, found: list[str]) -> None:
    """The task that proved this run's deployment is left out, however short before the load; any other id is not."""
    lines = [log_line(1001, started_line(f"{probe_prefix(proven)}0a", 1.0)), *started(1)]
    counts, events = pulled(FakeLogs({GROUP: lines}), tmp_path)

    assert [*found, "t-0"] == sorted(
        task_id.replace(f"{probe_prefix(proven)}0a", "probe") for task_id in events["task_id"]
    )
    assert 1 - len(found) == counts.foreign_events


def test_two_lines_with_one_event_id_are_two(tmp_path: Path) -> None:
    """Event ids that the service gave twice do not hide a line."""
    lines = [log_line(1000.5, started_line(f"t-{i}", 1.0), event_id="7") for i in range(3)]

    _, events = pulled(FakeLogs({GROUP: lines}), tmp_path)

    assert list(events["task_id"]) == ["t-0", "t-1", "t-2"]
    assert events["line_id"].nunique() == 3


def test_events_of_other_runs_are_counted_and_left_out(tmp_path: Path) -> None:
    """The run id is compared here: no filter of the service is relied on."""
    lines = [*started(2), log_line(1001, started_line("old", 1.0, run_id="before"))]
    logs = FakeLogs({GROUP: lines})

    counts, events = pulled(logs, tmp_path)

    assert Counts(lines=3, events=2, foreign_events=1) == counts
    assert list(events["task_id"]) == ["t-0", "t-1"]
    assert not [request for request in logs.requests if "filterPattern" in request]


def test_bad_lines_are_kept_with_their_place(tmp_path: Path) -> None:
    """A line that breaks the schema ends up in a file of its own, with stream, time and reason."""
    lines = [log_line(1001, '{"event":"oops"}', stream="s9"), log_line(1002, "Traceback (most recent call last):")]

    counts, _ = pulled(FakeLogs({GROUP: lines}), tmp_path)
    for name in ("bad_lines.jsonl", "other_lines.jsonl"):
        combine_lines(tmp_path / "parts", tmp_path / name)

    assert Counts(lines=2, bad_lines=1, other_lines=1) == counts
    bad = json.loads((tmp_path / "bad_lines.jsonl").read_text())
    assert (bad["function"], bad["log_stream"], bad["stored_ts"], bad["line"]) == (
        "p",
        "s9",
        1001.0,
        '{"event":"oops"}',
    )
    assert "'oops' is not in the schema" in bad["error"]
    other = json.loads((tmp_path / "other_lines.jsonl").read_text())
    assert other["line"] == "Traceback (most recent call last):"


def test_a_message_of_several_lines_is_several_lines(tmp_path: Path) -> None:
    """Lines that the store glued together are told apart, and have ids of their own."""
    message = started_line("t-0", 1.0) + "\n" + started_line("t-1", 1.0) + "\n"

    _, events = pulled(FakeLogs({GROUP: [log_line(1000, message)]}), tmp_path)

    assert list(events["task_id"]) == ["t-0", "t-1"]
    assert events["line_id"].nunique() == 2


def test_an_interrupted_pull_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Finished windows are not pulled again, unfinished ones are, and nothing is lost or doubled."""
    logs = FakeLogs({GROUP: started(100)}, page=4)
    logs.fail_after = 12
    with pytest.raises(EvidenceError, match="InternalFailure"):
        pulled(logs, tmp_path)
    logs.fail_after = None
    before = len(logs.requests)

    _, events = pulled(logs, tmp_path)

    assert [f"t-{i}" for i in range(100)] == list(events["task_id"])
    assert logs.requests[before]["startTime"] > 1_000_000


def test_a_pull_of_other_windows_starts_afresh(tmp_path: Path) -> None:
    """What is left of a pull with another start cannot be mixed in."""
    logs = FakeLogs({GROUP: started(50)})
    pulled(logs, tmp_path, Window(1005, 1050))

    _, events = pulled(logs, tmp_path, Window(1000, 1050))

    assert [f"t-{i}" for i in range(50)] == list(events["task_id"])


def test_busy_windows_get_narrower(tmp_path: Path) -> None:
    """Windows adapt to the traffic, so that one holds about a page."""
    logs = FakeLogs({GROUP: started(20_000, spacing_s=0.001)}, page=10_000)

    counts, events = pulled(logs, tmp_path, Window(1000, 1020))

    widths = {request["endTime"] + 1 - request["startTime"] for request in logs.requests}
    assert (counts.events, len(events)) == (20_000, 20_000)
    assert {10_000, 8_000} <= widths


def test_a_missing_log_group_is_an_error(tmp_path: Path) -> None:
    """No log group is no evidence, which is not the same as no events."""
    with pytest.raises(EvidenceError, match="log group /aws/lambda/p"):
        pulled(FakeLogs({}), tmp_path)


def test_a_function_that_never_ran_has_no_log_group() -> None:
    """Another one whose name begins alike has one."""
    logs = FakeLogs({GROUP: [], log_group("monitor-2"): []})

    assert that_ever_logged(logs.client(), ["p", "monitor"]) == ("p",)


def test_a_log_group_that_cannot_be_looked_for_is_an_error() -> None:
    logs = FakeLogs({GROUP: []})
    logs.fail_after = 0

    with pytest.raises(EvidenceError, match=r"log group /aws/lambda/p: .*InternalFailure"):
        that_ever_logged(logs.client(), ["p"])


def test_a_service_that_never_ends_is_an_error(tmp_path: Path) -> None:
    """The same token twice would be an endless loop."""
    with pytest.raises(EvidenceError, match="again and again"):
        pulled(EndlessLogs({GROUP: []}), tmp_path)


def test_invocations_and_their_marks_are_one_row(tmp_path: Path) -> None:
    """A time-out's own line and its REPORT line make one invocation, also across windows; a mark alone stays."""
    ids = [f"0d3f1a0c-8a3e-4c57-9d0f-00000000000{i}" for i in range(3)]
    lines = [
        log_line(1001, f"REPORT RequestId: {ids[0]}\tDuration: 1.00 ms\tMax Memory Used: 40 MB"),
        log_line(1009, f"2026-01-01T00:00:00.000Z {ids[1]} Task timed out after 10.00 seconds"),
        log_line(1011, f"REPORT RequestId: {ids[1]}\tDuration: 10000.00 ms\tMax Memory Used: 41 MB"),
        log_line(1012, f"RequestId: {ids[2]} Error: Runtime exited with error: exit status 1"),
    ]
    logs = FakeLogs({GROUP: lines})
    collect_logs(logs.client(), ["p"], Window(1000, 1100), "r", tmp_path / "parts")

    n = combine_invocations(tmp_path / "parts", RunDir(tmp_path))
    rows = RunDir(tmp_path).read("invocations")

    assert n == 3
    assert ids == list(rows["request_id"])
    assert list(rows["status"]) == ["ok", "timeout", "error"]
    assert [1.0, 10_000.0] == list(rows["duration_ms"].dropna())


def test_no_lines_make_empty_tables(tmp_path: Path) -> None:
    """A run without a line has tables with all columns and no rows."""
    logs = FakeLogs({GROUP: []})

    counts, events = pulled(logs, tmp_path)
    combine_invocations(tmp_path / "parts", RunDir(tmp_path))

    assert Counts() == counts
    assert (len(events), len(RunDir(tmp_path).read("invocations"))) == (0, 0)


def test_the_id_of_a_line_is_stable() -> None:
    """The same line has the same id however often it is pulled; another time or text has another."""
    line = log_line(1.0, "x", event_id="7")

    assert line_id(dict(line)) == line_id(line)  # type: ignore[arg-type]
    assert line_id(line) != line_id(line | {"message": "y"})  # type: ignore[arg-type]


@pytest.mark.parametrize(("lines_until_s", "settled"), [(1005.0, True), (2000.0, False)])
def test_logs_are_waited_for_until_they_are_quiet(lines_until_s: float, settled: bool) -> None:
    """The wait ends when no line has come for a while, or at its deadline."""
    time = FakeTime(1000.0)
    lines = [log_line(ts, "x") for ts in range(990, int(lines_until_s))]

    class Growing(FakeLogs):
        def filter_log_events(self, **request: object) -> dict[str, object]:
            self.groups[GROUP] = [line for line in lines if line["timestamp"] <= time.now_s * 1000]
            return super().filter_log_events(**request)

    logs = Growing({GROUP: []})

    result = wait_for_lines(
        logs.client(), ["p"], clock=time.clock, wall_clock=time.clock, sleep=time.sleep, quiet_s=3, deadline_s=30
    )

    assert settled == result
    assert 1007 < time.now_s <= 1031
