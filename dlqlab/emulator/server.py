"""LocalStack's gateway behind a plain threaded HTTP/1.1 server: one thread per kept-alive connection.

A LocalStack request is Python code that blocks; an event loop in front of worker threads only adds hand-offs. It also
binds to the address it was told, where LocalStack's own server listens on all interfaces. Chosen by
``GATEWAY_SERVER=threaded``.
"""

import contextlib
import io
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from localstack import config
from localstack.runtime.server import RuntimeServer
from rolo.gateway import Gateway
from rolo.gateway.wsgi import WsgiGateway

_LOG = logging.getLogger(__name__)
_LINE_LIMIT = 64 * 1024
_HEADERS_LIMIT = 200
_BODY_LIMIT = 64 * 1024 * 1024


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
    with connection, connection.makefile("rb") as stream:
        try:
            while _serve_one(connection, stream, peer, application):
                pass
        except BadRequestError as error:
            _send(connection, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            _LOG.warning("refused a request: %s", error)
        except OSError as error:
            _LOG.debug("connection ended: %s", error)


def _serve_one(connection: socket.socket, stream: BinaryIO, peer: tuple[str, int], application: WsgiGateway) -> bool:
    """Answer one request; returns whether another may follow on this connection."""
    line = stream.readline(_LINE_LIMIT)
    if not line.strip():
        return False
    method, target, version = _request_line(line)
    headers = _read_headers(stream)
    by_name = {name.lower(): value for name, value in headers}
    if by_name.get(b"expect", b"").lower() == b"100-continue":
        _send(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _read_body(stream, by_name)
    keep_alive = version == b"HTTP/1.1" and by_name.get(b"connection", b"").lower() != b"close"
    environ = _environ(method, target, headers, body, connection, peer)
    _send(connection, _respond(application, environ, keep_alive=keep_alive, has_body=method != b"HEAD"))
    return keep_alive


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split()
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):  # noqa: PLR2004  (method, target, version)
        raise BadRequestError(f"request line {line[:100]!r}")
    return parts[0], parts[1], parts[2]


def _read_headers(stream: BinaryIO) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    while True:
        line = stream.readline(_LINE_LIMIT)
        if line in {b"\r\n", b"\n"}:
            return headers
        name, colon, value = line.partition(b":")
        if not colon or len(headers) >= _HEADERS_LIMIT:
            raise BadRequestError(f"header {line[:100]!r}")
        headers.append((name.strip(), value.strip()))


def _read_body(stream: BinaryIO, headers: dict[bytes, bytes]) -> bytes:
    if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        return _read_chunks(stream)
    try:
        length = int(headers.get(b"content-length", b"0"))
    except ValueError as error:
        raise BadRequestError(f"Content-Length {headers[b'content-length']!r}") from error
    if not 0 <= length <= _BODY_LIMIT:
        raise BadRequestError(f"a body of {length} bytes; the limit is {_BODY_LIMIT}")
    body = stream.read(length)
    if len(body) < length:
        raise BadRequestError("the body ended early")
    return body


def _read_chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while True:
        line = stream.readline(_LINE_LIMIT).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError as error:
            raise BadRequestError(f"chunk size {line[:100]!r}") from error
        if size < 0 or len(body) + size > _BODY_LIMIT:
            raise BadRequestError(f"a body of over {_BODY_LIMIT} bytes")
        if size == 0:
            _read_headers(stream)  # trailers, which nobody here reads
            return bytes(body)
        body += stream.read(size)
        stream.readline(_LINE_LIMIT)


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
        "CONTENT_LENGTH": str(len(body)),
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
        key = name.decode("latin-1").upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ["CONTENT_TYPE"] = value.decode("latin-1")
        elif key != "CONTENT_LENGTH":
            environ[f"HTTP_{key}"] = value.decode("latin-1")
    return environ


def _respond(
    application: Callable[..., Iterable[bytes]], environ: dict[str, Any], *, keep_alive: bool, has_body: bool
) -> bytes:
    """The whole answer; bodies of AWS's APIs are small, so one send is the fastest way."""
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
    names = {name.lower() for name, _ in headers}
    kept = [f"{name}: {value}" for name, value in headers if name.lower() not in {"connection", "transfer-encoding"}]
    if "content-length" not in names:
        kept.append(f"Content-Length: {len(body)}")
    kept.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    head = f"HTTP/1.1 {status}\r\n" + "\r\n".join(kept) + "\r\n\r\n"
    return head.encode("latin-1") + (body if has_body else b"")


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
