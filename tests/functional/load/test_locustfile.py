"""The real locustfile in its own process against a scripted API on loopback."""

import collections
import contextlib
import json
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import LoadError, UsageError
from dlqlab.load.ledger import read_ledger
from dlqlab.load.starter import Child, start_load
from dlqlab.load.tasks import payload, task_id
from tests.support.load.api_stub import CLOSE, api_stub
from tests.support.load.loads import files_under, run_by_hand, scenario_with, worker_by_hand


def test_every_request_has_its_row_with_the_right_outcome(tmp_path: Path) -> None:
    """Each answer becomes its outcome, and the ledger holds exactly the requests that the server got."""
    answers = [202, 200, 503, 500, CLOSE, 409, 400, 302]
    run = RunDir(tmp_path)

    with api_stub(lambda n: answers[n % len(answers)]) as api:
        result = start_load(scenario_with(tasks=80), url=api.url, run=run, run_id="r")
        ledger = read_ledger(run.ledger_parts).rows

    assert (result.sent, result.planned) == (80, 80)
    assert sorted(api.task_ids) == sorted(ledger["task_id"])
    assert len(set(api.task_ids)) == len(api.task_ids)
    assert {"/_aws/execute-api/abc/api/tasks"} == api.paths
    expected = {"acknowledged": 10, "replayed": 10, "refused": 10, "rejected": 20, "unknown": 30}
    assert expected == ledger["outcome"].value_counts().to_dict()
    codes = ledger["status_code"].astype("object").where(ledger["status_code"].notna(), 0)
    assert dict.fromkeys([202, 200, 503, 500, 0, 409, 400, 302], 10) == dict(collections.Counter(codes))
    assert (ledger["done_ts"] >= ledger["sent_ts"]).all()
    assert sorted(ledger.loc[ledger["error"].isna(), "outcome"].unique()) == ["acknowledged", "replayed"]


def test_the_server_gets_the_payload_of_the_ledger(tmp_path: Path) -> None:
    """What arrives is what the seed says and what the ledger records, character for character."""
    run = RunDir(tmp_path)

    with api_stub(lambda _: 202) as api:
        start_load(scenario_with(tasks=20, payload_bytes=400), url=api.url, run=run, run_id="r")
        ledger = read_ledger(run.ledger_parts).rows

    assert {task_id(7, n): payload(7, n, 400) for n in range(20)} == api.payloads
    assert api.payloads == {row.task_id: json.loads(str(row.payload)) for row in ledger.itertuples()}


def test_a_time_out_is_unknown(tmp_path: Path) -> None:
    """A request without an answer within the time-out is unknown, and is not sent again."""
    run = RunDir(tmp_path)

    with api_stub(lambda _: 202, hang_from=10) as api:
        start_load(scenario_with(tasks=14, timeout_s=0.5), url=api.url, run=run, run_id="r")
        ledger = read_ledger(run.ledger_parts).rows
        received = len(api.task_ids)

    assert received == 14
    assert ledger["outcome"].value_counts().to_dict() == {"acknowledged": 10, "unknown": 4}
    unanswered = ledger[ledger["outcome"] == "unknown"]
    assert unanswered["status_code"].isna().all()
    assert unanswered["latency_ms"].min() >= 500
    assert unanswered["error"].notna().all()


def test_a_closed_port_is_unknown(tmp_path: Path) -> None:
    """A refused connection is unknown, and the load generator itself is fine with it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        run = RunDir(tmp_path)
        start_load(scenario_with(tasks=5), url=url, run=run, run_id="r")

    assert read_ledger(run.ledger_parts).rows["outcome"].value_counts().to_dict() == {"unknown": 5}


def test_two_processes_share_the_tasks(tmp_path: Path) -> None:
    """Two workers send disjoint ids that together are the whole load."""
    run = RunDir(tmp_path)

    with api_stub(lambda _: 202) as api:
        start_load(scenario_with(tasks=41), url=api.url, run=run, run_id="r", processes=2)
        ledger = read_ledger(run.ledger_parts).rows

    assert [task_id(7, n) for n in range(41)] == sorted(ledger["task_id"])
    assert sorted(api.task_ids) == sorted(ledger["task_id"])
    assert {20, 21} == set(ledger["worker"].value_counts())
    assert ledger["request_id"].nunique() == 41


def test_the_rate_is_offered_and_the_time_is_a_bound(tmp_path: Path) -> None:
    """No task leaves before it is due, and none at or after the end of the duration."""
    run = RunDir(tmp_path)

    with api_stub(lambda _: 202) as api:
        result = start_load(
            scenario_with(tasks=1000, rate_per_s=50.0, duration_s=1.0), url=api.url, run=run, run_id="r"
        )
        ledger = read_ledger(run.ledger_parts).rows

    counters = ledger["task_id"].str.rsplit("-", n=1).str[1].astype(int)
    early_s = counters / 50 - (ledger["sent_ts"] - result.started_ts)
    assert len(ledger) == 50
    # Two clocks are compared, the schedule's monotonic one and the wall clock of the ledger.
    assert early_s.max() < 0.05
    assert result.planned == 1000


def test_progress_reaches_the_number_of_tasks(tmp_path: Path) -> None:
    """Progress grows, ends at the tasks sent, and the process id is that of a live process."""
    seen: list[tuple[int, int]] = []
    alive: list[bool] = []

    with api_stub(lambda _: 202) as api:
        start_load(
            scenario_with(tasks=30),
            url=api.url,
            run=RunDir(tmp_path),
            run_id="r",
            on_progress=lambda sent, planned: seen.append((sent, planned)),
            on_start=lambda pid: alive.append(psutil.pid_exists(pid)),
        )

    assert seen[-1] == (30, 30)
    assert sorted(seen) == seen
    assert alive == [True]


@pytest.mark.parametrize("processes", [1, 2])
def test_interrupt_leaves_no_process_and_an_honest_ledger(tmp_path: Path, processes: int) -> None:
    """Ctrl-C while requests hang ends every process; what was sent is on record, as unknown."""
    run = RunDir(tmp_path)
    started: list[psutil.Process] = []

    def interrupt(_sent: int, _planned: int) -> None:
        if len(api.task_ids) == 4:
            started.extend([psutil.Process(pids[0]), *psutil.Process(pids[0]).children(recursive=True)])
            raise KeyboardInterrupt

    pids: list[int] = []
    with api_stub(lambda _: 202, hang_from=0) as api:
        with pytest.raises(KeyboardInterrupt):
            start_load(
                scenario_with(timeout_s=30.0),
                url=api.url,
                run=run,
                run_id="r",
                processes=processes,
                on_progress=interrupt,
                on_start=pids.append,
            )
        ledger = read_ledger(run.ledger_parts).rows

    assert (1 if processes == 1 else 3) == len(started)
    assert [] == psutil.wait_procs(started, timeout=10)[1]
    assert sorted(api.task_ids) == sorted(ledger["task_id"])
    assert {"unknown"} == set(ledger["outcome"])


def test_a_hanging_load_generator_is_stopped(tmp_path: Path) -> None:
    """A process that overruns its time is ended, and the error says so."""
    hanging = tmp_path / "locustfile.py"
    hanging.write_text("import time\ntime.sleep(600)\n")
    pids: list[int] = []

    with pytest.raises(LoadError, match="did not end within"):
        start_load(
            scenario_with(duration_s=0.1, timeout_s=0.1),
            url="http://127.0.0.1:1",
            run=RunDir(tmp_path),
            run_id="r",
            grace_s=0.5,
            locustfile=hanging,
            on_start=pids.append,
        )

    assert not psutil.pid_exists(pids[0])


@pytest.mark.parametrize(
    ("processes", "killed", "words"),
    [(1, 0, "locust was killed by SIGKILL"), (2, 1, r"worker w\d-\d+-\S+ of locust ended before its load did")],
)
def test_a_load_generator_that_is_killed_is_noticed(tmp_path: Path, processes: int, killed: int, words: str) -> None:
    """The only process, or one of two workers: the load ends with what ended and how, and no process is left."""
    started: list[psutil.Process] = []

    def kill(sent: int, _planned: int) -> None:
        if sent >= 2 and not started:
            master = psutil.Process(pids[0])
            started.extend([master, *master.children(recursive=True)])
            busy = {int(path.name.split("-")[1]) for path in run.ledger_parts.glob("*.jsonl")}
            chosen = [process for process in started if process.pid in busy]
            assert len(chosen) == processes
            chosen[killed].kill()

    run, pids = RunDir(tmp_path), list[int]()
    with api_stub(lambda _: 202, hang_from=0) as api, pytest.raises(LoadError, match=words) as caught:
        start_load(
            scenario_with(timeout_s=30.0),
            url=api.url,
            run=run,
            run_id="r",
            processes=processes,
            on_progress=kill,
            on_start=pids.append,
        )

    assert "in phase load at 20" in str(caught.value)
    assert f"last lines of its log, {tmp_path / 'locust.log'}" in str(caught.value)
    assert len(started) >= processes
    assert [] == psutil.wait_procs(started, timeout=10)[1]


def test_a_failing_load_generator_shows_its_log(tmp_path: Path) -> None:
    """An exit code other than 0 becomes an error with the tail of the log."""
    failing = tmp_path / "locustfile.py"
    failing.write_text("raise ValueError('the reason')\n")

    with pytest.raises(LoadError, match="the reason"):
        start_load(scenario_with(), url="http://127.0.0.1:1", run=RunDir(tmp_path), run_id="r", locustfile=failing)


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:80", "http://example.com", "http://127.0.0.1@example.com/", "ftp://::1"]
)
def test_another_machine_is_refused_before_anything_starts(tmp_path: Path, url: str) -> None:
    """The starter refuses a target that is not this machine and leaves no file behind."""
    with pytest.raises(UsageError, match="host is"):
        start_load(scenario_with(), url=url, run=RunDir(tmp_path), run_id="r")

    assert files_under(tmp_path) == []


def test_the_locustfile_refuses_another_machine_itself(tmp_path: Path) -> None:
    """By hand, too, load goes to this machine only: Locust ends at once and nothing was sent."""
    ended = run_by_hand("http://192.0.2.1:80", ledger_dir=str(tmp_path / "ledger"))

    assert ended.returncode == 3
    assert "load goes to this machine only" in ended.stderr
    assert files_under(tmp_path / "ledger") == []


def test_by_hand_the_defaults_are_enough(tmp_path: Path) -> None:
    """With a host and a ledger folder only, Locust sends the default load from 8 users and ends by itself."""
    with api_stub(lambda _: 202) as api:
        ended = run_by_hand(api.url, ledger_dir=str(tmp_path / "ledger"), tasks=16)
        ledger = read_ledger(tmp_path / "ledger").rows

    assert ended.returncode == 0
    assert '{"Client": 8}' in ended.stderr
    assert [task_id(1, n) for n in range(16)] == sorted(ledger["task_id"])


def test_a_second_load_into_the_same_run_is_refused(tmp_path: Path) -> None:
    """Two loads in one ledger could not be told apart."""
    run = RunDir(tmp_path)
    run.ledger_parts.mkdir()
    (run.ledger_parts / "w0.jsonl").touch()

    with pytest.raises(UsageError, match="another load already"):
        start_load(scenario_with(), url="http://127.0.0.1:1", run=run, run_id="r")


def test_the_web_ui_is_served_while_the_load_runs_and_ends_with_it(tmp_path: Path) -> None:
    """With the web UI the run starts and ends by itself, like headless."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served: list[bool] = []

    def look(_sent: int, _planned: int) -> None:
        if not any(served):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                served.append(True)

    with api_stub(lambda _: 202) as api:
        result = start_load(
            scenario_with(tasks=40, rate_per_s=20.0),
            url=api.url,
            run=RunDir(tmp_path),
            run_id="r",
            ui=True,
            web_port=port,
            on_progress=look,
        )

    assert result.sent == 40
    assert served == [True]


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    """Leaving the context ends the whole group, also one that ignores SIGTERM."""
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    stop = threading.Event()
    with log.open("wb") as output, Child(["python3", "-c", script], {}, output.fileno(), stop_s=0.2) as child:
        deadline = time.monotonic() + 10
        while not log.read_bytes() and time.monotonic() < deadline:
            stop.wait(0.02)

    assert not psutil.pid_exists(child.pid)
    assert child.wait(0) == -signal.SIGKILL


def test_workers_by_hand_send_what_the_master_says(tmp_path: Path) -> None:
    """A master and two workers, each a process with a ledger of its own, send each id of the master's load once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = [tmp_path / name for name in ("one", "two")]
    merged = tmp_path / "merged"
    merged.mkdir()
    with api_stub(lambda _: 202) as api, ExitStack() as stack:
        # The second worker was told another load by mistake.
        told = [{}, {"seed": 99, "tasks": 3}]
        for folder, settings in zip(folders, told, strict=True):
            stack.enter_context(worker_by_hand(port, folder / "log", ledger_dir=str(folder / "ledger"), **settings))
        options = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port))
        ended = run_by_hand(
            api.url, *options, "--expect-workers", "2", seed=7, tasks=41, users=4, rate_per_s=0,
            ledger_dir=str(tmp_path / "none"),
        )  # fmt: skip
    for part in (part for folder in folders for part in (folder / "ledger").iterdir()):
        part.rename(merged / part.name)
    ledger = read_ledger(merged).rows

    assert ended.returncode == 0, ended.stderr
    assert [task_id(7, n) for n in range(41)] == sorted(ledger["task_id"]) == sorted(api.task_ids)
    assert {20, 21} == set(ledger["worker"].value_counts())
    assert 41 == ledger["request_id"].nunique()
    assert files_under(tmp_path / "none") == []


def test_api_key_goes_to_the_api_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that asks for a key gets it with each request; no file of the load holds it."""
    monkeypatch.setenv("DLQLAB_API_KEY", "k3y-of-a-stage")
    run = RunDir(tmp_path)

    with api_stub(lambda _: 202) as api:
        start_load(scenario_with(tasks=4), url=api.url, run=run, run_id="r")

    assert {"k3y-of-a-stage"} == api.keys
    assert [] == [path.name for path in tmp_path.rglob("*") if path.is_file() and b"k3y-of" in path.read_bytes()]
