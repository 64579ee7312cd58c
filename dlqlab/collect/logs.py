"""Pulling logs: FilterLogEvents by function in narrow windows of time, each finished window kept on disk.

A page may be partial or empty and still carry a token: only its absence ends a window (FilterLogEvents, AWS API
reference). LocalStack collects and sorts all lines of a group anew for every page, so windows aim at a little less
than one page. Filtering by run happens here, so that lines which are none of the run's are counted.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.collect.lines import EventRow, Parsed, Source, parse
from dlqlab.collect.windows import Counts, WindowStore
from dlqlab.contracts.names import log_group, probe_prefix
from dlqlab.errors import EvidenceError
from dlqlab.waiting import DeadlinePassedError, wait_for

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

WINDOW_MS, WINDOW_MS_MIN, WINDOW_MS_MAX = 10_000, 100, 300_000
LINES_WANTED = 8_000
"""What the next window's width aims at, by the lines of the last one: a page holds 10,000, and on LocalStack each costs
a walk over all lines of the group, so that few full pages cost less than many small ones."""
WIDTH_STEP_MAX = 2.0
"""A window is at most this much wider or narrower than the one before: load comes in bursts."""
QUIET_S = 3.0
SETTLE_S = 30.0


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, seconds since the epoch."""

    start_ts: float
    end_ts: float


def collect_logs(
    logs: "CloudWatchLogsClient",
    functions: Sequence[str],
    window: Window,
    run_id: str,
    folder: Path,
    *,
    on_progress: Callable[[str, float], None] | None = None,
) -> Counts:
    """All lines of the functions within the window, as parts in the folder (see ``WindowStore``).

    Lines of other runs and of the deployment's proof are counted and left out. Windows that an earlier call has
    finished are not pulled again. ``on_progress`` gets the function and the share of its time that has been pulled.

    Raises:
        EvidenceError: the service refused, did not answer, or its pages do not end.
    """
    total = Counts()
    for function in functions:
        store = WindowStore(folder, function, start_ms=_ms(window.start_ts))
        puller = _Puller(logs, function, run_id)
        end_ms = _ms(window.end_ts)
        width_ms = WINDOW_MS
        while store.next_ms < end_ms:
            start_ms = store.next_ms
            stop_ms = min(start_ms + width_ms, end_ms)
            counts = store.write(stop_ms, puller.rows(start_ms, stop_ms), puller.is_of_run)
            width_ms = _next_width(stop_ms - start_ms, counts.lines)
            if on_progress:
                on_progress(function, (stop_ms - _ms(window.start_ts)) / (end_ms - _ms(window.start_ts)))
        total = total.plus(store.counts())
    return total


def wait_for_lines(
    logs: "CloudWatchLogsClient",
    functions: Sequence[str],
    *,
    quiet_s: float = QUIET_S,
    deadline_s: float = SETTLE_S,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until no function has a line of the last seconds: the log store lags behind the functions.

    False if lines still came at the deadline. Only for a pipeline at rest: a function that is still running may bring
    lines that are older than this.
    """

    def quiet() -> tuple[bool, str]:
        since_ms = _ms(wall_clock() - quiet_s)
        busy = [name for name in functions if any(True for _ in _pages(logs, log_group(name), since_ms, None))]
        return not busy, ", ".join(busy)

    try:
        wait_for("quiet logs", quiet, deadline_s=deadline_s, interval_s=1.0, clock=clock, sleep=sleep)
    except DeadlinePassedError:
        return False
    return True


def that_ever_logged(logs: "CloudWatchLogsClient", functions: Sequence[str]) -> tuple[str, ...]:
    """Those of the functions that have a log group: Lambda makes it when a function runs for the first time.

    Raises:
        EvidenceError: the service refused or did not answer.
    """

    def has_group(name: str) -> bool:
        group = log_group(name)
        try:
            pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=group)
            return any(one["logGroupName"] == group for page in pages for one in page["logGroups"])
        except (BotoCoreError, ClientError) as error:
            raise EvidenceError(f"log group {group}: {error}") from error

    return tuple(name for name in functions if has_group(name))


class _Puller:
    """Pulls one function's lines and sorts out those of other runs and those that came twice."""

    def __init__(self, logs: "CloudWatchLogsClient", function: str, run_id: str) -> None:
        self._logs = logs
        self._function = function
        self._run_id = run_id
        self._probes = probe_prefix(run_id)

    def rows(self, start_ms: int, stop_ms: int) -> Iterator[tuple[Source, Parsed]]:
        """Parsed lines stored at ``start_ms`` or later and before ``stop_ms``; each once."""
        seen: set[tuple[str, str, int, str]] = set()
        # Both ends are inclusive, on AWS and on LocalStack.
        for event in _pages(self._logs, log_group(self._function), start_ms, stop_ms - 1):
            # The service's event id alone is not enough on LocalStack, which counts them up without a lock, so that
            # two threads can give the same number to two lines.
            identity = event["eventId"], event["logStreamName"], event["timestamp"], event["message"]
            if identity not in seen:
                seen.add(identity)
                yield from self._lines(event)

    def _lines(self, event: "FilteredLogEventTypeDef") -> Iterator[tuple[Source, Parsed]]:
        stored_ts, stream, identity = event["timestamp"] / 1000, event["logStreamName"], line_id(event)
        # Not splitlines(): that also splits at characters that JSON leaves as they are.
        lines = event["message"].rstrip("\n").split("\n")
        for number, line in enumerate(lines):
            own = identity if len(lines) == 1 else f"{identity}/{number}"
            source = Source(self._function, stream, stored_ts, own)
            yield source, parse(line, source)

    def is_of_run(self, event: EventRow) -> bool:
        """The proof of the deployment, which may be seconds before the load, is none of the run's tasks."""
        row = event.row
        return bool(row["run_id"] == self._run_id) and not (row["task_id"] or "").startswith(self._probes)


def line_id(event: "FilteredLogEventTypeDef") -> str:
    """An id that two lines never share, even where the service gives one number to both."""
    content = zlib.crc32(f"{event['logStreamName']}\n{event['timestamp']}\n{event['message']}".encode())
    return f"{event['eventId']}-{content:08x}"


def _pages(
    logs: "CloudWatchLogsClient", group: str, start_ms: int, end_ms: int | None
) -> Iterator["FilteredLogEventTypeDef"]:
    request: dict[str, Any] = {"logGroupName": group, "startTime": start_ms}
    if end_ms is not None:
        request["endTime"] = end_ms
    tokens: set[str] = set()
    while True:
        try:
            page = logs.filter_log_events(**request)
        except (BotoCoreError, ClientError) as error:
            raise EvidenceError(f"log group {group}: {error}") from error
        yield from page.get("events", [])
        token = page.get("nextToken")
        if not token:
            return
        if token in tokens:
            raise EvidenceError(f"log group {group}: the same page is offered again and again ({token})")
        tokens.add(token)
        request["nextToken"] = token


def _next_width(width_ms: int, lines: int) -> int:
    """The width at which the next window holds LINES_WANTED lines if they come as fast as in this one."""
    factor = min(max(LINES_WANTED / max(lines, 1), 1 / WIDTH_STEP_MAX), WIDTH_STEP_MAX)
    return min(max(int(width_ms * factor), WINDOW_MS_MIN), WINDOW_MS_MAX)


def _ms(ts: float) -> int:
    return int(ts * 1000)
