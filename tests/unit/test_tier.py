"""What no unit test may do is refused."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest


def _connect() -> None:
    with socket.socket() as here:
        here.connect(("127.0.0.1", 9))


def _listen() -> None:
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "connect": (_connect, "connects to ('127.0.0.1', 9)"),
    "listen": (_listen, "listens at ('127.0.0.1', 0)"),
    "wait": (lambda: time.sleep(0.5), "sleeps for 0.5 s"),
    "process": (lambda: subprocess.run([sys.executable, "-V"], check=True), "starts ['"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_leaves_the_process_or_waits_is_refused(name: str) -> None:
    """The test that tries it fails with a sentence that says what to do instead."""
    does, said = REFUSED[name]
    with pytest.raises(pytest.fail.Exception) as failed:
        does()

    assert said in str(failed.value)
    assert "tests/functional" in str(failed.value)


def test_sockets_within_the_process_stay() -> None:
    """An event loop needs a pair of them."""
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"x")
        assert b"x" == there.recv(1)
