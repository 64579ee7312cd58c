"""A unit test neither reaches beyond its process nor waits; one that would is refused, so that the tier stays quick."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
import urllib3.util.connection  # noqa: F401  (at its import it tries to listen, to see whether there is IPv6)

SLEEP_MAX_S = 0.01
"""Enough to let another thread run."""


_inherited: set[threading.Thread] = set()
"""Threads that tests of other tiers left to the process: what these do is not the unit test's."""


@pytest.fixture(autouse=True)
def _stay_in_the_process() -> Iterator[None]:
    _inherited.clear()
    _inherited.update(threading.enumerate())
    _inherited.discard(threading.current_thread())
    with pytest.MonkeyPatch.context() as patched:
        for name, does in {"connect": "connects to", "connect_ex": "connects to", "bind": "listens at"}.items():
            patched.setattr(socket.socket, name, _only_within(getattr(socket.socket, name), does))
        patched.setattr(time, "sleep", _briefly(time.sleep))
        patched.setattr(subprocess.Popen, "__init__", _no_process(subprocess.Popen.__init__))
        yield


def _only_within(original: Callable[..., Any], does: str) -> Callable[..., Any]:
    """Addresses of the machine's own kind stay: an event loop wakes itself through a pair of such sockets."""

    def checked(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and threading.current_thread() not in _inherited:
            _refuse(f"{does} {address}")
        return original(self, address)

    return checked


def _briefly(original: Callable[[float], None]) -> Callable[[float], None]:
    def checked(seconds: float) -> None:
        if seconds > SLEEP_MAX_S and threading.current_thread() not in _inherited:
            _refuse(f"sleeps for {seconds} s")
        original(seconds)

    return checked


def _no_process(original: Callable[..., None]) -> Callable[..., None]:
    def checked(self: Any, command: Any, *more: Any, **settings: Any) -> None:
        if threading.current_thread() not in _inherited:
            _refuse(f"starts {command}")
        original(self, command, *more, **settings)

    return checked


def _refuse(what: str) -> NoReturn:
    pytest.fail(f"a unit test {what}: give it a stand-in or a clock, or move it to tests/functional")
