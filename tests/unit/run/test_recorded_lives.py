"""Log lines of a run, for the invocations that somebody asks about."""

from pathlib import Path

from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import frame
from dlqlab.run.recorded_lives import Ran, ledger_of, run_limits, run_lines


def event(n: int, ts: float) -> dict[str, object]:
    return {
        "event": "attempt.started",
        "ts": ts,
        "stored_ts": ts,
        "request_id": f"p{n}",
        "function": "f",
        "log_stream": "s",
    }


def test_lines_of_the_time_that_is_asked_about(tmp_path: Path) -> None:
    """A second before and after are looked at, and nothing else of a long run."""
    run = RunDir(tmp_path)
    run.write("events", frame("events", [event(n, float(n)) for n in range(1, 2000)]))
    run.write("invocations", frame("invocations", []))

    found = list(run_lines(run, [Ran("p700", "f", 700.0, 700.4)]))

    assert [(line.ts, line.stream) for line in found] == [(699.0, "s"), (700.0, "s"), (701.0, "s")]
    assert '"requestId":"p700"' in found[1].text


def test_run_without_evidence_has_no_lines_limits_or_ledger(tmp_path: Path) -> None:
    run = RunDir(tmp_path)

    assert (list(run_lines(run, [Ran("p", "f", 1.0, None)])), run_limits(run), ledger_of(run)) == ([], {}, {})


def test_ledger_by_task(tmp_path: Path) -> None:
    """A task that a client sent twice has two request ids; requests without a task id are nobody's."""
    rows = [("t-1", "r1"), ("t-2", "r2"), ("t-1", "r3"), (None, "r4")]
    run = RunDir(tmp_path)
    run.write("ledger", frame("ledger", [{"task_id": task, "request_id": request} for task, request in rows]))

    assert ledger_of(run) == {"t-1": ["r1", "r3"], "t-2": ["r2"]}
