"""Cost of collecting and judging a run by its number of log events: time per event, peak memory, whether it is linear.

    python benchmarks/collection.py [10000 100000 500000]

A process of its own holds the log store that LocalStack uses (moto's, with our patch spill_log_lines) and answers
FilterLogEvents over a pipe in pages of 10,000 lines; each size runs in a fresh process, so that its peak memory is its
own. What HTTP adds for each page is not part. The run is simulated: its tables but the logs are given.
"""

import json
import multiprocessing as mp
import resource
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from moto.logs.models import LogsBackend
from mypy_boto3_logs import CloudWatchLogsClient

from dlqlab.analysis.judge import judge
from dlqlab.collect.combine import combine_events, combine_invocations
from dlqlab.collect.lines import AS_JSON, COLUMNS
from dlqlab.collect.logs import Window, collect_logs
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.names import log_group
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.emulator.logs import spill_log_lines
from taskrules.events import COMMON_FIELDS, OWN_FIELDS, SCHEMA, EventName
from tests.support.histories import simulate

SIZES = (10_000, 100_000, 500_000)
EVENTS_PER_TASK = 3.8
RATE_PER_S = 60.0
PAGE = 10_000
FUNCTIONS = ("dlqlab-local", "dlqlab-local-processor", "dlqlab-local-monitor")
MEMORY_MAX_MIB = 2048


def lines_of(row: dict[str, Any]) -> str:
    """The line that the app would have logged for this row of the EVENTS table."""
    names = (*COMMON_FIELDS, *OWN_FIELDS[EventName(row["event"])])
    values = {name: SCHEMA if name == "schema" else row[COLUMNS[name]] for name in names}
    plain = {name: json.loads(str(value)) if name in AS_JSON and value else value for name, value in values.items()}
    return json.dumps(plain, separators=(",", ":"))


def store(pipe: Connection, folder: str, tasks: int) -> None:
    """The process of the log store: simulate, write the other tables, then answer requests until None comes."""
    load = Load(tasks=tasks, rate_per_s=RATE_PER_S, duration_s=min(86_400, tasks / RATE_PER_S + 60))
    run = simulate(Scenario(name="bench", load=load), run_id="bench").write(Path(folder))
    spill_log_lines.patch()
    backend = LogsBackend("eu-central-1", "000000000000")
    for function in FUNCTIONS:
        backend.create_log_group(log_group(function), {})
    count = fill(backend, run)
    for table in ("events", "invocations"):
        run.table_path(table).unlink()
    pipe.send(count)
    while (request := pipe.recv()) is not None:
        group, start, end, token = (request.get(name) for name in ("logGroupName", "startTime", "endTime", "nextToken"))
        events, following, _ = backend.filter_log_events(group, [], start, end, PAGE, token, "", False)
        pipe.send({"events": events} | ({"nextToken": following} if following else {}))


def fill(backend: LogsBackend, run: RunDir) -> int:
    """Every event as a line, with START, END and REPORT of each invocation; returns the number of events."""
    events = run.read("events").astype(object)
    events = events.where(events.notna(), None)
    streams: dict[tuple[str, str], list[dict[str, Any]]] = {}
    known: set[str] = set()
    for row in events.to_dict("records"):
        lines = [lines_of({str(key): value for key, value in row.items()})]
        request = row["request_id"]
        if request not in known:
            known.add(request)
            head, tail = f"START RequestId: {request} Version: $LATEST", f"END RequestId: {request}"
            report = f"REPORT RequestId: {request}\tDuration: 9.1 ms\tMax Memory Used: 60 MB"
            lines = [head, *lines, tail, report]
        here = streams.setdefault((row["function"], row["log_stream"]), [])
        here += [{"timestamp": int(row["stored_ts"] * 1000), "message": line} for line in lines]
    for (function, stream), found in streams.items():
        backend.create_log_stream(log_group(function), stream)
        # An execution environment prints its lines in the order of their times.
        found.sort(key=lambda line: line["timestamp"])
        backend.groups[log_group(function)].streams[stream].put_log_events(found)
    return len(events)


class Client:
    """FilterLogEvents over the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.pages = 0
        self.waited_s = 0.0

    def filter_log_events(self, **request: Any) -> dict[str, Any]:
        self.pages += 1
        began = time.monotonic()
        self.pipe.send(request)
        answer: dict[str, Any] = self.pipe.recv()
        self.waited_s += time.monotonic() - began
        return answer


def measure(pipe: Connection, events_wanted: int) -> None:
    """One size, in a process of its own; sends a row of the table."""
    with TemporaryDirectory() as folder:
        here, there = mp.Pipe()
        context = mp.get_context("spawn")
        keeper = context.Process(target=store, args=(there, folder, round(events_wanted / EVENTS_PER_TASK)))
        keeper.start()
        written = here.recv()
        run = RunDir(Path(folder) / "bench")
        manifest = run.read_manifest()
        client = Client(here)
        window = Window((manifest.load_started_ts or 0.0) - 2, (manifest.drain_ended_ts or 0.0) + 2)
        began = time.monotonic()
        collect_logs(cast(CloudWatchLogsClient, client), FUNCTIONS, window, "bench", run.path / "parts")
        events = combine_events(run.path / "parts", run)
        combine_invocations(run.path / "parts", run)
        collected = time.monotonic()
        verdict = judge(load_evidence(run))
        judged = time.monotonic()
        here.send(None)
        keeper.join()
        assert written == events, f"{events} of {written} events were collected"
        pipe.send(
            {
                "events": events,
                "pages": client.pages,
                "store_s": client.waited_s,
                "collect_s": collected - began - client.waited_s,
                "judge_s": judged - collected,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "verdict": str(verdict.status),
            }
        )


def rows(sizes: list[int]) -> Iterator[dict[str, Any]]:
    context = mp.get_context("spawn")
    for size in sizes:
        here, there = context.Pipe()
        process = context.Process(target=measure, args=(there, size))
        process.start()
        while not here.poll(1):
            if not process.is_alive():
                raise SystemExit(f"the process for {size:,} events died")
        yield here.recv()
        process.join()


def main() -> None:
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    print(f"{'events':>8} {'pages':>6} {'store':>9} {'collect':>9} {'judge':>9} {'us/event':>9} {'peak':>9}  verdict")
    per_event = []
    for row in rows(sizes):
        own_s = row["collect_s"] + row["judge_s"]
        per_event.append(own_s / row["events"] * 1e6)
        print(
            f"{row['events']:>8,} {row['pages']:>6} {row['store_s']:>7.1f} s {row['collect_s']:>7.1f} s "
            f"{row['judge_s']:>7.1f} s {per_event[-1]:>9.0f} {row['peak_mib']:>5.0f} MiB  {row['verdict']}",
            flush=True,
        )
        assert row["peak_mib"] < MEMORY_MAX_MIB, "over 2 GiB"
    print("us/event: collect and judge, without the store's own time; linear where it stays level")


if __name__ == "__main__":
    main()
