"""The emulator in front, as the main process of a container runs it."""

import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from dlqlab import paths
from dlqlab.emulator.core.listening import free_port
from dlqlab.emulator.host import lifecycle
from dlqlab.waiting import wait_for
from tests.support.command import DLQLAB

pytestmark = pytest.mark.integration


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(port: int) -> Iterator[subprocess.Popen[str]]:
    """``dlqlab up --foreground`` on a port of its own."""
    command = [str(DLQLAB), "up", "--foreground", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        yield running
        running.kill()


def test_the_emulator_in_front_is_the_process_that_was_started(port: int, process: subprocess.Popen[str]) -> None:
    """It serves under the command's pid, other commands find it, it ends on SIGTERM, and its log is the command's."""
    wait_for("LocalStack's start", lambda: (lifecycle.health(port) is not None, "no answer"), deadline_s=90)
    found = lifecycle.find(port)
    assert found is not None
    assert process.pid == found.pid
    assert {"127.0.0.1"} == _addresses(process.pid, port)

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)

    assert f"LocalStack starts at http://127.0.0.1:{port}" in output
    assert "Ready." in output
    assert lifecycle.find(port) is None


def test_another_address_is_for_the_foreground_only(port: int) -> None:
    """Whoever reaches the emulator can run code: a background process does not listen to other machines."""
    command = [str(DLQLAB), "up", "--port", str(port), "--host", "0.0.0.0"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "COLUMNS": "200"}
    )

    assert 3 == done.returncode
    assert "--host 0.0.0.0: only with --foreground" in done.stderr
    assert not (paths.STATE / f"emulator-{port}").exists()


def _addresses(pid: int, port: int) -> set[str]:
    connections = psutil.Process(pid).net_connections("tcp")
    return {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN and one.laddr.port == port}
