"""The functions' HTTP connection, against bytes that a service or something in between may send."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from chalicelib.connection import BrokenAnswerError, ConnectError, Connection

DEADLINE_S = 10
HEADERS = {"host": "example", "x-amz-target": "Service.Operation"}


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[Connection, list[bytes]]]:
    """A client's connection to a server that sends each answer to one request and then closes; what it got."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE_S)

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(DEADLINE_S)
                for answer in answers:
                    data = b""
                    while not data.endswith(b"{}"):
                        data += peer.recv(4096)
                    got.append(data)
                    for place in range(0, len(answer), 7):  # in pieces, as networks do
                        peer.sendall(answer[place : place + 7])

        thread = threading.Thread(target=serve)
        thread.start()
        connection = Connection("http", *listener.getsockname())
        try:
            yield connection, got
        finally:
            connection.close()
            thread.join()


def test_request_is_what_was_asked_for() -> None:
    """One head with each header once and the body's length, then the body."""
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (connection, got):
        connection.post("/path", HEADERS, b'{"n": 1}{}')

    assert [
        (
            b"POST /path HTTP/1.1\r\nhost: example\r\nx-amz-target: Service.Operation\r\ncontent-length: 10\r\n\r\n"
            b'{"n": 1}{}'
        )
    ] == got


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", (200, b"hello")),
        (b"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", (200, b"")),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}", (400, b"{}")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nT: t\r\n\r\n",
            (200, b"hello"),
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\nuntil the end", (502, b"until the end")),
        (b"HTTP/1.0 503 Slow Down\r\nContent-Length: 4\r\n\r\nbusy", (503, b"busy")),
    ],
)
def test_answers_are_read_however_they_are_framed(answer: bytes, expected: tuple[int, bytes]) -> None:
    """By length, in chunks, without a body, up to the end of the connection; interim answers are passed over."""
    with answering(answer) as (connection, _):
        assert expected == connection.post("/", HEADERS, b"{}")


def test_two_answers_over_one_connection() -> None:
    """Each request gets its own answer, also after one in chunks."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    with answering(chunked, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb") as (connection, got):
        found = [connection.post("/", HEADERS, b"{}") for _ in range(2)]

    assert [(200, b"a"), (200, b"b")] == found
    assert 2 == len(got)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_connection_that_the_service_will_end_is_not_used_again(answer: bytes) -> None:
    """It says so in its answer, or speaks HTTP/1.0."""
    with answering(answer) as (connection, _):
        connection.post("/", HEADERS, b"{}")

        assert connection._socket is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65_536 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    ],
)
def test_what_is_no_answer_is_never_taken_for_one(answer: bytes) -> None:
    """Torn or foreign, it is an error, and the connection is not used again."""
    with answering(answer) as (connection, _):
        with pytest.raises(BrokenAnswerError):
            connection.post("/", HEADERS, b"{}")

        assert connection._socket is None


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb: c"])
def test_header_cannot_bring_another_along(value: str) -> None:
    """A line break in a value is refused before anything is sent."""
    connection = Connection("http", "127.0.0.1", 1)

    with pytest.raises(ValueError, match="line break"):
        connection.post("/", {"host": "h", "x-amzn-trace-id": value}, b"{}")


def test_nobody_listens() -> None:
    """It is told apart from a connection that broke: nothing was sent."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # but not listening
        with pytest.raises(ConnectError):
            Connection("http", *bound.getsockname()).post("/", HEADERS, b"{}")
