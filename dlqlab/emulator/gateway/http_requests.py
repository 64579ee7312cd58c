"""Requests as they come over a connection: head, headers and body, each within a limit."""

import os
import re
import tempfile
from collections.abc import Mapping
from io import BytesIO
from socket import socket
from typing import IO

from dlqlab.emulator import settings
from dlqlab.emulator.gateway.refusals import BadRequestError, TooLargeError

CHUNK = 64 * 1024
HEAD_LIMIT = 64 * 1024
HEADERS_LIMIT = 200
BODY_LIMIT = 80 * 1024 * 1024
"""More than any API but S3 takes, so that the API itself refuses what is over its own limit, with its own error."""
S3_BODY_LIMIT = 5 * 1024**3
"""Of one PutObject or UploadPart ("Amazon S3 multipart upload limits")."""
_IN_MEMORY = 8 * 1024 * 1024
_LENGTH_DIGITS_MAX = 18
_FIRST_BYTES = frozenset(b"\r\n" + bytes(range(0x21, 0x7F)))
_TLS_HANDSHAKE = 0x16
_SIGNED_FOR_S3 = re.compile(rb"/s3/aws4_request|%2Fs3%2Faws4_request|[?&]AWSAccessKeyId=|^AWS [^:]+:", re.IGNORECASE)

Headers = Mapping[bytes, bytes]
"""By their names in lower case."""

Body = bytes | IO[bytes]
"""A file where it is an object of S3 that is too large for memory; whoever gets it closes it."""


class Stream:
    """What arrives at a connection."""

    def __init__(self, connection: socket) -> None:
        self.connection = connection
        self._buffer = bytearray()

    def head(self) -> bytes | None:
        """The head of the next request; None when the other side is done.

        Raises:
            BadRequestError: what comes is not HTTP, which its first byte tells, or has no end within the limit.
        """
        if not self._buffer and not self._receive():
            return None
        first = self._buffer[0]
        if first not in _FIRST_BYTES:  # at once: a client that speaks another protocol would wait for an answer
            if first == _TLS_HANDSHAKE:
                raise BadRequestError("a TLS handshake, but this port speaks plain HTTP: use http:// and not https://")
            raise BadRequestError(f"no HTTP: {bytes(self._buffer[:20])!r}")
        return self.until(b"\r\n\r\n", HEAD_LIMIT)

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

    def copy(self, size: int, sink: IO[bytes]) -> None:
        """So many bytes into a file, a piece at a time.

        Raises:
            BadRequestError: the other side is done before.
        """
        while size:
            if not self._buffer and not self._receive():
                raise BadRequestError(f"ended {size} bytes early")
            piece = self._take(min(size, len(self._buffer)), 0)
            sink.write(piece)
            size -= len(piece)

    def buffered(self) -> bytes:
        """What has been received and not taken."""
        return self._take(len(self._buffer), 0)

    def _receive(self) -> bool:
        chunk = self.connection.recv(CHUNK)
        self._buffer += chunk
        return bool(chunk)

    def _take(self, size: int, mark: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[: size + mark]
        return taken


def request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Method, target and version.

    Raises:
        BadRequestError: it is not of HTTP/1.
    """
    parts = line.split()
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):  # noqa: PLR2004  (method, target, version)
        raise BadRequestError(f"request line {line[:100]!r}")
    return parts[0], parts[1], parts[2]


def read_headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Names and values as they came.

    Raises:
        BadRequestError: there are too many, or one has no colon.
    """
    if len(lines) > HEADERS_LIMIT:
        raise BadRequestError(f"{len(lines)} headers; the limit is {HEADERS_LIMIT}")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise BadRequestError(f"header {line[:100]!r}")
        headers.append((name.strip(), value.strip()))
    return headers


def read_body(stream: Stream, target: bytes, headers: Headers) -> Body:
    """The body, whole.

    Raises:
        BadRequestError: it ends early, or its length makes no sense.
        TooLargeError: it is larger than any API takes.
    """
    if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        return _chunked(stream, target, headers)
    given = headers.get(b"content-length", b"0")
    if not given.isdigit() or len(given) > _LENGTH_DIGITS_MAX:
        raise BadRequestError(f"Content-Length {given[:100]!r}")
    length = int(given)
    if length <= BODY_LIMIT:
        return stream.exactly(length)
    if not _is_for_s3(target, headers) or length > S3_BODY_LIMIT:
        raise TooLargeError(target, headers, f"a body of {length} bytes")
    file = _file()
    stream.copy(length, file)
    file.seek(0)
    return file


def _chunked(stream: Stream, target: bytes, headers: Headers) -> Body:
    for_s3 = _is_for_s3(target, headers)
    limit = S3_BODY_LIMIT if for_s3 else BODY_LIMIT
    sink = _file() if for_s3 else BytesIO()
    size = 0
    while chunk := _chunk_size(stream):
        size += chunk
        if size > limit:
            raise TooLargeError(target, headers, f"a body of over {limit} bytes")
        stream.copy(chunk, sink)
        if _line(stream):
            raise BadRequestError("a chunk is longer than it says")
    while _line(stream):  # trailers, which nobody here reads
        pass
    if isinstance(sink, BytesIO):
        return sink.getvalue()
    sink.seek(0)
    return sink


def _chunk_size(stream: Stream) -> int:
    line = _line(stream).partition(b";")[0].strip()
    try:
        size = int(line, 16)
    except ValueError as error:
        raise BadRequestError(f"chunk size {line[:100]!r}") from error
    if size < 0:
        raise BadRequestError(f"chunk size {line[:100]!r}")
    return size


def _line(stream: Stream) -> bytes:
    line = stream.until(b"\r\n", HEAD_LIMIT)
    if line is None:
        raise BadRequestError("the body ended early")
    return line


def _is_for_s3(target: bytes, headers: Headers) -> bool:
    """Whether the request is signed for S3, in its headers or, as a presigned URL, in its target."""
    return bool(
        _SIGNED_FOR_S3.search(headers.get(b"authorization", b"")) or _SIGNED_FOR_S3.search(target.partition(b"?")[2])
    )


def _file() -> IO[bytes]:
    """In memory as long as it is small; else among the emulator's own files, where it has no name."""
    return tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=os.environ.get(settings.STATE_DIR))
