"""What arrived over one connection of the runtime, taken apart into requests. No I/O.

A body over Lambda's limit is not kept, however large: the request then carries its size and no body.
"""

from dataclasses import dataclass, field

PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024 + 100
"""The largest result of an invocation, 6,291,556 bytes: the number in Lambda's own error message."""
_HEAD_LIMIT = 1024 * 1024 + 64 * 1024
"""AWS's runtime reports an error's message and trace in a header too, of up to 1 MiB, and leaves out a longer one."""
_DATED = "/20"
"""All addresses of Lambda's APIs for functions begin with the date of their version."""
_METHOD_BYTES = 12
"""More than any method of HTTP and the beginning of an address have."""
_LOOKS_FROM = 64 * 1024
"""So much of a request is here before its size is looked for."""


class ProtocolError(Exception):
    """The runtime sent something that is not the Runtime API."""


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """One request of the runtime."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    body_bytes: int
    """Size of the body that was sent; ``body`` is empty where that is over PAYLOAD_LIMIT_BYTES."""

    @property
    def is_too_large(self) -> bool:
        return self.body_bytes > PAYLOAD_LIMIT_BYTES


@dataclass(slots=True)
class Inbox:
    """The bytes of one connection, in the order in which they came."""

    _buffer: bytearray = field(default_factory=bytearray)
    _oversized: RuntimeRequest | None = None
    _unread: int = 0
    """Bytes of the oversized body that have yet to come."""
    _has_asked: bool = False

    @property
    def is_of_function(self) -> bool:
        """Whether it has asked, or begins to ask, for an address of Lambda's APIs."""
        return self._has_asked or f" {_DATED}".encode() in self._buffer[:_METHOD_BYTES]

    def add(self, chunk: bytes) -> None:
        """Take what arrived.

        Raises:
            ProtocolError: it is not HTTP.
        """
        if self._unread:
            dropped = min(self._unread, len(chunk))
            self._unread -= dropped
            chunk = chunk[dropped:]
        self._buffer += chunk
        if len(self._buffer) > _LOOKS_FROM and self._oversized is None:
            self._skip_oversized()

    def take(self) -> RuntimeRequest | None:
        """Take one complete request off; None while it is incomplete.

        Raises:
            ProtocolError: it is not HTTP.
        """
        if self._oversized is not None and self._unread:
            return None
        request, self._oversized = self._oversized, None
        if request is None and self._buffer:
            request = _parse(self._buffer)
        if request is not None and request.path.startswith(_DATED):
            self._has_asked = True
        return request

    def is_complete(self) -> bool:
        """Whether ``take`` would give a request."""
        if self._oversized is not None:
            return not self._unread
        head = _split_head(self._buffer)
        return head is not None and len(self._buffer) >= head[2] + _length(head[1])

    def _skip_oversized(self) -> None:
        head = _split_head(self._buffer)
        if head is None or (length := _length(head[1])) <= PAYLOAD_LIMIT_BYTES:
            return
        line, headers, start = head
        method, path = _method_and_path(line)
        self._oversized = RuntimeRequest(method, path, headers, b"", length)
        end = start + length
        self._unread = max(0, end - len(self._buffer))
        del self._buffer[:end]


def _split_head(buffer: bytearray) -> tuple[list[str], dict[str, str], int] | None:
    """Request line, headers (names in lower case) and the offset of the body; None while the head is incomplete."""
    end = buffer.find(b"\r\n\r\n", 0, _HEAD_LIMIT + 4)
    if end < 0:
        if len(buffer) > _HEAD_LIMIT:
            raise ProtocolError("a request head without an end")
        return None
    first, *rest = buffer[:end].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    return first.split(" "), headers, end + 4


def _length(headers: dict[str, str]) -> int:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        raise ProtocolError("the runtime sent a chunked body; response streaming is not supported")
    text = headers.get("content-length") or "0"
    if not text.isdecimal():
        raise ProtocolError(f"not a Content-Length: {text!r}")
    return int(text)


def _method_and_path(line: list[str]) -> tuple[str, str]:
    if len(line) != 3:  # noqa: PLR2004  (method, path, version)
        raise ProtocolError(f"not an HTTP request: {' '.join(line)!r}")
    return line[0], line[1]


def _parse(buffer: bytearray) -> RuntimeRequest | None:
    """Take one complete request off the buffer; None while it is incomplete."""
    head = _split_head(buffer)
    if head is None:
        return None
    line, headers, start = head
    length = _length(headers)
    if len(buffer) < start + length:
        return None
    method, path = _method_and_path(line)
    body = bytes(buffer[start : start + length])
    del buffer[: start + length]
    return RuntimeRequest(method, path, headers, body, length)
