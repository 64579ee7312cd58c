"""Pulling logs from the log store that LocalStack uses, in this process."""

from pathlib import Path
from typing import Any, cast

from moto.logs.models import LogsBackend
from mypy_boto3_logs import CloudWatchLogsClient

from dlqlab.collect.combine import combine_events
from dlqlab.collect.logs import Window, collect_logs
from dlqlab.contracts.names import log_group
from dlqlab.contracts.rundir import RunDir
from tests.support.collect.fakes import started_line

GROUP = log_group("p")


class Store:
    """FilterLogEvents answered by moto's own backend, with pages of ``limit`` lines."""

    def __init__(self, limit: int) -> None:
        self.backend = LogsBackend("eu-central-1", "000000000000")
        self.backend.create_log_group(GROUP, {})
        self.limit = limit
        self.pages = 0

    def put(self, stream: str, lines: list[tuple[float, str]]) -> None:
        self.backend.create_log_stream(GROUP, stream)
        events = [{"timestamp": int(ts * 1000), "message": message} for ts, message in lines]
        self.backend.groups[GROUP].streams[stream].put_log_events(events)

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        self.pages += 1
        events, token, _ = self.backend.filter_log_events(
            request["logGroupName"],
            [],
            request["startTime"],
            request["endTime"],
            self.limit,
            request.get("nextToken"),
            "",
            False,
        )
        return {"events": events} | ({"nextToken": token} if token else {})


def test_every_line_of_every_stream_is_pulled_once(tmp_path: Path) -> None:
    """Lines of several streams with equal time stamps, page after page: each task once."""
    store = Store(limit=7)
    ids = [f"t-{stream}-{n}" for stream in range(4) for n in range(50)]
    for stream in range(4):
        # As LocalStack stores them: all lines of an invocation have one time stamp.
        store.put(f"s{stream}", [(1000 + n // 5, started_line(f"t-{stream}-{n}", 1000 + n // 5)) for n in range(50)])

    collect_logs(cast(CloudWatchLogsClient, store), ["p"], Window(1000, 1030), "r", tmp_path / "parts")
    combine_events(tmp_path / "parts", RunDir(tmp_path))

    assert sorted(ids) == sorted(RunDir(tmp_path).read("events")["task_id"])
    assert store.pages > len(ids) / 7
