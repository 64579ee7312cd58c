"""The emulator starts, is found, and ends with everything it started, however its starter ends."""

import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import EmulatorError, UsageError
from dlqlab.waiting import wait_for
from tests.integration.conftest import checkout

pytestmark = pytest.mark.integration

STARTER = """
    import sys, time
    from pathlib import Path
    from dlqlab.emulator.host import lifecycle
    from tests.integration.conftest import make_client

    emulator = lifecycle.start(0, bound=True, root=Path(sys.argv[1]))
    import io, zipfile
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", "import time\\ndef handler(event, context):\\n    time.sleep(event['s'])\\n")
    client = make_client(emulator, "lambda")
    client.create_function(
        FunctionName="f", Runtime="python3.13", Role="arn:aws:iam::000000000000:role/r", Handler="app.handler",
        Code={"ZipFile": archive.getvalue()}, Timeout=300,
    )
    client.invoke(FunctionName="f", Payload='{"s": 0}')
    client.invoke(FunctionName="f", Payload='{"s": 200}', InvocationType="Event")
    print(emulator.pid, *[process.pid for process in emulator.function_processes()], flush=True)
    time.sleep(300)
"""


def _start_starter(root: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A program that starts an emulator with a function in the middle of an invocation; pids of both."""
    starter = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STARTER), str(root)], cwd=checkout(), stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pids = [int(word) for word in starter.stdout.readline().split()]
    return starter, pids


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_its_starter(tmp_path: Path, how: signal.Signals) -> None:
    """Emulator and busy function processes end when the starter is killed, interrupted or terminated."""
    starter, pids = _start_starter(tmp_path)
    starter.send_signal(how)
    starter.communicate(timeout=30)

    assert len(pids) >= 2
    wait_for("the end of all processes", lambda: (not _alive(pids), _alive(pids)), deadline_s=20)


def test_functions_end_with_a_killed_emulator(tmp_path: Path) -> None:
    """A function that is busy ends when the emulator is killed."""
    starter, pids = _start_starter(tmp_path)
    os.kill(pids[0], signal.SIGKILL)

    wait_for("the end of all processes", lambda: (not _alive(pids), _alive(pids)), deadline_s=10)
    starter.kill()
    starter.communicate()


SHELL = {"HTTP_PROXY": "http://192.0.2.1:1", "no_proxy": "x", "AWS_PROFILE": "work", "EDGE_PORT": "1"}
"""What leads elsewhere."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Emulator, Path]]]:
    """Two emulators, each with the folder of its records, started side by side from a shell set up for other work."""
    roots = [tmp_path_factory.mktemp("two") for _ in range(2)]
    with pytest.MonkeyPatch.context() as shell, ThreadPoolExecutor(2) as pool:
        for name, value in SHELL.items():
            shell.setenv(name, value)
        started = list(pool.map(lambda root: lifecycle.start(ANY_PORT, bound=True, root=root), roots))
    yield list(zip(started, roots, strict=True))
    for emulator, root in zip(started, roots, strict=True):
        if lifecycle.find(emulator.port, root):
            lifecycle.stop(emulator)


def test_emulator_has_no_proxy_and_says_with_whom_it_ends(two: list[tuple[Emulator, Path]]) -> None:
    """Nothing of the shell that leads elsewhere is in its environment, and with it in a function's; its record tells a
    run's emulator from one that stays.
    """
    for emulator, root in two:
        found = lifecycle.find(emulator.port, root)

        assert found is not None
        assert os.getpid() == found.bound_to
        assert SHELL.keys().isdisjoint(psutil.Process(emulator.pid).environ())


def test_emulator_listens_on_loopback_only(two: list[tuple[Emulator, Path]]) -> None:
    """Nobody outside this machine can reach the emulator."""
    for emulator, _ in two:
        connections = psutil.Process(emulator.pid).net_connections("tcp")

        assert {"127.0.0.1"} == {found.laddr.ip for found in connections if found.status == psutil.CONN_LISTEN}


def test_two_emulators_run_side_by_side(two: list[tuple[Emulator, Path]]) -> None:
    """Two emulators on two ports have nothing in common, and end one by one."""
    (first, first_root), (second, second_root) = two
    found = [lifecycle.find(emulator.port, root) for emulator, root in two]

    assert [first, second] == found
    assert lifecycle.health(first.port)
    assert lifecycle.health(second.port)
    lifecycle.stop(first)
    assert [second.pid] == _alive([first.pid, second.pid])
    assert lifecycle.find(first.port, first_root) is None
    assert lifecycle.find(second.port, second_root) == second
    lifecycle.stop(second)
    assert [] == _alive([first.pid, second.pid])


def test_taken_port_is_an_error_that_names_its_holder(tmp_path: Path) -> None:
    """Starting on a port that somebody else listens on says who."""
    with (
        socket.create_server(("127.0.0.1", 0)) as holder,
        pytest.raises(UsageError, match=rf"pid {os.getpid()}.*--port auto"),
    ):
        lifecycle.start(holder.getsockname()[1], bound=True, root=tmp_path)


def test_unknown_patch_ends_the_start_and_is_named(tmp_path: Path) -> None:
    """An emulator that cannot be patched as asked does not run half-patched."""
    with pytest.raises(EmulatorError, match="no patch named no_such_patch"):
        lifecycle.start(ANY_PORT, bound=True, root=tmp_path, patches=("no_such_patch",))
    assert [] == lifecycle.find_all(tmp_path)


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads the limits of other processes on Linux only")
def test_emulator_may_have_as_many_connections_as_the_system_lets_it(tmp_path: Path) -> None:
    """However few its starter may have."""
    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 1024), highest))
    try:
        running = lifecycle.start(ANY_PORT, bound=True, root=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, highest))
    try:
        found = psutil.Process(running.pid).rlimit(psutil.RLIMIT_NOFILE)  # type: ignore[attr-defined,unused-ignore]
    finally:
        lifecycle.stop(running)

    assert (min(65_536, highest), highest) == found
