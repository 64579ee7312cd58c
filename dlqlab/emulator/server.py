"""LocalStack's gateway behind a plain threaded HTTP/1.1 server: one thread per kept-alive connection.

A LocalStack request is Python code that blocks; an event loop in front of worker threads only adds hand-offs. It also
binds to the address it was told, where LocalStack's own server listens on all interfaces. Chosen by
``GATEWAY_SERVER=threaded``.
"""

import contextlib
import functools
import io
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from localstack import config
from localstack.runtime.server import RuntimeServer
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway

from dlqlab.emulator import direct

_LOG = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_HEAD_LIMIT = 64 * 1024
_HEADERS_LIMIT = 200
_BODY_LIMIT = 64 * 1024 * 1024
_OWN_HEADERS = frozenset({"connection", "transfer-encoding"})
"""Of the connection, not of the answer: they are the server's."""


class BadRequestError(Exception):
    """What arrived is not an HTTP/1.1 request that we can serve."""


class ThreadedRuntimeServer(RuntimeServer):  # type: ignore[misc]
    """The server that LocalStack's runtime runs in its main thread."""

    def __init__(self) -> None:
        self._listeners: list[tuple[socket.socket, WsgiGateway]] = []
        self._stopped = threading.Event()

    def register(
        self,
        gateway: Gateway,
        listen: list[config.HostAndPort],
        ssl_creds: tuple[str, str] | None = None,  # noqa: ARG002  (loopback only, so plain HTTP)
    ) -> None:
        for address in listen:
            listener = socket.create_server((address.host, address.port), backlog=256)
            self._listeners.append((listener, WsgiGateway(gateway)))

    def run(self) -> None:
        for listener, application in self._listeners:
            threading.Thread(target=self._accept, args=(listener, application), daemon=True, name="accept").start()
        self._stopped.wait()

    def shutdown(self) -> None:
        for listener, _ in self._listeners:
            listener.close()
        self._stopped.set()

    def _accept(self, listener: socket.socket, application: WsgiGateway) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return  # closed by shutdown
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection, peer, application), daemon=True, name="http").start()


def _serve(connection: socket.socket, peer: tuple[str, int], application: WsgiGateway) -> None:
    """Answer the requests of one connection until either side ends it."""
    with connection:
        stream = Stream(connection)
        try:
            while _serve_one(stream, peer, application):
                pass
        except BadRequestError as error:
            _LOG.warning("refused a request: %s", error)
            with contextlib.suppress(OSError):  # it may be gone
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError as error:
            _LOG.debug("connection ended: %s", error)


class Stream:
    """What arrives at a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = bytearray()

    def until(self, end: bytes, limit: int) -> bytes | None:
        """Up to the end mark, which is taken as well; None when the other side is done.

        Raises:
            BadRequestError: there is no mark within the limit, or before the other side is done.
        """
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > limit:
                raise BadRequestError(f"no end within {limit} bytes: {bytes(self._buffer[:100])!r}")
            if not self._receive():
                if self._buffer:
                    raise BadRequestError(f"ended early: {bytes(self._buffer[:100])!r}")
                return None
        return self._take(at, len(end))

    def exactly(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            BadRequestError: the other side is done before.
        """
        while len(self._buffer) < size:
            if not self._receive():
                raise BadRequestError(f"ended after {len(self._buffer)} of {size} bytes")
        return self._take(size, 0)

    def _receive(self) -> bool:
        chunk = self.connection.recv(_CHUNK)
        self._buffer += chunk
        return bool(chunk)

    def _take(self, size: int, mark: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[: size + mark]
        return taken


def _serve_one(stream: Stream, peer: tuple[str, int], application: WsgiGateway) -> bool:
    """Answer one request; returns whether another may follow on this connection."""
    head = stream.until(b"\r\n\r\n", _HEAD_LIMIT)
    if head is None:
        return False
    line, *rest = head.lstrip(b"\r\n").split(b"\r\n")
    method, target, version = _request_line(line)
    headers = _headers(rest)
    by_name = {name.lower(): value for name, value in headers}
    if by_name.get(b"expect", b"").lower() == b"100-continue":
        stream.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _read_body(stream, by_name)
    keep_alive = version == b"HTTP/1.1" and by_name.get(b"connection", b"").lower() != b"close"
    answer = direct.reply(method, target, by_name, body)
    if answer is None:
        answer = _respond(application, _environ(method, target, headers, body, stream.connection, peer))
    stream.connection.sendall(_written(*answer, keep_alive=keep_alive, has_body=method != b"HEAD"))
    return keep_alive


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split()
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):  # noqa: PLR2004  (method, target, version)
        raise BadRequestError(f"request line {line[:100]!r}")
    return parts[0], parts[1], parts[2]


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    if len(lines) > _HEADERS_LIMIT:
        raise BadRequestError(f"{len(lines)} headers; the limit is {_HEADERS_LIMIT}")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadRequestError(f"header {line[:100]!r}")
        headers.append((name.strip(), value.strip()))
    return headers


def _read_body(stream: Stream, headers: dict[bytes, bytes]) -> bytes:
    if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        return _read_chunks(stream)
    try:
        length = int(headers.get(b"content-length", b"0"))
    except ValueError as error:
        raise BadRequestError(f"Content-Length {headers[b'content-length']!r}") from error
    if not 0 <= length <= _BODY_LIMIT:
        raise BadRequestError(f"a body of {length} bytes; the limit is {_BODY_LIMIT}")
    return stream.exactly(length)


def _read_chunks(stream: Stream) -> bytes:
    body = bytearray()
    while True:
        line = _line(stream).partition(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError as error:
            raise BadRequestError(f"chunk size {line[:100]!r}") from error
        if size < 0 or len(body) + size > _BODY_LIMIT:
            raise BadRequestError(f"a body of over {_BODY_LIMIT} bytes")
        if size == 0:
            while _line(stream):  # trailers, which nobody here reads
                pass
            return bytes(body)
        body += stream.exactly(size)
        if _line(stream):
            raise BadRequestError("a chunk is longer than it says")


def _line(stream: Stream) -> bytes:
    line = stream.until(b"\r\n", _HEAD_LIMIT)
    if line is None:
        raise BadRequestError("the body ended early")
    return line


def _environ(
    method: bytes,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    connection: socket.socket,
    peer: tuple[str, int],
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
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "rolo.headers": headers,
    }
    for name, value in headers:
        environ[_wsgi_name(name)] = value.decode("latin-1")
    environ["CONTENT_LENGTH"] = str(len(body))  # a chunked one has a length here too
    return environ


@functools.lru_cache(1024)
def _wsgi_name(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


def _respond(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> direct.Reply:
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
    kept = [f"{name}: {value}" for name, value in headers if name.lower() not in _OWN_HEADERS]
    if not any(name.lower() == "content-length" for name, _ in headers):
        kept.append(f"Content-Length: {len(body)}")
    kept.append("Connection: keep-alive" if keep_alive else "Connection: close")
    head = f"HTTP/1.1 {status}\r\n" + "\r\n".join(kept) + "\r\n\r\n"
    return head.encode("latin-1") + (body if has_body else b"")
