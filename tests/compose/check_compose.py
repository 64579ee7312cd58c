"""The long way round in containers: docker compose up, deploy, Locust's page, collect, report, docker compose down.

Not part of ``make test``, which needs no Docker engine: ``make compose-test`` finds or starts one and runs this file.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenarios import find
from tests.compose.stack import SERVICES, TOKEN, USER_ID, Stack, docker, get_json

pytestmark = pytest.mark.timeout(1800)  # with the build of the image

SCENARIO = Path(__file__).with_name("small.toml")
DLQLAB = str(Path(sys.executable).with_name("dlqlab"))


def dlqlab(*arguments: str) -> str:
    """Run the program on the host; returns what it printed."""
    done = subprocess.run(
        [DLQLAB, *arguments], cwd=paths.ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert 0 == done.returncode, f"dlqlab {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The services, up and healthy."""
    folder = tmp_path_factory.mktemp("compose")
    folder.chmod(0o755)  # the services' user must get through to its runs
    folder.parent.chmod(0o755)
    found = Stack(project=f"dlqlab-test-{os.getpid()}", runs=folder / "runs", scenario=find(str(SCENARIO)))
    try:
        found.up()
        yield found
    finally:
        found.down()
        docker("image", "rm", "--force", found.environment()["DLQLAB_IMAGE"])


@pytest.fixture(scope="module")
def flooded(stack: Stack) -> RunDir:
    """A load that was started by hand on Locust's page, collected and judged by its report."""
    dlqlab("deploy", str(SCENARIO), "--target", stack.endpoint)
    stack.swarm(dlqlab("url", "--target", stack.endpoint).strip())
    dlqlab("collect", "--target", stack.endpoint, "--scenario", str(SCENARIO), "--runs", str(stack.runs))
    run = RunDir((stack.runs / "latest").resolve())
    dlqlab("report", str(run.path))
    return run


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The same scenario by ``dlqlab run``, without containers."""
    runs = tmp_path_factory.mktemp("ordinary")
    dlqlab("run", str(SCENARIO), "--port", "auto", "--runs", str(runs))
    return RunDir((runs / "latest").resolve())


def fates(run: RunDir) -> dict[str, tuple[str, int]]:
    """Each task's terminal state and number of attempts."""
    tasks = run.read("tasks").set_index("task_id")
    return {str(name): (str(task["status"]), int(task["attempts"])) for name, task in tasks.iterrows()}


def test_ports_are_published_on_loopback_only(stack: Stack) -> None:
    """Nobody on another machine reaches what runs code on request."""
    bindings = [
        binding
        for service in SERVICES
        for published in (stack.container(service)["HostConfig"]["PortBindings"] or {}).values()
        for binding in published
    ]

    assert {"127.0.0.1"} == {binding["HostIp"] for binding in bindings}
    assert {str(port) for port in stack.ports.values()} == {binding["HostPort"] for binding in bindings}


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_confined(stack: Stack, service: str) -> None:
    """No root, no capabilities, a read-only file system, limits, and no socket of the Docker engine."""
    host = stack.container(service)["HostConfig"]
    mounts = [mount["Source"] for mount in stack.container(service)["Mounts"]]

    assert str(USER_ID) == stack.execute(service, "id", "-u").strip()
    assert "CapEff:\t0000000000000000" in stack.execute(service, "cat", "/proc/1/status")
    assert "Read-only file system" in stack.execute(service, "touch", "/var/tmp/anything")
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert not [path for path in mounts if path.endswith("docker.sock")]


def test_jupyter_wants_its_token(stack: Stack) -> None:
    """Notebooks are not for whoever finds the port."""
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(stack.url("jupyter", "/api/contents/notebooks"), timeout=30)
    found = get_json(stack.url("jupyter", f"/api/contents/notebooks?token={TOKEN}"))

    assert "run_report.ipynb" in {entry["name"] for entry in found["content"]}


def test_flood_through_locusts_page_is_valid(flooded: RunDir) -> None:
    """Deployed from the host, flooded from a container, collected and judged on the host: every task as predicted."""
    verdict = json.loads(flooded.verdict_path.read_text())
    answers = {check["name"]: check["status"] for check in verdict["checks"]}
    wrong = {name: answer for name, answer in answers.items() if answer == "invalid"}

    assert not wrong
    assert {"valid"} == {answers[name] for name in ("conservation", "oracle", "effects", "retry_timing", "records")}
    assert "valid" == verdict["status"], answers
    assert "</html>" in flooded.html_path.read_text()


def test_same_fates_as_an_ordinary_run(flooded: RunDir, ordinary: RunDir) -> None:
    """The same scenario and seed give every task the same end after as many attempts, in containers or not."""
    in_containers = fates(flooded)

    assert fates(ordinary) == in_containers
    assert 120 == len(in_containers)
    assert {"COMPLETED", "FAILED"} == {status for status, _ in in_containers.values()}
    assert {1, 2, 3} == {attempts for _, attempts in in_containers.values()}


def test_jupyter_has_the_run(stack: Stack, flooded: RunDir) -> None:
    """What was collected on the host is there, to be opened in a notebook and to be judged."""
    found = get_json(stack.url("jupyter", f"/api/contents/runs/{flooded.path.name}?token={TOKEN}"))

    assert {"report.ipynb", "tasks.parquet"} <= {entry["name"] for entry in found["content"]}
    assert "valid: run" in stack.execute("jupyter", "dlqlab", "report", flooded.path.name, "--no-page")


def test_nothing_but_docker_is_needed(stack: Stack, flooded: RunDir) -> None:
    """The commands of the host run in a container as well; here they deploy again what the host has removed."""
    assert flooded.has("tasks")  # nobody needs the first deployment any more
    dlqlab("destroy", "--target", stack.endpoint)
    printed = stack.execute("jupyter", "dlqlab", "deploy", "--target", stack.endpoint, deadline_s=300)
    api_url = stack.execute("jupyter", "dlqlab", "url", "--target", stack.endpoint).strip()

    assert "proven" in printed
    assert "ok" == get_json(f"{api_url}/health")["status"]


def test_down_leaves_nothing(stack: Stack) -> None:
    """No container, network or volume of the project is left; comes last, since it ends the services."""
    stack.down()

    assert [] == stack.leftovers()
