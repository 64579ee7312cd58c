"""Everything that is known about a run, into its directory: the one place that knows the order."""

import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dlqlab.collect.combine import combine_events, combine_invocations, combine_lines
from dlqlab.collect.host import read_host
from dlqlab.collect.logs import Window, collect_logs, that_ever_logged, wait_for_lines
from dlqlab.collect.metrics import collect_metrics
from dlqlab.collect.queues import read_queues
from dlqlab.collect.table import collect_tasks
from dlqlab.collect.windows import Counts
from dlqlab.contracts.evidence import BAD_LINES, OTHER_LINES
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import frame
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError
from dlqlab.load.ledger import read_ledger

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

LOG_PARTS = "log-parts"
MARGIN_S = 5.0
"""Around the run, for clocks that differ."""

SAMPLES: Mapping[str, Callable[[Path], pd.DataFrame]] = {"queues": read_queues, "host": read_host}
"""Tables of what is sampled while the load lasts, and how each is read from the run directory."""

type Progress = Callable[[str, float], None]
"""What is being collected, and the share of it that is done."""


@dataclass(frozen=True, slots=True)
class Clients:
    """The AWS clients that collection needs; the endpoint is theirs to know."""

    sqs: "SQSClient"
    logs: "CloudWatchLogsClient"
    cloudwatch: "CloudWatchClient"
    dynamodb: "DynamoDBClient"


@dataclass(slots=True)
class CollectReport:
    """What collection found besides the tables."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows written, by table."""
    lines: Counts = field(default_factory=Counts)
    logs_settled: bool = False
    """Whether the logs had gone quiet when they were pulled."""
    torn_ledger_lines: int = 0
    never_completed: int = 0
    foreign_items: int = 0


def collect(
    run: RunDir,
    clients: Clients,
    topology: Topology,
    window: Window,
    *,
    run_id: str,
    not_sampled: Collection[str] = (),
    sent_by_us: bool = True,
    on_progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> CollectReport:
    """Write every table into the run directory. ``window`` is from the start of the load to the end of the drain.

    A source that fails does not keep the others from being collected. ``not_sampled`` names tables of which nobody
    took samples, ``queues`` or ``host``: they are written empty. What the pipeline does not tell has no table: EVENTS
    and TASKS where its topology declares no such evidence; and LEDGER where its messages were not ``sent_by_us``.

    Raises:
        EvidenceError: sources failed; names each. Everything else has been written.
    """
    collector = _Collector(run, clients, topology, run_id, on_progress or (lambda _what, _share: None))
    collector.not_sampled = frozenset(not_sampled)
    every = tuple(topology.function_names.values())

    def logs() -> None:
        # A function that tells the run's events has its log group declared: without it evidence is lost.
        functions = every if topology.evidence.events else that_ever_logged(clients.logs, every)
        collector.report.logs_settled = wait_for_lines(
            clients.logs, functions, clock=clock, wall_clock=wall_clock, sleep=sleep
        )
        end_ts = max(window.end_ts, wall_clock()) + MARGIN_S
        collector.logs(functions, Window(window.start_ts - MARGIN_S, end_ts))

    sources: dict[str, Callable[[], None]] = {
        "ledger": collector.ledger,
        "queues": lambda: collector.samples("queues"),
        "host": lambda: collector.samples("host"),
        "logs": logs,
        "metrics": lambda: collector.metrics(window),
        "tasks": collector.tasks,
    }
    unknown = {"ledger": not sent_by_us, "tasks": topology.evidence.tasks is None}
    _read_all({source: read for source, read in sources.items() if not unknown.get(source)})
    return collector.report


def _read_all(sources: Mapping[str, Callable[[], None]]) -> None:
    failures: dict[str, Exception] = {}
    for source, read in sources.items():
        try:
            read()
        except Exception as error:  # noqa: BLE001  (evidence first: the other sources are still wanted; raised below)
            failures[source] = error
    if failures:
        causes = ExceptionGroup("sources that could not be collected", list(failures.values()))
        what = "; ".join(f"{source}: {error}" for source, error in failures.items())
        raise EvidenceError(f"could not be collected: {what}") from causes


class _Collector:
    """One method for each source; each raises EvidenceError."""

    def __init__(self, run: RunDir, clients: Clients, topology: Topology, run_id: str, on_progress: Progress) -> None:
        self._run = run
        self._clients = clients
        self._topology = topology
        self._run_id = run_id
        self._on_progress = on_progress
        self.report = CollectReport()
        self.not_sampled: frozenset[str] = frozenset()

    def ledger(self) -> None:
        ledger = read_ledger(self._run.ledger_parts)
        self._run.write("ledger", ledger.rows)
        self.report.torn_ledger_lines = ledger.torn_lines
        self.report.never_completed = ledger.never_completed
        self._done("ledger", len(ledger.rows))

    def samples(self, table: str) -> None:
        data = frame(table, []) if table in self.not_sampled else SAMPLES[table](self._run.path)
        self._run.write(table, data)
        self._done(table, len(data))

    def logs(self, functions: tuple[str, ...], window: Window) -> None:
        parts = self._run.path / LOG_PARTS
        self.report.lines = collect_logs(
            self._clients.logs,
            functions,
            window,
            self._run_id,
            parts,
            on_progress=lambda function, share: self._on_progress(f"logs of {function}", share),
        )
        if self._topology.evidence.events:
            self._done("events", combine_events(parts, self._run))
        self._done("invocations", combine_invocations(parts, self._run))
        for name in (BAD_LINES, OTHER_LINES):
            combine_lines(parts, self._run.path / name)
        # Kept only for a pull that broke off; another pull shall see lines that came late.
        if parts.exists():  # no function has ever logged where there are none
            shutil.rmtree(parts)

    def metrics(self, window: Window) -> None:
        rows = collect_metrics(self._clients.cloudwatch, self._topology, window.start_ts, window.end_ts)
        data = frame("metrics", rows)
        self._run.write("metrics", data)
        self._done("metrics", len(data))

    def tasks(self) -> None:
        found = collect_tasks(
            self._clients.dynamodb,
            task_table=self._topology.task_table.name,
            archive_table=self._topology.archive_table.name,
            run_id=self._run_id,
        )
        self._run.write("tasks", frame("tasks", found.rows))
        self.report.foreign_items = found.foreign_items
        self._done("tasks", len(found.rows))

    def _done(self, table: str, rows: int) -> None:
        self.report.rows[table] = rows
        self._on_progress(table, 1.0)
