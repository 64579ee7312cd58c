"""Sweeps of the simulated twin: what comes out, what is kept, and that it is the same wherever it is done."""

import json
from pathlib import Path

import pandas as pd
import psutil
import pytest

from dlqlab.analysis.oracle import expectation
from dlqlab.errors import UsageError
from dlqlab.paths import NOTEBOOKS
from dlqlab.report.render import execute
from dlqlab.tune.jobs import Job, at_rate, perform
from dlqlab.tune.measures import MEASURES, OBJECTIVES
from dlqlab.tune.parallel import performer
from dlqlab.tune.store import folder_for, load, save
from dlqlab.tune.sweep import CHOSEN, STORMIEST, run_sweep
from tests.support.tune.sweeps import SMALL, aws, question, small_sweep

pytestmark = pytest.mark.timeout(900)  # the first simulation of a checkout compiles the engine


def test_every_setting_meets_every_seed() -> None:
    """One row for each setting and seed, one for each setting; combinations that cannot be are listed, not tried."""
    sweep = small_sweep()

    assert 6 == len(sweep.settings)
    assert 12 == len(sweep.results)
    assert {1, 2} == set(sweep.results["seed"])
    assert ["base_s=1 batch_size=20 batch_window_s=0", "base_s=4 batch_size=20 batch_window_s=0"] == [
        refusal.label for refusal in sweep.refusals
    ]


def test_means_are_those_of_the_seeds() -> None:
    """The table of settings holds the means of the results, objective by objective."""
    sweep = small_sweep()
    expected = sweep.results.groupby("setting")[list(OBJECTIVES)].mean()

    pd.testing.assert_frame_equal(expected, sweep.settings[list(OBJECTIVES)], check_names=False)


def test_choice_is_on_the_front_and_says_why() -> None:
    """One setting is chosen, it is on the Pareto front, and the reasons name the rule's steps."""
    sweep = small_sweep()

    assert sweep.chosen is not None
    assert sweep.choice
    assert sweep.chosen["front"]
    assert 1 == sweep.settings["chosen"].sum()
    assert 5 == len(sweep.choice.reasons)
    assert "By each seed alone the same setting would be chosen with" in sweep.choice.reasons[-1]


def test_chosen_setting_is_tried_at_other_rates() -> None:
    """Half, once and twice the rate bring so many tasks."""
    counts = small_sweep().growth.groupby("factor")["tasks"].first()

    assert {0.5: 600, 1.0: 1200, 2.0: 2400} == dict(counts)


def test_seconds_of_the_storm_are_kept() -> None:
    """Every message of the load is received at least once under both settings that are shown."""
    received = small_sweep().storm.groupby("role")["received"].sum()

    assert {CHOSEN, STORMIEST} == set(received.index)
    assert (received >= 1200).all()


def test_retries_cannot_help_where_the_closed_form_says_so() -> None:
    """The DLQ share is near what fault plan and policy predict: 2.70 % at 30 % failures and 2 retries."""
    scenario = at_rate(SMALL, rate_per_s=500, duration_s=40)
    rows = [perform(Job(setting=0, seed=seed, scenario=scenario.to_dict()), aws()) for seed in (1, 2)]
    expected = expectation(SMALL.faults, SMALL.retry).dlq_share

    assert sum(row["dead_letter_share"] for row in rows) / 2 == pytest.approx(expected, abs=0.003)


def test_longer_retries_take_longer_and_fail_less() -> None:
    """More retries: more success, later completion; the direction that anybody would expect."""
    with performer(workers=0) as perform_here:
        sweep = run_sweep(question(SMALL, "max_retries=0,2,4"), perform_here)
    share, p95 = sweep.settings["success_share"], sweep.settings["completion_s_p95"]

    assert share.is_monotonic_increasing
    assert p95.is_monotonic_increasing


def test_overloaded_setting_does_not_keep_up() -> None:
    """Two batches of one message at once cannot carry 400 tasks a second; twenty of ten can, and are chosen."""
    fast = at_rate(SMALL, rate_per_s=400, duration_s=15)
    with performer(workers=0) as perform_here:
        sweep = run_sweep(question(fast, "max_concurrency=2,20", "batch_size=1,10", seeds=1), perform_here)

    assert sweep.chosen is not None
    assert "max_concurrency=20 batch_size=10" == sweep.chosen["label"]
    assert not sweep.settings.set_index("label").loc["max_concurrency=2 batch_size=1", "keeps_up"]


def test_processes_find_the_same_as_this_process() -> None:
    """A cluster of two processes, started and stopped by us, gives the very same rows."""
    asked = question(SMALL, "base_s=1,2", seeds=1)
    with performer(workers=0) as perform_here:
        here = run_sweep(asked, perform_here)
    with performer(workers=2) as perform_there:
        there = run_sweep(asked, perform_there)

    pd.testing.assert_frame_equal(here.results, there.results)


def test_cluster_listens_on_loopback_only() -> None:
    """Every address that our cluster listens on is this machine's own, and nothing of it is left afterwards."""
    before = set(psutil.Process().children(recursive=True))  # of other tests
    with performer(workers=1) as perform_there:
        perform_there([Job(setting=0, seed=1, scenario=SMALL.to_dict())], aws())
        started = set(psutil.Process().children(recursive=True)) - before
        ours = [psutil.Process(), *started]
        listening = {
            connection.laddr.ip
            for process in ours
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
    left = psutil.wait_procs(ours[1:], timeout=10)[1]

    assert {"127.0.0.1"} == listening
    assert [] == [process for process in left if "multiprocessing.resource_tracker" not in " ".join(process.cmdline())]


def test_cluster_that_is_there_is_used_and_left() -> None:
    """A scheduler given by its address does the jobs, with the same rows, and goes on afterwards."""
    from distributed import Client, LocalCluster  # noqa: PLC0415  (slow to import)

    jobs = [Job(setting=0, seed=seed, scenario=SMALL.to_dict()) for seed in (1, 2, 3)]
    options = {
        "host": "127.0.0.1",
        "protocol": "tcp://",
        "dashboard_address": None,
        "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},
    }
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **options) as cluster:
        with performer(workers=2, scheduler=cluster.scheduler_address) as perform_there:
            rows = perform_there(jobs, aws())
        with Client(cluster.scheduler_address) as client:
            workers = len(client.scheduler_info()["workers"])

    assert [perform(job, aws()) for job in jobs] == rows
    assert 1 == workers


def test_scheduler_that_does_not_answer_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the address and what to give."""
    monkeypatch.setattr("dlqlab.tune.parallel.CONNECT_S", 1)

    with (
        pytest.raises(UsageError, match=r"--scheduler tcp://127\.0\.0\.1:9: no Dask scheduler answers"),
        performer(workers=0, scheduler="tcp://127.0.0.1:9"),
    ):
        pass


def test_sweep_is_kept_and_read_back(tmp_path: Path) -> None:
    """What was saved is what is loaded."""
    sweep = small_sweep()
    save(sweep, folder_for(None, tmp_path), tmp_path)
    again = load(tmp_path / "latest")

    pd.testing.assert_frame_equal(sweep.settings, again.settings)
    pd.testing.assert_frame_equal(sweep.results, again.results)
    assert sweep.to_json() == again.to_json()
    assert (sweep.choice, sweep.refusals) == (again.choice, again.refusals)


def test_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """Results are never written over others."""
    (tmp_path / "something").touch()

    with pytest.raises(UsageError, match="is not empty"):
        folder_for(tmp_path, tmp_path)


def test_folder_that_is_no_sweep_is_refused(tmp_path: Path) -> None:
    """The error says how to make one."""
    with pytest.raises(UsageError, match=r"is not a sweep: .*make one with dlqlab tune"):
        load(tmp_path)


def test_notebook_executes_on_a_sweep(tmp_path: Path) -> None:
    """The notebook comes to its end, draws six charts with data, and names the choice."""
    sweep = small_sweep()
    folder = folder_for(tmp_path / "sweep", tmp_path / "others")
    save(sweep, folder, tmp_path / "others")
    executed = execute(
        NOTEBOOKS / "capacity_planning.ipynb",
        tmp_path / "out.ipynb",
        {"sweep_dir": str(folder), "require_choice": True},
        folder=tmp_path,
    )
    text = json.dumps(executed)

    assert 6 == text.count('"image/png": "')
    assert "no data" not in text
    assert sweep.chosen is not None
    assert f"chosen: {sweep.chosen['label']}" in text


def test_measures_are_all_there() -> None:
    """Each job answers with every measure that tables and charts show."""
    row = perform(Job(setting=0, seed=1, scenario=SMALL.to_dict()), aws())

    assert set(MEASURES) <= set(row)
