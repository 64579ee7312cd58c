"""Ledgers of loads by hand: found, put together, and read for what they say of themselves."""

import json
from pathlib import Path
from typing import Any

import pytest

from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load
from dlqlab.errors import UsageError
from dlqlab.load.journal import SETTINGS_SUFFIX, SUMMARY_SUFFIX, Journal
from dlqlab.load.settings import LoadSettings
from dlqlab.run.ledgers import junk_ids, junk_path, moment, put_together, read_load, started_ts, uncollected


def ledger(folder: Path, worker: str, *, start: float = 100.0, n: int = 3, ended: bool = True, **load: Any) -> None:
    """One worker's files: n tasks a second apart, each answered after half a second."""
    with Journal(folder, worker) as journal:
        for i in range(n):
            request = journal.invoked(task_id=f"t-{worker}-{i}", payload_json="{}", sent_ts=start + i)
            journal.completed(request, done_ts=start + i + 0.5, status_code=202, latency_ms=500, error=None)
    settings = LoadSettings(load=Load(**load), seed=7, run_id="r", ledger_dir=folder).to_json()
    settings |= {"host": "http://127.0.0.1:1", "started_ts": start - 0.5}
    (folder / f"{worker}{SETTINGS_SUFFIX}").write_text(json.dumps(settings))
    if ended:
        summary = {"ended_ts": start + n, "planned": n + 1, "sent": n, "late_mean_s": 0.25, "late_max_s": 1.0}
        (folder / f"{worker}{SUMMARY_SUFFIX}").write_text(json.dumps(summary))


def test_load_is_the_sum_of_its_workers(tmp_path: Path) -> None:
    """Times span all workers; numbers are added; settings are those that all have."""
    ledger(tmp_path, "w0", start=100, tasks=8)
    ledger(tmp_path, "w1", start=110, n=2, tasks=8)
    load = read_load(tmp_path)

    assert (99.5, 112.0, 5, 7, 0.25, 7) == (
        load.started_ts, load.ended_ts, load.sent, load.planned, load.late_mean_s, load.seed,
    )  # fmt: skip
    assert (Load(tasks=8), ("w0", "w1"), ()) == (load.load, load.workers, load.open_workers)


def test_worker_without_an_end_is_open_and_nothing_is_made_up(tmp_path: Path) -> None:
    """Of a load that died it is known what was sent, and not how much was planned or how late it went."""
    ledger(tmp_path, "w0")
    ledger(tmp_path, "w1", ended=False)
    load = read_load(tmp_path)

    assert (("w1",), 6, None, None) == (load.open_workers, load.sent, load.planned, load.late_mean_s)


def test_ledger_without_settings_says_what_was_sent_only(tmp_path: Path) -> None:
    """Somebody else's client may write a ledger: its settings are null, not guessed."""
    ledger(tmp_path, "w0", ended=False)
    (tmp_path / f"w0{SETTINGS_SUFFIX}").unlink()
    load = read_load(tmp_path)

    assert (None, None, (), (100.0, 102.5)) == (load.load, load.seed, load.hosts, (load.started_ts, load.ended_ts))


def test_different_settings_are_none(tmp_path: Path) -> None:
    """Workers that were asked for different loads have no common settings."""
    ledger(tmp_path, "w0", tasks=8)
    ledger(tmp_path, "w1", tasks=9)

    assert read_load(tmp_path).load is None


def test_loads_to_collect_are_found_in_order(tmp_path: Path) -> None:
    """A folder with a ledger and without a manifest is a load by hand; the oldest comes first."""
    for name, start in (("b", 100.0), ("a", 200.0), ("collected", 50.0)):
        ledger(tmp_path / name / "ledger", "w0", start=start)
    (tmp_path / "collected" / "manifest.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    found = uncollected(tmp_path)

    assert ["b", "a"] == [run.path.name for run in found]
    assert [99.5, 199.5] == [started_ts(run.ledger_parts) for run in found]
    assert [] == uncollected(tmp_path / "nowhere")


def test_ledgers_are_put_together_whole_and_again(tmp_path: Path) -> None:
    """All files of all folders arrive; doing it twice changes nothing."""
    for n in range(2):
        ledger(tmp_path / str(n), f"w{n}")
    run = RunDir(tmp_path / "run")
    for _ in range(2):
        put_together(run, [tmp_path / "0", tmp_path / "1"])

    assert 6 == read_load(run.ledger_parts).sent
    assert 6 == len(list(run.ledger_parts.iterdir()))


def test_ledgers_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Two different files of one name are two loads, and no copy is overwritten."""
    ledger(tmp_path / "0", "w0")
    ledger(tmp_path / "1", "w0", start=500)

    with pytest.raises(UsageError, match="differ: two loads cannot have one name"):
        put_together(RunDir(tmp_path / "run"), [tmp_path / "0", tmp_path / "1"])
    with pytest.raises(UsageError, match="holds no ledger"):
        put_together(RunDir(tmp_path / "run"), [tmp_path])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 970.0), ("10m", 400.0), ("1970-01-01T00:05", 300.0), ("1970-01-01T01:05+01:00", 300.0)],
)
def test_moments_are_relative_or_absolute(text: str, expected: float) -> None:
    """A span is counted back from now; a time without a zone is UTC."""
    assert expected == moment(text, clock=lambda: 1000.0)


def test_no_moment_is_refused() -> None:
    """What is neither says what to give."""
    with pytest.raises(UsageError, match="--since yesterday: give a time such as"):
        moment("yesterday")


def test_junk_is_what_was_noted(tmp_path: Path) -> None:
    """What a load was asked to send says nothing about junk that nobody sent."""
    run = RunDir(tmp_path)

    assert () == junk_ids(run)
    junk_path(run).write_text('{"message_ids": ["m1", "m2"]}')
    assert ("m1", "m2") == junk_ids(run)
