"""A load by somebody's own locustfile, which Locust runs as it is: only its number of requests is known."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load
from dlqlab.errors import LoadError, UsageError
from dlqlab.exits import how_it_ended, told
from dlqlab.load.starter import GRACE_S, LOG_NAME, SPAWN_RATE_MAX, Child, LoadResult

NOT_TOLD = "which tasks were sent, and how each was answered: the load is your own locustfile's, which keeps no ledger"
_STATS = "locust"
_FOLLOW_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLoad:
    """A locustfile and the address that it gets as its host."""

    locustfile: Path
    host: str
    load: Load


def start_own_load(
    own: OwnLoad,
    run: RunDir,
    environ: Mapping[str, str],
    *,
    on_progress: Callable[[int, int], None] | None = None,
    on_start: Callable[[int], None] | None = None,
) -> LoadResult:
    """Run the locustfile for the load's duration, or until it ends by itself; Locust's output goes to the run's log.

    ``on_progress`` gets the seconds that it has run, and that it is to run.

    Raises:
        UsageError: the file is not there.
        LoadError: Locust failed, overran its time or made no request; the message ends with the tail of its log.
    """
    if not own.locustfile.is_file():
        raise UsageError(f"load.locustfile: {own.locustfile}: is not there")
    load, log_path = own.load, run.path / LOG_NAME
    run.path.mkdir(parents=True, exist_ok=True)
    started_ts = time.time()
    with (
        log_path.open("wb") as log,
        Child(_command(own, run), environ, log.fileno(), cwd=own.locustfile.parent, inherits=False) as child,
    ):
        if on_start:
            on_start(child.pid)
        code, bound_s = None, load.duration_s + 2 * load.timeout_s + GRACE_S
        while code is None and time.time() < started_ts + bound_s:
            code = child.wait(_FOLLOW_S)
            if on_progress:
                on_progress(round(time.time() - started_ts), round(load.duration_s))
    if code != 0:
        how = f"did not end within {bound_s:g} s and was stopped" if code is None else how_it_ended(code)
        raise LoadError(told("locust", how, phase="load", ended_ts=time.time(), log=log_path))
    sent = _requests(run.path / f"{_STATS}.json")
    if not sent:
        raise LoadError(told("locust", "made no request", phase="load", ended_ts=time.time(), log=log_path))
    return LoadResult(
        planned=sent,
        sent=sent,
        started_ts=started_ts,
        ended_ts=time.time(),
        late_mean_s=0.0,
        late_max_s=0.0,
        log_path=log_path,
    )


def _command(own: OwnLoad, run: RunDir) -> list[str]:
    load = own.load
    return [
        *(
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(own.locustfile),
            "--host",
            own.host,
            "--headless",
            "--only-summary",
        ),
        *("--users", str(load.users), "--spawn-rate", str(min(load.users, SPAWN_RATE_MAX))),
        *("--run-time", f"{load.duration_s:g}s", "--stop-timeout", f"{load.timeout_s:g}"),
        *("--json-file", str(run.path.resolve() / _STATS), "--exit-code-on-error", "0"),
    ]


def _requests(stats: Path) -> int:
    """How many requests Locust counted; 0 where it wrote no statistics."""
    if not stats.exists():
        return 0
    return sum(int(entry["num_requests"]) for entry in json.loads(stats.read_text(encoding="utf-8")))
