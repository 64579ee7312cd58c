"""The port of an emulator belongs to it from before its process starts."""

import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from dlqlab.emulator.core import listening
from dlqlab.emulator.core.loopback import ANY_PORT, LOOPBACK
from dlqlab.errors import UsageError

SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from dlqlab.emulator.core import listening

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

server = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = listening.handed_over(sys.argv[1])
server.handle_request()
"""


def test_port_is_nobody_elses_until_the_process_that_it_is_for_answers() -> None:
    """Nobody else can listen there meanwhile, and what asks too early is answered as soon as that process can."""
    with listening.listen(LOOPBACK, ANY_PORT) as listener:
        port = listening.port_of(listener)
        with pytest.raises(UsageError, match=rf"port {port} is taken by .*pid {os.getpid()}.*--port auto"):
            listening.listen(LOOPBACK, port)
        early = socket.create_connection((LOOPBACK, port))
        process = subprocess.Popen([sys.executable, "-c", SERVER, str(listener.fileno())], pass_fds=[listener.fileno()])
    with early, process:
        early.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert early.recv(100).startswith(b"HTTP/1.0 204")
    assert listening.port_holder(port) is None


def test_port_of_a_process_that_has_ended_refuses() -> None:
    """It is held by nobody else, so that a start that fails is noticed at once."""
    with listening.listen(LOOPBACK, ANY_PORT) as listener:
        port = listening.port_of(listener)
        subprocess.run([sys.executable, "-c", ""], pass_fds=[listener.fileno()], check=True)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://{LOOPBACK}:{port}", timeout=5)


@pytest.mark.parametrize(("host", "reason"), [("203.0.113.1", "Cannot assign"), ("no.such.host.invalid", "")])
def test_address_at_which_nothing_can_listen(host: str, reason: str) -> None:
    """Is named, with the reason and what to do."""
    with pytest.raises(UsageError, match=rf"nothing can listen at {host}, port \d+ \(.*{reason}.*\): choose another"):
        listening.listen(host, listening.free_port())
