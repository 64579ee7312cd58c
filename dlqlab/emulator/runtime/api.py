"""The Lambda Runtime API (version 2018-06-01), server side, for one execution environment.

One conversation: the runtime asks for the next invocation, gets it, posts the result, asks again. So one listening
socket and the thread that invokes are enough; the thread talks to the runtime's socket itself, and drains the
function's output meanwhile: at once, but for the first moments, in which most invocations end, since to be woken for a
line costs more than to read it. Paths and headers: "Using the Lambda runtime API" in the AWS Lambda developer guide.
"""

import selectors
import socket
import time
from dataclasses import dataclass

from dlqlab.emulator.runtime.output import OutputReader

PREFIX = "/2018-06-01/runtime"
NEXT = f"{PREFIX}/invocation/next"
INIT_ERROR = f"{PREFIX}/init/error"
_HEAD_LIMIT = 64 * 1024
_OUTPUT_WAITS_S = 0.015
"""So long a line may wait to be read, and with it its time stamp be late, at the start of an invocation."""
_BODY_LIMIT = 8 * 1024 * 1024  # results are limited to 6 MB; an error document may be a little larger


class RuntimeGoneError(Exception):
    """The function process ended or closed its output in the middle of the conversation."""


class RuntimeTimeoutError(Exception):
    """The deadline passed before the runtime asked or answered."""


class ProtocolError(Exception):
    """The runtime sent something that is not the Runtime API."""


@dataclass(frozen=True, slots=True)
class RuntimeRequest:
    """One request of the runtime."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class RuntimeApi:
    """Listens on a loopback port of its own and serves one function process."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        self._listener.setblocking(False)
        self._runtime = selectors.DefaultSelector()
        self._runtime.register(self._listener, selectors.EVENT_READ)
        self._all = selectors.DefaultSelector()  # the same and the output
        self._all.register(self._listener, selectors.EVENT_READ)
        self._buffers: dict[socket.socket, bytearray] = {}
        self._asking: socket.socket | None = None
        self._output: OutputReader | None = None

    @property
    def address(self) -> str:
        """host:port, the value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def attach(self, output: OutputReader) -> None:
        """Watch a new function process: its output is drained while the API waits."""
        self.detach()
        self._output = output
        self._all.register(output.fd, selectors.EVENT_READ)

    def detach(self) -> None:
        """Forget the process: its connections and its output."""
        for connection in list(self._buffers):
            self._drop(connection)
        if self._output is not None:
            if self._output.fd in self._all.get_map():
                self._all.unregister(self._output.fd)
            self._output = None

    def close(self) -> None:
        self.detach()
        self._runtime.close()
        self._all.close()
        self._listener.close()

    def receive(self, deadline: float) -> RuntimeRequest:
        """The next request of the runtime, waiting until ``deadline`` (monotonic seconds).

        Raises:
            RuntimeTimeoutError: nothing arrived in time.
            RuntimeGoneError: the process closed its output, which it does by ending.
            ProtocolError: the request is not HTTP, or too large.
        """
        output_waits_until = time.monotonic() + _OUTPUT_WAITS_S
        while True:
            for connection, buffer in self._buffers.items():
                request = _parse(buffer) if buffer else None
                if request is not None:
                    self._asking = connection
                    return request
            now = time.monotonic()
            if now < min(output_waits_until, deadline):
                self._wait(self._runtime, min(output_waits_until, deadline) - now)
            elif not self._wait(self._all, max(0.0, deadline - now)):
                raise RuntimeTimeoutError

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Answer the request received last."""
        if self._asking is None:
            raise ProtocolError("there is no request to answer")
        lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Accepted'}"]  # noqa: PLR2004
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        connection, self._asking = self._asking, None
        try:
            _send(connection, "\r\n".join(lines).encode("latin-1") + body)
        except OSError as error:
            self._drop(connection)
            raise RuntimeGoneError(str(error)) from error

    def _wait(self, selector: selectors.BaseSelector, wait_s: float) -> bool:
        """Take what comes; whether anything came."""
        events = selector.select(wait_s)
        gone = False
        for key, _ in events:
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket):
                self._read(key.fileobj)
            elif self._output is not None:
                self._output.drain()
                gone = self._output.closed
        # The process may have posted its result just before it ended: what it sent counts first.
        if gone and not any(_is_complete(buffer) for buffer in self._buffers.values()):
            raise RuntimeGoneError("the process closed its output")
        return bool(events)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        # Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms an invocation.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._buffers[connection] = bytearray()
        self._runtime.register(connection, selectors.EVENT_READ)
        self._all.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            chunk = connection.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""  # a reset is the same to us as an orderly end
        if not chunk:
            self._drop(connection)
            return
        buffer = self._buffers[connection]
        buffer += chunk
        if len(buffer) > _HEAD_LIMIT + _BODY_LIMIT:
            raise ProtocolError(f"a request of over {_HEAD_LIMIT + _BODY_LIMIT} bytes")

    def _drop(self, connection: socket.socket) -> None:
        if self._buffers.pop(connection, None) is not None:
            self._runtime.unregister(connection)
            self._all.unregister(connection)
        connection.close()


def _send(connection: socket.socket, data: bytes) -> None:
    """All of it, over a connection that does not block; the runtime reads, so the rest need not wait for long."""
    try:
        sent = connection.send(data)
    except BlockingIOError:
        sent = 0
    if sent < len(data):
        connection.setblocking(True)
        connection.sendall(memoryview(data)[sent:])
        connection.setblocking(False)


def _split_head(buffer: bytearray) -> tuple[list[str], dict[str, str], int] | None:
    """Request line, headers (names in lower case) and the offset of the body; None while the head is incomplete."""
    end = buffer.find(b"\r\n\r\n")
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
    return int(headers.get("content-length") or 0)


def _is_complete(buffer: bytearray) -> bool:
    head = _split_head(buffer)
    return head is not None and len(buffer) >= head[2] + _length(head[1])


def _parse(buffer: bytearray) -> RuntimeRequest | None:
    """Take one complete request off the buffer; None while it is incomplete."""
    head = _split_head(buffer)
    if head is None:
        return None
    line, headers, start = head
    end = start + _length(headers)
    if len(buffer) < end:
        return None
    if len(line) != 3:  # noqa: PLR2004  (method, path, version)
        raise ProtocolError(f"not an HTTP request: {' '.join(line)!r}")
    body = bytes(buffer[start:end])
    del buffer[:end]
    return RuntimeRequest(line[0], line[1], headers, body)
