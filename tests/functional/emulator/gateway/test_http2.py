"""Clients that begin with HTTP/2, as the SDK for JavaScript does with Kinesis, over real connections."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from dlqlab.emulator.gateway import server

LIMIT_S = 10.0
LARGE = b"x" * 300_000
"""More than the other side takes at once: its window has 65,535 bytes."""


def _application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with what it was asked."""
    body = environ["wsgi.input"].read()
    start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"]), ("Connection", "close")])
    return [environ["HTTP_HOST"].encode(), b" ", environ["RAW_URI"].encode(), b" ", body]


class Client:
    """A client with prior knowledge."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket, self._h2 = connection, H2Connection()
        self._h2.initiate_connection()
        self.answers: dict[int, tuple[dict[bytes, bytes], bytearray]] = {}
        self._ended: set[int] = set()

    def send(self, path: str, body: bytes) -> int:
        """The number of the request's stream."""
        number = self._h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "h:1"), (":path", path), ("x-a", "b")]
        self._h2.send_headers(number, head)
        place = 0
        while place < len(body):
            size = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size, len(body) - place)
            if size:
                self._h2.send_data(number, body[place : place + size])
                place += size
            else:
                self._flush()
                self._receive()
        self._h2.end_stream(number)
        self._flush()
        return number

    def answer(self, number: int) -> tuple[dict[bytes, bytes], bytes]:
        """Headers and body."""
        while number not in self._ended:
            self._receive()
        headers, body = self.answers[number]
        return headers, bytes(body)

    def _flush(self) -> None:
        self._socket.sendall(self._h2.data_to_send())

    def _receive(self) -> None:
        for event in self._h2.receive_data(self._socket.recv(65_536)):
            if isinstance(event, ResponseReceived):
                headers = {bytes(name): bytes(value) for name, value in event.headers}
                self.answers[event.stream_id] = headers, bytearray()
            elif isinstance(event, DataReceived):
                self.answers[event.stream_id][1].extend(event.data)
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded | StreamReset):
                self._ended.add(event.stream_id)
        self._flush()


@pytest.fixture
def client() -> Iterator[Client]:
    """One that is connected to a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = socket.create_connection(listener.getsockname(), timeout=LIMIT_S)
        served, peer = listener.accept()
    thread = threading.Thread(target=server._serve, args=(_application, served, peer), daemon=True)
    thread.start()
    with closing(connection):
        yield Client(connection)
    thread.join(LIMIT_S)
    assert not thread.is_alive()


def test_requests_of_one_connection_are_answered(client: Client) -> None:
    """Each with its own body, also where several are under way; headers of HTTP/1 are none of HTTP/2."""
    numbers = [client.send(f"/p/{number}?q", str(number).encode()) for number in range(3)]

    for place, number in enumerate(numbers):
        headers, body = client.answer(number)
        assert (headers[b":status"], headers[b"x-method"], b"connection" in headers) == (b"201", b"POST", False)
        assert body == f"h:1 /p/{place}?q {place}".encode()


def test_bodies_may_be_larger_than_what_is_taken_at_once(client: Client) -> None:
    """Both ways."""
    assert client.answer(client.send("/large", LARGE))[1] == b"h:1 /large " + LARGE
