"""A whole collection from stand-ins of the services into a run directory."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dlqlab.collect.collect import Clients, CollectReport, collect
from dlqlab.collect.logs import Window
from dlqlab.collect.windows import Counts
from dlqlab.contracts.names import log_group
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError
from dlqlab.load.journal import Journal
from dlqlab.specimens import task_system
from tests.support.collect.fakes import (
    FakeCloudWatch,
    FakeDynamo,
    FakeLogs,
    FakeSqs,
    FakeTime,
    log_line,
    started_line,
)
from tests.support.load.loads import files_under

TOPOLOGY = task_system("test")
RAW = ["host.jsonl", "ledger", "queues.jsonl"]
TABLES = ["events", "host", "invocations", "ledger", "metrics", "queues", "tasks"]


class World:
    """A run that has ended: raw files on disk, services that answer."""

    def __init__(self, path: Path) -> None:
        self.run = RunDir(path)
        self.time = FakeTime(1100.0)
        self.logs = FakeLogs({log_group(function): [] for function in TOPOLOGY.function_names.values()}, page=3)
        self.logs.groups[log_group(TOPOLOGY.function("processor").name)] = [
            *(log_line(1000 + i, started_line(f"t-{i}", 1000 + i)) for i in range(8)),
            log_line(1020, '{"event":"oops"}'),
            log_line(1021, "REPORT RequestId: q\tDuration: 2.00 ms\tMax Memory Used: 40 MB"),
        ]
        point = {"Timestamp": datetime.fromtimestamp(1020, UTC), "Sum": 8.0}
        self.cloudwatch = FakeCloudWatch({("NumberOfMessagesSent", TOPOLOGY.queue("tasks").name): [point]})
        item: dict[str, Any] = {"taskId": "t-0", "status": "COMPLETED", "runId": "r", "attempts": 1, "generation": 1}
        self.dynamodb = FakeDynamo({TOPOLOGY.table("tasks").name: [item], TOPOLOGY.table("archive").name: []})
        with Journal(self.run.ledger_parts, "w0") as journal:
            journal.invoked(task_id="t-0", payload_json="{}", sent_ts=1000.0)
        sample = {"ts": 1000.0, "queue": "tasks", "visible": 0, "in_flight": 0, "delayed": 0}
        (path / "queues.jsonl").write_text(json.dumps(sample) + "\n")
        host = {"ts": 1000.0, "part": "load", "cpu_pct": None, "rss_mb": 10.0, "processes": 1}
        (path / "host.jsonl").write_text(json.dumps(host) + "\n")

    def collect(self, topology: Topology = TOPOLOGY) -> CollectReport:
        clients = Clients(
            sqs=FakeSqs({}).client(),
            logs=self.logs.client(),
            cloudwatch=self.cloudwatch.client(),
            dynamodb=self.dynamodb.client(),
        )
        now = self.time
        return collect(
            self.run,
            clients,
            topology,
            Window(1000.0, 1060.0),
            run_id="r",
            clock=now.clock,
            wall_clock=now.clock,
            sleep=now.sleep,
        )


def test_every_source_becomes_a_table(tmp_path: Path) -> None:
    """All tables are there, readable, and the report says what was found."""
    world = World(tmp_path)

    report = world.collect()

    rows = {"ledger": 1, "queues": 1, "host": 1, "events": 8, "invocations": 1, "metrics": 1, "tasks": 1}
    expected = CollectReport(
        rows=rows, lines=Counts(lines=10, events=8, bad_lines=1), logs_settled=True, never_completed=1
    )
    assert expected == report
    assert rows == {table: len(world.run.read(table)) for table in TABLES}
    assert world.run.missing() == ()
    tables = [f"{table}.parquet" for table in TABLES]
    assert sorted([*RAW, *tables, "bad_lines.jsonl", "other_lines.jsonl"]) == files_under(tmp_path)
    assert "oops" in (tmp_path / "bad_lines.jsonl").read_text()


def test_pipeline_in_which_nothing_has_logged(tmp_path: Path) -> None:
    """As where no message reached a function: its tables are empty, and none is missing for that."""
    world = World(tmp_path)

    report = world.collect(Topology(name="quiet", queues=TOPOLOGY.queues))

    assert (report.rows["invocations"], report.rows["queues"]) == (0, 1)
    assert world.run.read("invocations").empty


def test_collecting_twice_gives_the_same(tmp_path: Path) -> None:
    """A second collection finds lines that came late and doubles nothing."""
    world = World(tmp_path)
    world.collect()
    late = log_line(1030, started_line("late", 1030))
    world.logs.groups[log_group(TOPOLOGY.function("monitor").name)].append(late)

    report = world.collect()

    assert report.rows["events"] == 9
    assert world.run.read("events")["line_id"].nunique() == 9


def test_failing_sources_are_all_named_and_the_others_written(tmp_path: Path) -> None:
    """Evidence first: what can be collected is, then the error lists what could not."""
    world = World(tmp_path)
    world.cloudwatch.failing = True
    del world.dynamodb.tables[TOPOLOGY.table("archive").name]
    (tmp_path / "host.jsonl").unlink()

    with pytest.raises(EvidenceError) as caught:
        world.collect()

    for what in ("host: ", "metrics: metric AWS/SQS", "tasks: table dlqlab-test-archive"):
        assert what in str(caught.value)
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert len(caught.value.__cause__.exceptions) == 3
    assert world.run.missing() == ("metrics", "tasks", "host")


def test_an_interrupted_pull_of_logs_is_kept_for_the_next(tmp_path: Path) -> None:
    """When the log service fails, the other tables are written and finished windows stay for another try."""
    world = World(tmp_path)
    del world.logs.groups[log_group(TOPOLOGY.function("monitor").name)]

    with pytest.raises(EvidenceError, match="logs: log group /aws/lambda/dlqlab-test-monitor"):
        world.collect()

    assert world.run.missing() == ("events", "invocations")


def test_lines_that_never_stop_are_reported(tmp_path: Path) -> None:
    """Logs that had not gone quiet are pulled all the same, and the report says so."""
    world = World(tmp_path)
    group = world.logs.groups[log_group(TOPOLOGY.function("api").name)]
    group.extend(log_line(1090 + i, "x") for i in range(60))

    report = world.collect()

    assert not report.logs_settled
    assert report.lines.other_lines == 45  # 1090 to 1134: the wait ended at 1130, and 5 s of margin
