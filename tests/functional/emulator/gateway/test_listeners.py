"""A listener that is closed for a while, and who waits for it, over real connections."""

import errno
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dlqlab.contracts.injection import Fault, Kind, Plan
from dlqlab.deploy.target import Target
from dlqlab.emulator.core import listening
from dlqlab.emulator.core.loopback import ANY_PORT, LOOPBACK
from dlqlab.emulator.gateway.listeners import Listener, Peer
from dlqlab.errors import EmulatorError
from dlqlab.paths import APP
from dlqlab.run.injection import outlast, patience_s

LIMIT_S = 10.0
OUTAGE = Plan(faults=(Fault(kind=Kind.OUTAGE, delay_s=2.0), Fault(kind=Kind.PAUSE, delay_s=3.0)))


def echo(connection: socket.socket, _peer: Peer) -> None:
    with connection:
        while data := connection.recv(100):
            connection.sendall(data)


@pytest.fixture
def address() -> Iterator[tuple[Listener, tuple[str, int]]]:
    opened = listening.listen(LOOPBACK, ANY_PORT)
    listener = Listener(opened, echo)
    listener.open()
    yield listener, opened.getsockname()
    listener.close()


def connected(address: tuple[str, int]) -> socket.socket:
    """A connection that is served."""
    client = socket.create_connection(address, timeout=LIMIT_S)
    client.sendall(b"served")
    assert client.recv(100) == b"served"
    return client


def test_refuses_cuts_all_but_the_kept_and_accepts_again_at_the_same_port(
    address: tuple[Listener, tuple[str, int]],
) -> None:
    listener, at = address
    with connected(at) as cut, connected(at) as kept:
        listener.refuse({kept.getsockname()})

        assert cut.recv(100) == b""
        kept.sendall(b"goes on")
        assert kept.recv(100) == b"goes on"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(at, timeout=LIMIT_S)
        listener.accept_again()
        connected(at).close()


def test_nobody_else_gets_the_port_meanwhile(address: tuple[Listener, tuple[str, int]]) -> None:
    listener, at = address
    listener.refuse()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(at)


def test_who_asks_is_patient_for_as_long_as_an_outage_takes(address: tuple[Listener, tuple[str, int]]) -> None:
    """What an outage cuts off is asked again; without an outage in the plan nobody waits."""
    listener, at = address
    errors = [EmulatorError("cut off")]
    listener.refuse()

    def ask() -> str:
        if errors:
            raise errors.pop()
        connected(at).close()
        return "answered"

    opens = threading.Timer(0.2, listener.accept_again)
    opens.start()
    assert outlast(at[1], OUTAGE, ask) == "answered"
    opens.join()
    assert patience_s(OUTAGE) > 2.0
    assert patience_s(Plan(faults=OUTAGE.faults[1:])) == 0.0
    errors.append(EmulatorError("cut off"))
    with pytest.raises(EmulatorError, match="cut off"):
        outlast(at[1], Plan(), ask)


def test_calls_of_a_patient_target_wait_for_who_listens(address: tuple[Listener, tuple[str, int]]) -> None:
    listener, at = address
    endpoint = f"http://{at[0]}:{at[1]}"
    keys = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    target = Target(
        endpoint=endpoint, stage="local", project_dir=APP, state_dir=APP, environment=keys, patience_s=LIMIT_S
    )
    listener.refuse()
    opens = threading.Timer(0.2, listener.accept_again)
    opens.start()
    target._outwait()
    opens.join()

    connected(at).close()


def test_connection_that_cannot_be_accepted_now_is_accepted_later(
    address: tuple[Listener, tuple[str, int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As where no file descriptor is free: the listener goes on."""
    accept, troubles = socket.socket.accept, [OSError(errno.EMFILE, "Too many open files")] * 2

    def accept_or_fail(listening: socket.socket) -> Any:
        if troubles:
            raise troubles.pop()
        return accept(listening)

    connected(address[1]).close()  # by the call that waits already
    monkeypatch.setattr(socket.socket, "accept", accept_or_fail)
    for _ in range(2):
        connected(address[1]).close()

    assert [] == troubles
    assert 2 == caplog.text.count("cannot accept a connection now")


def test_connection_for_which_there_is_no_thread_is_closed(
    address: tuple[Listener, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those that come later are served."""
    start, troubles = threading.Thread.start, [RuntimeError("can't start new thread")]

    def start_or_fail(thread: threading.Thread) -> None:
        if troubles:
            raise troubles.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    with socket.create_connection(address[1], timeout=LIMIT_S) as client:
        assert b"" == client.recv(100)
    connected(address[1]).close()
