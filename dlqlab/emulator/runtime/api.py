"""The Lambda Runtime API (version 2018-06-01), server side, for one execution environment.

One conversation: the runtime asks for the next invocation, gets it, posts the result, asks again. So one listening
socket and the thread that invokes are enough; the thread talks to the runtime's socket itself, and drains the
function's output meanwhile: at once, but for the first moments, in which most invocations end, since to be woken for a
line costs more than to read it. Paths and headers: "Using the Lambda runtime API" in the AWS Lambda developer guide.
"""

import contextlib
import os
import selectors
import socket
import time

from dlqlab.emulator.runtime.inbox import Inbox, ProtocolError, RuntimeRequest
from dlqlab.emulator.runtime.output import OutputReader

PREFIX = "/2018-06-01/runtime"
NEXT = f"{PREFIX}/invocation/next"
INIT_ERROR = f"{PREFIX}/init/error"
_OUTPUT_WAITS_S = 0.015
"""So long a line may wait to be read, and with it its time stamp be late, at the start of an invocation."""
_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
}


class RuntimeGoneError(Exception):
    """The function process ended, or was ended, in the middle of the conversation."""


class RuntimeTimeoutError(Exception):
    """The deadline passed before the runtime asked or answered."""


class RuntimeApi:
    """Listens on a loopback port of its own and serves one function process."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        self._listener.setblocking(False)
        self._runtime = selectors.DefaultSelector()
        self._runtime.register(self._listener, selectors.EVENT_READ)
        self._all = selectors.DefaultSelector()  # the same and the output
        self._all.register(self._listener, selectors.EVENT_READ)
        self._inboxes: dict[socket.socket, Inbox] = {}
        self._asking: socket.socket | None = None
        self._output: OutputReader | None = None
        self._pidfd: int | None = None
        self._beside: dict[int, OutputReader | None] = {}  # of extensions: their output, and None for their end
        self._ended = False

    @property
    def address(self) -> str:
        """host:port, the value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def attach(self, output: OutputReader, pid: int | None = None) -> None:
        """Watch a new function process: its output is drained while the API waits, and its end ends the wait.

        Args:
            pid: of the process. Where the system can watch it (Linux), its end is seen although something that it
                started still holds its output.
        """
        self.detach_function()
        self._output = output
        self._all.register(output.fd, selectors.EVENT_READ)
        if pid is not None and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # it has ended, or the kernel is older: the output's end tells
                self._pidfd = os.pidfd_open(pid)
                self._all.register(self._pidfd, selectors.EVENT_READ)

    def watch(self, output: OutputReader, pid: int) -> None:
        """Drain the output of a process beside the function's too, and have its end end the wait, where it shows."""
        self._beside[output.fd] = output
        self._all.register(output.fd, selectors.EVENT_READ)
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # as above
                pidfd = os.pidfd_open(pid)
                self._beside[pidfd] = None
                self._all.register(pidfd, selectors.EVENT_READ)

    def detach(self) -> None:
        """Forget the process and those beside it: their connections and their output."""
        for fd, beside in self._beside.items():
            if fd in self._all.get_map():
                self._all.unregister(fd)
            if beside is None:
                os.close(fd)
        self._beside.clear()
        for connection in list(self._inboxes):
            self._drop(connection)
        self.detach_function()

    def detach_function(self) -> None:
        """Forget the process and its output, and go on serving those beside it."""
        if self._pidfd is not None:
            self._all.unregister(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._output is not None:
            if self._output.fd in self._all.get_map():
                self._all.unregister(self._output.fd)
            self._output = None

    def refuse_waiting(self) -> None:
        """Drop connections that nobody has looked at yet: what an ended process sent is none of the next one's."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # none is left, or the API is closed
                return
            connection.close()

    def close(self) -> None:
        self.detach()
        self._runtime.close()
        self._all.close()
        self._listener.close()

    def end(self) -> None:
        """Let the thread that waits here, and each that comes, go with RuntimeGoneError; from any thread."""
        self._ended = True
        with contextlib.suppress(OSError):  # closed: then nobody waits
            socket.create_connection(self._listener.getsockname()[:2], timeout=1).close()  # what wakes the selectors

    def receive(self, deadline: float) -> RuntimeRequest:
        """The next request of the runtime, waiting until ``deadline`` (monotonic seconds).

        Raises:
            RuntimeTimeoutError: nothing arrived in time.
            RuntimeGoneError: the process ended, or ``end`` was called. Where its end cannot be watched, that it closed
                its output says so.
            ProtocolError: the request is not HTTP.
        """
        output_waits_until = time.monotonic() + _OUTPUT_WAITS_S
        while True:
            if self._ended:
                raise RuntimeGoneError("the environment was ended")
            if (request := self._take()) is not None:
                return request
            now = time.monotonic()
            if now < min(output_waits_until, deadline):
                self._wait(self._runtime, min(output_waits_until, deadline) - now)
            elif not self._wait(self._all, max(0.0, deadline - now)):
                raise RuntimeTimeoutError

    def _take(self) -> RuntimeRequest | None:
        """A request that is here whole."""
        for connection, inbox in list(self._inboxes.items()):
            try:
                request = inbox.take()
            except ProtocolError as error:
                self._break_off(connection, inbox, error)
                continue
            if request is not None:
                self._asking = connection
                return request
        return None

    def _break_off(self, connection: socket.socket, inbox: Inbox, error: ProtocolError) -> None:
        """End a connection that speaks no HTTP and never has to do with functions: whatever looks at a machine's ports
        connects to this one too, and must not fail an invocation.

        Raises:
            ProtocolError: it is the function's.
        """
        if inbox.is_of_function:
            raise error
        self._drop(connection)

    def refuse(self, status: int) -> None:
        """Answer a request that is none of an API's here, if whoever sent it still waits for that."""
        with contextlib.suppress(RuntimeGoneError):
            self.answer(status)

    def hold(self) -> socket.socket:
        """Keep the request received last, to answer it later: the connection that it came by."""
        if self._asking is None:
            raise ProtocolError("there is no request to keep")
        connection, self._asking = self._asking, None
        return connection

    def has_hung_up(self, connection: socket.socket) -> bool:
        """Whether the other side sends no more: the process has ended or is about to, or its client says so early."""
        try:
            return not connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:  # nothing lies there, as it should be
            return False
        except OSError:
            return True

    def answer(
        self,
        status: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        connection: socket.socket | None = None,
    ) -> None:
        """Answer the request received last, or the one that was kept of a connection."""
        connection = connection or self.hold()
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
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
            elif key.fileobj == self._pidfd:
                gone = True
            elif key.fd in self._beside:
                gone = self._is_end_beside(key.fd) or gone
            elif self._output is not None:
                gone = self._drain(self._output) or gone
        # The process may have posted its result just before it ended: what it sent counts first.
        if gone and not self._has_request():
            raise RuntimeGoneError("the process has ended")
        return bool(events)

    def _drain(self, output: OutputReader) -> bool:
        """Take what was printed; whether it says that the process is gone, which may also close it and go on."""
        output.drain()
        if output.closed and self._pidfd is not None:
            self._all.unregister(output.fd)
            return False
        return output.closed

    def _is_end_beside(self, fd: int) -> bool:
        """Take what an extension printed; whether it has ended."""
        output = self._beside[fd]
        if output is not None:
            output.drain()
        if output is None or output.closed:
            self._all.unregister(fd)  # told once
        return output is None

    def _has_request(self) -> bool:
        """Whether a whole request lies here, or in the connections of a process that has ended."""
        for connection, inbox in list(self._inboxes.items()):
            try:
                while not inbox.is_complete() and self._read(connection):
                    pass
                if inbox.is_complete():
                    return True
            except ProtocolError as error:
                self._break_off(connection, inbox, error)
        return False

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        # Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms an invocation.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._inboxes[connection] = Inbox()
        self._runtime.register(connection, selectors.EVENT_READ)
        self._all.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> bool:
        """Take what one connection has; whether it had anything."""
        try:
            chunk = connection.recv(262_144)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""  # a reset is the same to us as an orderly end
        if not chunk:
            self._drop(connection)
            return False
        inbox = self._inboxes[connection]
        try:
            inbox.add(chunk)
        except ProtocolError as error:
            self._break_off(connection, inbox, error)
            return False
        return True

    def _drop(self, connection: socket.socket) -> None:
        if self._inboxes.pop(connection, None) is not None:
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
