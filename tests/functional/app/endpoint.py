"""A service of AWS on loopback that answers by script and remembers what it got."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.loopback import serving

DEADLINE_S = 10


class Then(Enum):
    """What becomes of the connection once the answer is written."""

    KEEP = "keep it"
    CLOSE = "close it, without a word about it in the answer"
    BREAK = "close it with half of the answer written"


@dataclass(frozen=True)
class Answer:
    """One answer; ``None`` in its place in a script is none at all until the test ends."""

    status: int = 200
    body: bytes = b"{}"
    then: Then = Then.KEEP


def answer(members: dict[str, Any], *, status: int = 200, then: Then = Then.KEEP) -> Answer:
    """The answer of a service."""
    return Answer(status, json.dumps(members).encode(), then)


def refusal(code: str, *, status: int = 400, **members: Any) -> Answer:
    """An error of a service."""
    return answer({"__type": f"com.amazonaws.model#{code}", **members}, status=status)


@dataclass(frozen=True)
class Request:
    """What a client sent; names of headers in lower case, connections by their number."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Endpoint:
    """The script and what came; without a script every answer is empty."""

    def __init__(self) -> None:
        self.script: list[Answer | None] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.closed = threading.Semaphore(0)
        """Counts the connections that have ended."""
        self.release = threading.Event()
        self.host = ""

    def take(self, request: Request) -> Answer | None:
        """Remember a request; what to answer."""
        self.requests.append(request)
        return self.script.pop(0) if self.script else Answer()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that its close waits for them

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None) -> None:
        self.endpoint = endpoint
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)
        self.endpoint.closed.release()

    def server_close(self) -> None:
        """End also the connections that clients still hold, whose threads would wait for their next request."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):  # ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: without this each answer waits 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.endpoint = self.server.endpoint
        self.endpoint.connections += 1
        self.number = self.endpoint.connections

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        found = self.endpoint.take(Request(self.path, headers, body, self.number))
        if found is None:
            self.endpoint.release.wait(DEADLINE_S)
            self.close_connection = True
            return
        self.close_connection = self.close_connection or found.then is not Then.KEEP
        if found.then is Then.BREAK:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            return
        self.send_response(found.status)
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def answering(tls: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """A running endpoint."""
    endpoint = Endpoint()
    server = _Server(endpoint, tls)
    endpoint.host = f"127.0.0.1:{server.server_address[1]}"
    with serving(server, endpoint.release):
        yield endpoint
