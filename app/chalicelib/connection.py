"""One kept-alive HTTP/1.1 connection for calls whose bodies are small and in memory.

http.client costs three times as much a call: it looks at every header, sends head and body apart, and reads the head of
an answer with the parser for mail (docs/performance.md).
"""

import functools
import select
import socket
import ssl
from collections.abc import Mapping
from typing import BinaryIO

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0
"""With a second try, one call that hangs stays within the functions' 10 s."""

_LINE_LIMIT = 65_536
_HEADERS_LIMIT = 100
_CONTINUE, _OK, _NO_CONTENT, _NOT_MODIFIED = 100, 200, 204, 304


class ConnectError(OSError):
    """There is no connection: nothing was sent."""


class BrokenAnswerError(Exception):
    """What came back is not an answer, or not all of it: what was asked may have happened."""


class Connection:
    """A connection to one host, made at the first request and anew when the other side has ended it."""

    def __init__(self, scheme: str, host: str, port: int | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port or (443 if scheme == "https" else 80)
        self._socket: socket.socket | None = None
        self._stream: BinaryIO | None = None

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a POST; returns status and body of the answer.

        Args:
            headers: all but Content-Length, as they are to be sent.

        Raises:
            ConnectError: no connection could be made.
            TimeoutError: no answer in time.
            OSError, BrokenAnswerError: the connection broke, or what came is not an answer.
        """
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if head.count("\r\n") != len(headers) + 1 or head.count("\n") != len(headers) + 1:
            raise ValueError("a header with a line break")
        connection, stream = self._connected()
        try:
            connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body)
            status, answer, stays = _read(stream)
        except BaseException:
            self.close()  # whatever else comes over it would be taken for the answer to the next request
            raise
        if not stays:
            self.close()
        return status, answer

    def close(self) -> None:
        """End the connection. The next request makes another."""
        connection, stream, self._socket, self._stream = self._socket, self._stream, None, None
        if stream is not None:
            stream.close()
        if connection is not None:
            connection.close()

    def _connected(self) -> tuple[socket.socket, BinaryIO]:
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.close()  # the service has ended it since the last call, as each does after a while
        if self._socket is None or self._stream is None:
            self._socket = self._connect()
            self._stream = self._socket.makefile("rb")
        return self._socket, self._stream

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT_S)
        except OSError as error:
            raise ConnectError(str(error)) from error
        try:
            # Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms where a body takes two packets.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self.scheme == "https":
                connection = _tls().wrap_socket(connection, server_hostname=self.host)
            connection.settimeout(READ_TIMEOUT_S)
        except OSError as error:
            connection.close()
            raise ConnectError(str(error)) from error
        return connection


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all connections: reading every authority's certificate costs some 30 ms of CPU time."""
    return ssl.create_default_context()


def _read(stream: BinaryIO) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection stays. Framing: RFC 9112, section 6.3."""
    status = _CONTINUE
    while status < _OK:  # interim answers
        version, status = _status(_line(stream))
        headers = _headers(stream)
    stays = version == b"HTTP/1.1" and b"close" not in headers.get(b"connection", b"").lower()
    if status in {_NO_CONTENT, _NOT_MODIFIED}:
        return status, b"", stays
    if b"transfer-encoding" in headers:
        return status, _chunks(stream), stays
    if b"content-length" not in headers:
        return status, stream.read(), False
    return status, _exactly(stream, _number(headers[b"content-length"], 10)), stays


def _status(line: bytes) -> tuple[bytes, int]:
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise BrokenAnswerError(f"no status line: {line[:100]!r}")
    return version, _number(rest[:3], 10)


def _headers(stream: BinaryIO) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for _ in range(_HEADERS_LIMIT):
        line = _line(stream)
        if not line:
            return headers
        name, colon, value = line.partition(b":")
        if not colon:
            raise BrokenAnswerError(f"no header: {line[:100]!r}")
        headers[name.lower()] = value.strip()
    raise BrokenAnswerError(f"over {_HEADERS_LIMIT} headers")


def _chunks(stream: BinaryIO) -> bytes:
    body = bytearray()
    while size := _number(_line(stream).partition(b";")[0].strip(), 16):
        body += _exactly(stream, size)
        if _line(stream):
            raise BrokenAnswerError("a chunk is longer than it says")
    _headers(stream)  # trailers, which nobody here reads
    return bytes(body)


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LINE_LIMIT)
    if not line.endswith(b"\r\n"):
        raise BrokenAnswerError(f"the answer ended early: {line[:100]!r}")
    return line[:-2]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise BrokenAnswerError(f"the answer ended after {len(body)} of {size} bytes")
    return body


def _number(text: bytes, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if number < 0:
        raise BrokenAnswerError(f"no number: {text[:100]!r}")
    return number
