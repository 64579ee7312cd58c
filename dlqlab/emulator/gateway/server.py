"""LocalStack's gateway behind a plain threaded HTTP server: one thread per kept-alive connection.

A LocalStack request is Python code that blocks; an event loop in front of worker threads only adds hand-offs. It also
binds to the address it was told, where LocalStack's own server listens on all interfaces. Chosen by
``GATEWAY_SERVER=threaded``.
"""

import contextlib
import functools
import io
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote_to_bytes

from localstack import config
from localstack.runtime.server import RuntimeServer
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway

from dlqlab.emulator import settings
from dlqlab.emulator.core import listening, taps
from dlqlab.emulator.gateway import shortcut
from dlqlab.emulator.gateway.http_requests import CHUNK, Body, Stream, read_body, read_headers, request_line
from dlqlab.emulator.gateway.listeners import LISTENERS, Listener, Peer
from dlqlab.emulator.gateway.refusals import BadRequestError

PREFACE_LINE = b"PRI * HTTP/2.0"
"""What a connection begins with in the place of a request line where it is one of HTTP/2 (RFC 9113, 3.4)."""

_LOG = logging.getLogger(__name__)
_LINGER_S = 2.0
_OWN_HEADERS = frozenset({"connection", "transfer-encoding"})
"""Of the connection, not of the answer: they are the server's."""


class ThreadedRuntimeServer(RuntimeServer):  # type: ignore[misc]
    """The server that LocalStack's runtime runs in its main thread."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def register(
        self,
        gateway: Gateway,
        listen: list[config.HostAndPort],  # noqa: ARG002  (the starter of this process listens there already)
        ssl_creds: tuple[str, str] | None = None,  # noqa: ARG002  (loopback only, so plain HTTP)
    ) -> None:
        listening_socket = listening.handed_over(os.environ.pop(settings.LISTENER_FD))
        LISTENERS.append(Listener(listening_socket, functools.partial(_serve, WsgiGateway(gateway))))

    def run(self) -> None:
        for listener in LISTENERS:
            listener.open()
        self._stopped.wait()

    def shutdown(self) -> None:
        for listener in LISTENERS:
            listener.close()
        self._stopped.set()


@dataclass(frozen=True, slots=True)
class _Client:
    """Who sends the requests of one connection, and what they are for."""

    connection: socket.socket
    peer: Peer
    application: WsgiGateway
    watched: taps.Connection | None


def _serve(application: WsgiGateway, connection: socket.socket, peer: Peer) -> None:
    """Answer the requests of one connection until either side ends it."""
    with connection:
        stream = Stream(connection)
        client = _Client(connection, peer, application, None if taps.watch is None else taps.watch.connection())
        try:
            while _serve_one(stream, client):
                pass
        except BadRequestError as error:
            _LOG.warning("refused a request of %s: %s", peer[0], error)
            with contextlib.suppress(OSError):  # it may be gone
                _refuse(connection, error)
        except OSError as error:
            _LOG.debug("connection ended: %s", error)


def _refuse(connection: socket.socket, error: BadRequestError) -> None:
    """Answer, and throw away what still comes: a client reads the answer only when it has sent everything."""
    connection.sendall(_written(*error.answer(), keep_alive=False, has_body=True))
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(_LINGER_S)
    while connection.recv(CHUNK):
        pass


def _serve_one(stream: Stream, client: _Client) -> bool:
    """Answer one request; returns whether another may follow on this connection."""
    head = stream.head()
    if head is None:
        return False
    line, *rest = head.lstrip(b"\r\n").split(b"\r\n")
    if line == PREFACE_LINE:
        _serve_http2(stream, client)
        return False
    method, target, version = request_line(line)
    headers = read_headers(rest)
    by_name = {name.lower(): value for name, value in headers}
    if by_name.get(b"expect", b"").lower() == b"100-continue":
        stream.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = read_body(stream, target, by_name)
    keep_alive = version == b"HTTP/1.1" and by_name.get(b"connection", b"").lower() != b"close"
    answer = _answer(client, method, target, headers, by_name, body)
    stream.connection.sendall(_written(*answer, keep_alive=keep_alive, has_body=method != b"HEAD"))
    return keep_alive


def _serve_http2(stream: Stream, client: _Client) -> None:
    from dlqlab.emulator.gateway.http2 import Connection  # noqa: PLC0415  (few clients speak it)

    def answer(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> shortcut.Reply:
        by_name = {name.lower(): value for name, value in headers}
        return _answer(client, method, target, headers, by_name, body)

    Connection(stream.connection, answer).serve(PREFACE_LINE + b"\r\n\r\n" + stream.buffered())


def _answer(
    client: _Client,
    method: bytes,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    by_name: Mapping[bytes, bytes],
    body: Body,
) -> shortcut.Reply:
    watched = client.watched
    if watched is not None:
        watched.began(method, target, by_name, body)
    answer = shortcut.reply(method, target, by_name, body) if isinstance(body, bytes) else None
    if answer is None:
        with contextlib.nullcontext() if isinstance(body, bytes) else body:
            environ = _environ(method, target, headers, body, client.connection, client.peer)
            answer = _respond(client.application, environ)
    if watched is not None:
        watched.answered(answer[0], answer[2])
    return answer


def _environ(
    method: bytes,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    body: Body,
    connection: socket.socket,
    peer: Peer,
) -> dict[str, Any]:
    """The WSGI environment, with rolo's additions: the raw target and the headers as they came."""
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/"):  # absolute form, as a client behind a proxy sends it
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    host, port = connection.getsockname()[:2]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method.decode("latin-1"),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "RAW_URI": target.decode("latin-1"),
        "REQUEST_URI": target.decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer[0],
        "REMOTE_PORT": str(peer[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "rolo.headers": headers,
    }
    for name, value in headers:
        environ[_wsgi_name(name)] = value.decode("latin-1")
    environ["CONTENT_LENGTH"] = str(_size(body))  # a chunked one has a length here too
    return environ


def _size(body: Body) -> int:
    if isinstance(body, bytes):
        return len(body)
    size = body.seek(0, os.SEEK_END)
    body.seek(0)
    return size


@functools.lru_cache(1024)
def _wsgi_name(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


def _respond(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> shortcut.Reply:
    """LocalStack's answer."""
    status = "500 Internal Server Error"
    headers: list[tuple[str, str]] = []

    def start_response(given: str, given_headers: list[tuple[str, str]], _exc_info: object = None) -> None:
        nonlocal status, headers
        status, headers = given, given_headers

    result = application(environ, start_response)
    try:
        body = b"".join(part if isinstance(part, bytes) else bytes(part) for part in result)
    finally:
        with contextlib.suppress(AttributeError):
            result.close()  # type: ignore[attr-defined]
    return status, headers, body


def _written(status: str, headers: list[tuple[str, str]], body: bytes, *, keep_alive: bool, has_body: bool) -> bytes:
    """The whole answer; bodies of AWS's APIs are small, so one send is the fastest way."""
    kept = []
    has_length = has_date = False
    for name, value in headers:
        lower = name.lower()
        if lower in _OWN_HEADERS:
            continue
        if lower == "content-length":
            has_length = True
            value = str(len(body)) if has_body else value  # noqa: PLW2901  (a function may have made one up)
        has_date = has_date or lower == "date"
        kept.append(f"{name}: {value}")
    if not has_length:
        kept.append(f"Content-Length: {len(body)}")
    if not has_date:
        kept.append(f"Date: {_date(int(time.time()))}")
    kept.append("Connection: keep-alive" if keep_alive else "Connection: close")
    head = f"HTTP/1.1 {status}\r\n" + "\r\n".join(kept) + "\r\n\r\n"
    return head.encode("latin-1", "replace") + (body if has_body else b"")  # a function may give any text


@functools.lru_cache(1)
def _date(now_s: int) -> str:
    """The time as RFC 9110 (5.6.7) writes it; the same for all answers of a second."""
    return formatdate(now_s, usegmt=True)
