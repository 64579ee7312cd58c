"""Log lines of a run, for the invocations that somebody asks about."""

import json
from pathlib import Path

from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import frame
from dlqlab.run.stored_lives import Ran, ledger_of, run_limits, run_lines


def event(n: int, ts: float) -> dict[str, object]:
    return {
        "event": "attempt.started",
        "ts": ts,
        "stored_ts": ts,
        "request_id": f"p{n}",
        "function": "f",
        "log_stream": "s",
    }


def test_lines_of_the_invocation_that_is_asked_about(tmp_path: Path) -> None:
    """Of a long run the lines that name it; what its environment wrote without a name, a second before and after."""
    run = RunDir(tmp_path)
    run.write("events", frame("events", [event(n, float(n)) for n in range(1, 2000)]))
    run.write("invocations", frame("invocations", []))
    prints = [
        {"function": "f", "log_stream": f"day/[$LATEST]{environment}", "stored_ts": ts, "line_id": "", "line": text}
        for environment, ts, text in [
            ("e1", 698.9, "before"), ("e1", 700.2, "while"), ("e2", 700.2, "beside"), ("e1", 701.5, "after"),
            ("e2", 999.0, "late, of p700"),
        ]
    ]  # fmt: skip
    (tmp_path / "other_lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in prints))

    found = run_lines(run, [Ran("p700", "f", 700.0, 700.4, "e1"), Ran("p701", "f", 701.0, 701.4)])

    assert [line.ts for line in found["p700"]] == [700.0, 999.0, 700.2]
    assert '"requestId":"p700"' in found["p700"][0].text
    assert [line.ts for line in found["p701"]] == [701.0]


def test_prints_of_a_pipeline_that_writes_no_events(tmp_path: Path) -> None:
    line = {"function": "f", "log_stream": "day/[$LATEST]e1", "stored_ts": 1.0, "line_id": "", "line": "hello"}
    (tmp_path / "other_lines.jsonl").write_text(json.dumps(line) + "\n")

    found = run_lines(RunDir(tmp_path), [Ran("p", "f", 1.0, 2.0, "e1")])

    assert [each.text for each in found["p"]] == ["hello"]


def test_run_without_evidence_has_no_lines_limits_or_ledger(tmp_path: Path) -> None:
    run = RunDir(tmp_path)

    assert (run_lines(run, [Ran("p", "f", 1.0, None)]), run_limits(run), ledger_of(run)) == ({"p": []}, {}, {})


def test_ledger_by_task(tmp_path: Path) -> None:
    """A task that a client sent twice has two request ids; requests without a task id are nobody's."""
    rows = [("t-1", "r1"), ("t-2", "r2"), ("t-1", "r3"), (None, "r4")]
    run = RunDir(tmp_path)
    run.write("ledger", frame("ledger", [{"task_id": task, "request_id": request} for task, request in rows]))

    assert ledger_of(run) == {"t-1": ["r1", "r3"], "t-2": ["r2"]}
