"""The long way round: each step by hand with the tool's own command, then dlqlab collect and report."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from tests.support.load.loads import run_by_hand, worker_by_hand
from tests.support.recorded_counts import check_counts

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent
DLQLAB = BIN / "dlqlab"
JUDGED = """
[judge]
max_half_width = 0.3
"""
"""A small load cannot say more."""

OTHER_WORK = {
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://192.0.2.1:3128"),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
    **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), "not-on-this-machine"),
    **dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"), "http://192.0.2.1"),
    "AWS_SESSION_TOKEN": "real",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_MAX_ATTEMPTS": "many",
}
"""A shell that somebody has set up for something else."""


@dataclass(frozen=True)
class Hands:
    """A shell in the checkout, and an emulator that was started for it."""

    emulator: Emulator
    runs: Path

    def sh(self, script: str, **environ: str) -> str:
        """What somebody would type, with these variables in the shell; the output of a script that succeeds."""
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=paths.ROOT,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PORT": str(self.emulator.port), **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def judged(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Manifest and verdict of a run after dlqlab report."""
        run = RunDir(self.runs / name)
        self.sh(f"dlqlab report --no-page --rejudge {run.path}")
        return run.read_manifest().to_json(), json.loads(run.verdict_path.read_text())


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    """An emulator of the checkout on a free port, with the pipeline deployed by CloudFormation and plain Chalice."""
    running = lifecycle.start(ANY_PORT, bound=True)
    runs = tmp_path_factory.mktemp("runs")
    (runs / "judged.toml").write_text(JUDGED)
    hands = Hands(running, runs)
    hands.sh("dlqlab deploy --stack-only --port $PORT")
    project = Path(running.state) / "app"
    printed = hands.sh(f'eval "$(dlqlab env --port $PORT)"; chalice --project-dir {project} deploy --stage local')
    assert re.search(r"Rest API URL: https://\w+\.execute-api\.us-east-1\.amazonaws\.com/api/", printed), printed
    yield hands
    lifecycle.stop(running)
    shutil.rmtree(running.state)


@pytest.fixture(scope="module")
def ours(hands: Hands) -> Hands:
    """The same with dlqlab deploy over it, in a shell of other work: for all tests but those of plain Chalice."""
    hands.sh("dlqlab deploy --port $PORT", **OTHER_WORK)
    return hands


def test_plain_deployment_and_headless_load_are_judged_valid(hands: Hands) -> None:
    """Plain Chalice, locust --headless, dlqlab collect, dlqlab report: valid, and what nobody measured is null."""
    url = hands.sh("dlqlab url --port $PORT").strip()
    ended = run_by_hand(url, tasks=30, rate_per_s=10, seed=21, ledger_dir=str(hands.runs / "plain" / "ledger"))
    assert ended.returncode == 0, ended.stderr
    printed = hands.sh(f"dlqlab collect --port $PORT --runs {hands.runs} --scenario {hands.runs}/judged.toml plain")
    manifest, verdict = hands.judged("plain")

    assert "valid" == verdict["status"], verdict
    assert [] == list(RunDir(hands.runs / "plain").missing())
    assert (True, "by-hand", False) == (
        manifest["by_hand"],
        manifest["functions_run_id"],
        manifest["partial_batch_responses"],
    )
    assert (30, 21, 1) == (manifest["load"]["sent"], manifest["load"]["seed"], manifest["seed"])
    assert {"latency", "host", "queues"} == set(manifest["not_measured"])
    assert [None, None] == [manifest["started_ts"], manifest["latency_probe"]["before"]]
    assert "not known: CPU and memory while the load ran" in printed


def test_master_and_workers_have_one_verdict_over_all_ledgers(ours: Hands) -> None:
    """Two workers with ledgers of their own, as on two machines: put together, no id twice, judged valid."""
    url = ours.sh("dlqlab url --port $PORT").strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = [ours.runs / name / "ledger" for name in ("machine-1", "machine-2")]
    with ExitStack() as stack:
        for folder in folders:
            log = folder.parent.parent / f"{folder.parent.name}.log"
            stack.enter_context(worker_by_hand(port, log, ledger_dir=str(folder)))
        master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port))
        ended = run_by_hand(url, *master, "--expect-workers", "2", tasks=30, rate_per_s=10, seed=22)
    assert ended.returncode == 0, ended.stderr
    ours.sh(
        f"dlqlab collect --port $PORT --runs {ours.runs} --scenario {ours.runs}/judged.toml "
        f"--ledger {folders[1]} machine-1"
    )
    manifest, verdict = ours.judged("machine-1")
    ledger = RunDir(ours.runs / "machine-1").read("ledger")

    assert "valid" == verdict["status"], verdict
    assert (30, 30) == (len(ledger), ledger["task_id"].nunique())
    assert 2 == ledger["worker"].nunique() == len(manifest["load"]["workers"])
    assert (30, True) == (manifest["load"]["planned"], manifest["partial_batch_responses"])


def test_aws_cli_reaches_the_emulator_after_env(ours: Hands) -> None:
    """Every service, sqs too, which AWS CLI 1 sends to AWS otherwise; also from a shell of other work."""
    commands = ("sqs list-queues", "s3 ls", "sts get-caller-identity")
    script = 'eval "$(dlqlab env --port $PORT)"; ' + "; ".join(f"aws {command}" for command in commands)
    lacking = OTHER_WORK | {"AWS_MAX_ATTEMPTS": "1", "AWS_CA_BUNDLE": ""}
    printed = ours.sh(script, **lacking)

    assert f"http://127.0.0.1:{ours.emulator.port}/queue/us-east-1/000000000000/dlqlab-local-tasks" in printed
    assert '"000000000000"' in printed


def test_dlqlab_load_leaves_samples(ours: Hands) -> None:
    """A load of dlqlab load has queue and host samples and its junk; dlqlab collect takes the newest load by itself.

    In a shell of other work, with proxies, a profile and endpoints that lead nowhere.
    """
    runs = ours.runs / "own"
    ours.sh(f"dlqlab load poison --port $PORT --runs {runs} --tasks 20 --rate 10 --seed 23", **OTHER_WORK)
    ours.sh(f"dlqlab collect --port $PORT --runs {runs} --scenario {ours.runs}/judged.toml", **OTHER_WORK)
    run = next(runs.glob("*-load"))
    manifest, verdict = ours.judged(str(run))

    assert "valid" == verdict["status"], verdict
    assert {"latency"} == set(manifest["not_measured"])
    assert 20 < check_counts(RunDir(run))["NumberOfMessagesReceived QueueName=dlqlab-local-tasks"]
    assert manifest["scenario"]["load"]["junk_messages"] == len(manifest["junk_message_ids"]) > 0
    assert {"emulator", "functions", "harness", "load"} == set(RunDir(run).read("host")["part"])
    assert (runs / "latest").resolve() == run
