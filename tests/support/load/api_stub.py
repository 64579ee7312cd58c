"""A small HTTP server on loopback that answers POST /tasks by script and remembers what it got."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.loopback import serving

CLOSE = 0
"""Instead of a status: read the request and close the connection without an answer."""

type Script = Callable[[int], int]
"""The status for the n-th request, n = 0, 1, ..."""


class ApiStub:
    """What the server got: the task ids in order of arrival, and the payloads by id."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.task_ids: list[str] = []
        self.payloads: dict[str, Any] = {}
        self.paths: set[str] = set()
        self.keys: set[str | None] = set()
        self.release = threading.Event()
        self.hang_from: int | None = None
        self.url = ""
        self._lock = threading.Lock()

    def take(self, path: str, body: bytes) -> int:
        """Remember one request; the status to answer with."""
        task = json.loads(body)
        with self._lock:
            n = len(self.task_ids)
            self.task_ids.append(task["taskId"])
            self.payloads[task["taskId"]] = task["payload"]
            self.paths.add(path)
        if self.hang_from is not None and n >= self.hang_from:
            self.release.wait(timeout=60)
        return self.script(n)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


@contextmanager
def api_stub(script: Script, *, hang_from: int | None = None) -> Iterator[ApiStub]:
    """A running stub; ``hang_from`` is the request from which on it gives no answer until ``release`` is set."""
    stub = ApiStub(script)
    stub.hang_from = hang_from
    server = _Server(("127.0.0.1", 0), _handler(stub))
    stub.url = f"http://127.0.0.1:{server.server_address[1]}/_aws/execute-api/abc/api"
    with serving(server, stub.release):
        yield stub


def _handler(stub: ApiStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two writes: without this each answer waits 40 ms for the client's delayed ACK.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            stub.keys.add(self.headers["x-api-key"])
            status = stub.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            if status == CLOSE:
                self.close_connection = True
                return
            answer = b"{}"
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
