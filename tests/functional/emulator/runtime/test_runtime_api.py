"""The Runtime API's conversation, with a socket in the place of the function process."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dlqlab.emulator.runtime.api import NEXT, PREFIX, RuntimeApi, RuntimeGoneError, RuntimeTimeoutError
from dlqlab.emulator.runtime.inbox import ProtocolError
from dlqlab.emulator.runtime.output import OutputReader


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    """A Runtime API without a process."""
    served = RuntimeApi()
    yield served
    served.close()


def _connect(api: RuntimeApi) -> socket.socket:
    host, port = api.address.split(":")
    return socket.create_connection((host, int(port)))


def _soon() -> float:
    return time.monotonic() + 5


def test_request_is_parsed(api: RuntimeApi) -> None:
    """Method, path, headers and body of a request arrive."""
    with _connect(api) as runtime:
        runtime.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 4\r\nA-B: c\r\n\r\nbody")
        request = api.receive(_soon())

    assert ("POST", "/x", b"body", "c") == (request.method, request.path, request.body, request.headers["a-b"])


def test_request_in_pieces_is_put_together(api: RuntimeApi) -> None:
    """A body that arrives after its head is waited for."""
    with _connect(api) as runtime:
        runtime.sendall(b"POST /x HTTP/1.1\r\nContent-Le")
        with pytest.raises(RuntimeTimeoutError):
            api.receive(time.monotonic() + 0.05)
        runtime.sendall(b"ngth: 4\r\n\r\nbo")
        with pytest.raises(RuntimeTimeoutError):
            api.receive(time.monotonic() + 0.05)
        runtime.sendall(b"dy")

        assert b"body" == api.receive(_soon()).body


def test_two_requests_at_once_are_taken_one_by_one(api: RuntimeApi) -> None:
    """The result of an invocation and the request for the next may arrive together."""
    with _connect(api) as runtime:
        runtime.sendall(b"POST /r HTTP/1.1\r\nContent-Length: 1\r\n\r\n1" + f"GET {NEXT} HTTP/1.1\r\n\r\n".encode())

        assert ["/r", NEXT] == [api.receive(_soon()).path for _ in range(2)]


def test_answer_reaches_the_runtime(api: RuntimeApi) -> None:
    """Status, headers and body of an answer are HTTP."""
    with _connect(api) as runtime:
        runtime.sendall(f"GET {NEXT} HTTP/1.1\r\n\r\n".encode())
        api.receive(_soon())
        api.answer(200, b"{}", {"Lambda-Runtime-Aws-Request-Id": "r-1"})
        answer = runtime.recv(65536).decode()

    assert answer.startswith("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r-1\r\n")
    assert answer.endswith("Content-Length: 2\r\n\r\n{}")


def test_closed_output_means_that_the_process_is_gone(api: RuntimeApi) -> None:
    """The end of the output ends the wait long before the deadline."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    api.attach(OutputReader(read_fd))
    os.close(write_fd)

    with pytest.raises(RuntimeGoneError):
        api.receive(_soon())
    api.detach()
    os.close(read_fd)


def test_result_of_a_process_that_then_ended_counts(api: RuntimeApi) -> None:
    """What was posted before the end of the output is not thrown away."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    api.attach(OutputReader(read_fd))
    with _connect(api) as runtime:
        runtime.sendall(b"POST /r HTTP/1.1\r\nContent-Length: 1\r\n\r\n1")
        assert "/r" == api.receive(_soon()).path
        runtime.sendall(b"POST /again HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        runtime.shutdown(socket.SHUT_WR)
        os.close(write_fd)

        assert "/again" == api.receive(_soon()).path
    api.detach()
    os.close(read_fd)


JUNK = [
    b"nonsense\r\n\r\n",
    b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /x HTTP/1.1\r\nContent-Length: many\r\n\r\n" + b"y" * 100_000,
    b"GET / HTTP/1.1\r\nx: " + b"y" * 1_200_000,
]


@contextlib.contextmanager
def _sending(connection: socket.socket, junk: bytes) -> Iterator[None]:
    def send() -> None:
        with contextlib.suppress(OSError):  # it is cut off
            connection.sendall(junk)

    sender = threading.Thread(target=send)  # it may be more than the socket holds
    sender.start()
    yield
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    sender.join()


@pytest.mark.parametrize("junk", JUNK)
def test_junk_of_the_runtime_is_a_protocol_error(api: RuntimeApi, junk: bytes) -> None:
    """What is not the Runtime API is refused with a reason, not waited for."""
    with _connect(api) as runtime:
        runtime.sendall(f"GET {NEXT} HTTP/1.1\r\n\r\n".encode())
        assert NEXT == api.receive(_soon()).path
        with _sending(runtime, junk), pytest.raises(ProtocolError):
            api.receive(_soon())


def test_first_request_of_the_runtime_may_be_a_protocol_error(api: RuntimeApi) -> None:
    """Some runtimes have a connection for each request."""
    with _connect(api) as runtime:
        runtime.sendall(f"POST {PREFIX}/invocation/r/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        with pytest.raises(ProtocolError):
            api.receive(_soon())


@pytest.mark.parametrize("junk", JUNK)
def test_junk_of_others_is_cut_off(api: RuntimeApi, junk: bytes) -> None:
    """The runtime is heard all the same."""
    with _connect(api) as other, _connect(api) as runtime, _sending(other, junk):
        with pytest.raises(RuntimeTimeoutError):
            api.receive(time.monotonic() + 0.5)
        other.settimeout(5)
        with contextlib.suppress(ConnectionResetError):  # it has sent what nobody read
            assert b"" == other.recv(1)
        runtime.sendall(f"GET {NEXT} HTTP/1.1\r\n\r\n".encode())
        assert NEXT == api.receive(_soon()).path


def test_answer_without_a_request_is_an_error(api: RuntimeApi) -> None:
    """There is nothing to answer before a request."""
    with pytest.raises(ProtocolError):
        api.answer(202)


def test_output_is_split_into_lines_with_times() -> None:
    """Lines come out once each, the last one without a newline only on flush, undecodable bytes replaced."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    reader = OutputReader(read_fd)
    os.write(write_fd, b"one\n\ntw")
    reader.drain()
    first = [line.text for line in reader.take_lines()]
    os.write(write_fd, b"o\xff")
    os.close(write_fd)
    reader.drain()
    last = [line.text for line in reader.take_lines(flush=True)]
    os.close(read_fd)

    assert (["one"], ["two\ufffd"], True) == (first, last, reader.closed)
