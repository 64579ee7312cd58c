"""The socket on which an emulator listens: taken before its process starts, and handed over to it.

A port that is only looked up and bound some seconds later by LocalStack may be somebody else's by then, who would
answer in its place. What connects in the meantime waits until LocalStack accepts it.
"""

import errno
import os
import socket
from contextlib import suppress

import psutil

from dlqlab.emulator.core.loopback import ANY_PORT, LOOPBACK
from dlqlab.errors import UsageError
from dlqlab.waiting import DeadlinePassedError, wait_for

_BACKLOG = 256
_LOOK_AGAIN_S = 0.05
_UNNAMED = "a process that the system does not let us name"


def free_port() -> int:
    """A port that nobody listens on at the moment; for what cannot be told ``ANY_PORT``."""
    with listen(LOOPBACK, ANY_PORT) as probe:
        return port_of(probe)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UsageError: nobody can, or somebody else does.
    """
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            holder = port_holder(port) or _UNNAMED
            raise UsageError(
                f"port {port} is taken by {holder}: stop it, or choose another port (--port auto)"
            ) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UsageError(f"nothing can listen at {host}, port {port} ({reason}): choose another") from error


def port_of(listener: socket.socket) -> int:
    """The port on which it listens."""
    return int(listener.getsockname()[1])


def outwait(host: str, port: int, patience_s: float) -> None:
    """Return when somebody listens there, or when patience is at its end: whoever calls then is refused."""
    with suppress(DeadlinePassedError):
        wait_for("somebody who listens", lambda: _listens(host, port), deadline_s=patience_s, interval_s=_LOOK_AGAIN_S)


def _listens(host: str, port: int) -> tuple[bool, str]:
    try:
        with socket.create_connection((host, port)):
            return True, ""
    except OSError as error:
        return False, str(error)


def handed_over(descriptor: str) -> socket.socket:
    """The listening socket that another process opened and left to this one.

    Args:
        descriptor: its number, as a variable of the environment gives it.
    """
    listener = socket.socket(fileno=int(descriptor))
    listener.set_inheritable(False)  # function processes have no use for it
    return listener


def port_holder(port: int) -> str | None:
    """Who listens on the port, for an error message; None when it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            pass
        else:
            return None
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return _UNNAMED
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            return _describe(connection.pid)
    return _UNNAMED


def _describe(pid: int | None) -> str:
    if pid is None:
        return _UNNAMED
    try:
        process = psutil.Process(pid)
        return f"{process.name()} (pid {pid}: {' '.join(process.cmdline())[:100]})"
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return f"pid {pid}"
