"""States of tasks asked for over HTTP, against a small server on loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dlqlab.collect.states import over_http
from dlqlab.contracts.done import Done
from dlqlab.errors import EvidenceError
from tests.support.loopback import serving

DONE = Done(http="GET /orders/{{key}}", status="order.state", values=("done",))


class Orders(BaseHTTPRequestHandler):
    """Knows ``t-1`` and ``t/2``; asks for a header."""

    def do_GET(self) -> None:
        known = {"/api/orders/t-1": "done", "/api/orders/t%2F2": "new"}
        state = known.get(self.path) if self.headers["X-Api-Key"] == "k" else None
        body = json.dumps({"order": {"state": state}} if state else {}).encode()
        self.send_response(200 if state else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_each_task_is_asked_for_and_unknown_ones_have_no_state() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Orders)
    with serving(server, threading.Event()):
        base = f"http://127.0.0.1:{server.server_address[1]}/api"
        assert over_http(base, {"X-Api-Key": "k"}, DONE)(["t-1", "t/2", "t-3"]) == {"t-1": "done", "t/2": "new"}


def test_server_that_is_gone_is_named() -> None:
    with pytest.raises(EvidenceError, match=r"done\.http: GET http://127\.0\.0\.1:9/orders/t-1"):
        over_http("http://127.0.0.1:9", {}, DONE)(["t-1"])
