"""HTTP/2 without TLS, for clients that begin with it: the SDK for JavaScript v3 does so with Kinesis.

RFC 9113 (3.3, "Starting HTTP/2 with Prior Knowledge"). The requests of a connection are answered one after another, in
the order in which they are complete.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import socket
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from dlqlab.emulator.gateway.http_requests import BODY_LIMIT, CHUNK

_LOG = logging.getLogger(__name__)
_OF_HTTP_1 = frozenset({"connection", "transfer-encoding", "keep-alive", "upgrade"})
"""Headers that HTTP/2 does not have (RFC 9113, 8.2.2)."""

type Headers = list[tuple[bytes, bytes]]
type Answer = Callable[[bytes, bytes, Headers, bytes], tuple[str, list[tuple[str, str]], bytes]]
"""Method, target, headers and body to status, headers and body."""


@dataclass(slots=True)
class _Request:
    headers: Headers
    body: bytearray = field(default_factory=bytearray)


class Connection:
    """One connection, from its preface on."""

    def __init__(self, connection: socket, answer: Answer) -> None:
        self._socket, self._answer = connection, answer
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._coming: dict[int, _Request] = {}
        self._complete: deque[tuple[int, _Request]] = deque()
        self._is_open = True

    def serve(self, begun: bytes) -> None:
        """Answer until the other side is done.

        Args:
            begun: what has been read of the connection, the preface among it.
        """
        self._h2.initiate_connection()
        try:
            self._take(begun)
            while self._is_open:
                while self._complete:
                    self._reply(*self._complete.popleft())
                self._pump()
        except ProtocolError as error:
            _LOG.warning("an HTTP/2 connection is no such: %s", error)
            self._flush()

    def _pump(self) -> None:
        """Wait for what comes next, and take it."""
        data = self._socket.recv(CHUNK)
        if data:
            self._take(data)
        else:
            self._is_open = False

    def _take(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            self._note(event)
        self._flush()

    def _note(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self._coming[event.stream_id] = _Request(event.headers)
        elif isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if (request := self._coming.get(event.stream_id)) is not None:
                request.body += event.data
                if len(request.body) > BODY_LIMIT:
                    del self._coming[event.stream_id]
                    self._h2.reset_stream(event.stream_id, ErrorCodes.ENHANCE_YOUR_CALM)
        elif isinstance(event, StreamEnded):
            if (request := self._coming.pop(event.stream_id, None)) is not None:
                self._complete.append((event.stream_id, request))
        elif isinstance(event, StreamReset):
            self._coming.pop(event.stream_id, None)
        elif isinstance(event, ConnectionTerminated):
            self._is_open = False

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._socket.sendall(data)

    def _reply(self, stream_id: int, request: _Request) -> None:
        pseudo = {name: value for name, value in request.headers if name.startswith(b":")}
        headers = [(name, value) for name, value in request.headers if not name.startswith(b":")]
        if authority := pseudo.get(b":authority"):
            headers.append((b"host", authority))
        headers.append((b"content-length", str(len(request.body)).encode()))
        unique = list(dict(reversed(headers)).items())
        status, given, body = self._answer(pseudo[b":method"], pseudo[b":path"], unique, bytes(request.body))
        told = [(name.lower(), value) for name, value in given if name.lower() not in _OF_HTTP_1]
        has_body = pseudo[b":method"] != b"HEAD" and bool(body)
        try:
            self._h2.send_headers(stream_id, [(":status", status[:3]), *told], end_stream=not has_body)
            if has_body:
                self._send(stream_id, body)
            self._flush()
        except ProtocolError as error:  # it has been reset meanwhile
            _LOG.debug("an answer over HTTP/2 is wanted no more: %s", error)

    def _send(self, stream_id: int, body: bytes) -> None:
        """The body, as much at once as the other side takes."""
        place = 0
        while place < len(body) and self._is_open:
            size = min(
                self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size, len(body) - place
            )
            if size <= 0:
                self._flush()
                self._pump()
                continue
            place += size
            self._h2.send_data(stream_id, body[place - size : place], end_stream=place == len(body))
