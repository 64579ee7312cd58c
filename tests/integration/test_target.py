"""``--target URL``: the pipeline at an endpoint that dlqlab did not start."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlqlab import paths
from dlqlab.deploy.target import url_target
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from tests.support.command import DLQLAB, write_small

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that the command under test has no record of; what it keeps about it is removed."""
    running = lifecycle.start(ANY_PORT, bound=True, root=tmp_path_factory.mktemp("apart"))
    yield running
    lifecycle.stop(running)
    shutil.rmtree(url_target(running.endpoint).state_dir, ignore_errors=True)


def dlqlab(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, without a terminal to ask."""
    return subprocess.run(
        [DLQLAB, *arguments], cwd=paths.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip


def test_run_against_an_endpoint_is_valid_and_says_what_it_cannot_know(endpoint: Emulator, tmp_path: Path) -> None:
    """A whole run at a URL starts and stops nothing, is judged like any other, and names the figures it lacks."""
    scenario = write_small(tmp_path / "small.toml", tasks=40, max_half_width=0.3)
    done = dlqlab("run", str(scenario), "--target", endpoint.endpoint, "--runs", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    run = next(tmp_path.glob("*-small"))
    manifest = json.loads((run / "manifest.json").read_text())
    verdict = json.loads((run / "verdict.json").read_text())

    assert "valid" == verdict["status"]
    assert (endpoint.endpoint, None) == (manifest["target"], manifest["emulator"])
    assert {"host", "emulator", "recording"} == set(manifest["not_measured"])
    assert not (run / "recording").exists()
    assert {"target", "host", "emulator"} <= {entry["name"] for entry in manifest["fidelity"]}
    assert manifest["not_measured"]["host"] in (run / "report.html").read_text()
    assert endpoint.process() is not None


def test_commands_work_at_an_endpoint(endpoint: Emulator) -> None:
    """deploy, url, load, dlq list, preflight and destroy take a target; destroy leaves nothing."""
    target = ("--target", endpoint.endpoint)
    deployed = dlqlab("deploy", *target)
    url = dlqlab("url", *target)
    listed = dlqlab("dlq", "list", *target)
    probed = dlqlab("preflight", "--quick", "--json", *target)
    destroyed = dlqlab("destroy", *target)
    gone = dlqlab("url", *target)

    assert [0, 0, 0, 0, 0, 4] == [done.returncode for done in (deployed, url, listed, probed, destroyed, gone)]
    assert url.stdout.startswith(f"{endpoint.endpoint}/_aws/execute-api/")
    assert {"visibility_tick"} <= {entry["name"] for entry in json.loads(probed.stdout)}
    assert [] == url_target(endpoint.endpoint).client("lambda").list_functions()["Functions"]
    assert f"nothing is deployed for stage local at {endpoint.endpoint}" in gone.stderr
