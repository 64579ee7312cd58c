"""Start Locust in a process of its own, follow its journals, and make sure that it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from dlqlab import paths
from dlqlab.contracts.cells import ALONE, Cell
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import LoadError, UsageError
from dlqlab.exits import how_it_ended, told
from dlqlab.load.journal import JOURNAL_SUFFIX, PART_PATTERN, SUMMARY_SUFFIX, process_of
from dlqlab.load.ledger import LedgerFollower
from dlqlab.load.messages import EntrySettings
from dlqlab.load.settings import LoadSettings, check_host

LOCUSTFILE = paths.LOADTEST / "locustfile.py"
SPAWN_RATE_MAX = 100
"""Users a second; Locust warns of trouble above."""
GRACE_S = 30.0
"""For the start of the interpreter, the connection of workers, and the end."""
STOP_S = 10.0
FOLLOW_S = 0.2
LOG_NAME = "locust.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What the load generator did, in its own words; the ledger has the rows.

    Times are seconds since the epoch. ``late_*`` is how long after it was due a task was sent: when that grows, the
    users were too few, or the API too slow, for the rate.
    """

    planned: int
    sent: int
    started_ts: float
    ended_ts: float
    late_mean_s: float
    late_max_s: float
    log_path: Path


def start_load(
    scenario: Scenario,
    *,
    url: str,
    run: RunDir,
    run_id: str,
    ui: bool = False,
    web_port: int = 8089,
    processes: int = 1,
    allow_remote: bool = False,
    cell: Cell = ALONE,
    on_progress: Callable[[int, int], None] | None = None,
    on_start: Callable[[int], None] | None = None,
    grace_s: float = GRACE_S,
    locustfile: Path = LOCUSTFILE,
    entry: EntrySettings | None = None,
) -> LoadResult:
    """Send the scenario's load to ``url`` and return when all of it has been sent or its time is over.

    ``entry`` is another way in than the task system's route at that URL.

    The journals go to ``<run>/ledger``, the console output to ``<run>/locust.log``. ``on_start`` gets the process id,
    ``on_progress`` the tasks sent and planned, a few times a second. However this ends, no process is left.

    Raises:
        UsageError: the target is not this machine, or there are more processes than users.
        LoadError: Locust failed or overran its time; the message ends with the tail of its log.
    """
    load = scenario.load
    _check(url, run, allow_remote=allow_remote, processes=processes, users=load.users)
    settings = LoadSettings(
        load=load,
        seed=scenario.seed,
        run_id=run_id,
        ledger_dir=run.ledger_parts.resolve(),
        allow_remote=allow_remote,
        cell=cell,
        entry=entry,
    )
    planned = cell.share(load.tasks)
    command = _command(locustfile, url, users=load.users, processes=processes, web_port=web_port if ui else None)
    run.ledger_parts.mkdir(parents=True, exist_ok=True)
    log_path = run.path / LOG_NAME
    with log_path.open("wb") as log, Child(command, settings.to_env(), log.fileno()) as child:
        if on_start:
            on_start(child.pid)
        bound_s = load.duration_s + 2 * load.timeout_s + grace_s
        follower = LedgerFollower(run.ledger_parts)
        code = _follow(child, follower, bound_s, planned, on_progress, workers=processes > 1)
    if code is None:
        raise _failed("locust", f"did not end within {bound_s:g} s and was stopped", log_path)
    if code:
        raise _failed("locust", how_it_ended(code), log_path)
    return _result(run.ledger_parts, planned, follower.sent(), log_path)


class Child:
    """A subprocess in a group of its own; leaving the context ends the whole group, whatever happened."""

    def __init__(
        self,
        command: list[str],
        environ: Mapping[str, str],
        output: int,
        *,
        stop_s: float = STOP_S,
        cwd: Path = paths.ROOT,
        inherits: bool = True,
    ) -> None:
        self._stop_s = stop_s
        # LOCUST_* would silently change what the command line says.
        own = os.environ if inherits else {}
        inherited = {name: value for name, value in own.items() if not name.startswith("LOCUST_")}
        self._process = subprocess.Popen(
            command,
            env={**inherited, **environ},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the harness only, which then ends the group in order.
            start_new_session=True,
        )
        self.pid = self._process.pid

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None while it runs on after that time."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._process.poll() is None:
                self._process.terminate()
                self.wait(self._stop_s)
        finally:
            self._kill_group()
            self._process.wait()

    def _kill_group(self) -> None:
        """Workers that outlived their master."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # all gone: the usual case
            return


def _check(url: str, run: RunDir, *, allow_remote: bool, processes: int, users: int) -> None:
    check_host(url, allow_remote=allow_remote)
    if not 1 <= processes <= users:
        raise UsageError(f"processes is {processes}: give 1 to {users}, each needs a user")
    if any(run.ledger_parts.glob(PART_PATTERN)):
        raise UsageError(f"{run.ledger_parts}: holds journals of another load already")


def _command(locustfile: Path, url: str, *, users: int, processes: int, web_port: int | None) -> list[str]:
    if not locustfile.is_file():
        raise LoadError(f"{locustfile}: is missing, there is nothing to send load with")
    mode = ["--headless"]
    if web_port is not None:
        mode = ["--autostart", "--autoquit", "0", "--web-host", "127.0.0.1", "--web-port", str(web_port)]
    workers = ["--processes", str(processes)] if processes > 1 else []
    spawn_rate = min(users, SPAWN_RATE_MAX)
    return [
        *(sys.executable, "-m", "locust", "-f", str(locustfile), "--host", url, "--only-summary"),
        *("--users", str(users), "--spawn-rate", str(spawn_rate)),
        *mode,
        *workers,
    ]


def _follow(
    child: Child,
    follower: LedgerFollower,
    bound_s: float,
    planned: int,
    on_progress: Callable[[int, int], None] | None,
    *,
    workers: bool,
) -> int | None:
    """The exit code, or None when the time is over.

    Raises:
        LoadError: a worker process ended before its load did.
    """
    deadline_s = time.monotonic() + bound_s
    gone: frozenset[str] = frozenset()
    while True:
        code = child.wait(FOLLOW_S)
        if on_progress:
            on_progress(follower.sent(), planned)
        if code is not None or time.monotonic() >= deadline_s:
            return code
        if workers:
            gone_before, gone = gone, _gone_workers(follower.folder)
            if lost := gone & gone_before:  # in two looks: one may fall between a worker's last two steps
                what = f"worker {min(lost)} of locust"
                raise _failed(what, "ended before its load did", follower.folder.parent / LOG_NAME)


def _gone_workers(ledger_parts: Path) -> frozenset[str]:
    """Workers whose process is gone and that left no summary, as one that came to its end does."""
    journals = {path.name.removesuffix(JOURNAL_SUFFIX): path for path in ledger_parts.glob(PART_PATTERN)}
    return frozenset(
        name
        for name, path in journals.items()
        if not path.with_name(f"{name}{SUMMARY_SUFFIX}").exists() and not _runs(process_of(name))
    )


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _result(ledger_parts: Path, planned: int, sent: int, log_path: Path) -> LoadResult:
    summaries = [read_json(path) for path in sorted(ledger_parts.glob(f"*{SUMMARY_SUFFIX}"))]
    timed = sum(summary["sent"] for summary in summaries)
    if not timed:
        raise _failed("locust", "sent nothing", log_path)
    return LoadResult(
        planned=planned,
        sent=sent,
        started_ts=min(summary["started_ts"] for summary in summaries),
        ended_ts=max(summary["ended_ts"] for summary in summaries),
        late_mean_s=sum(summary["late_mean_s"] * summary["sent"] for summary in summaries) / timed,
        late_max_s=max(summary["late_max_s"] for summary in summaries),
        log_path=log_path,
    )


def _failed(what: str, how: str, log_path: Path) -> LoadError:
    return LoadError(told(what, how, phase="load", ended_ts=time.time(), log=log_path))
