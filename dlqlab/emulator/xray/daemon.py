"""The X-Ray daemon, as AWS's X-Ray SDKs know it: they send it segments by UDP ("AWS X-Ray daemon" in the guide).

A datagram is a line of JSON, ``{"format": "json", "version": 1}``, and a segment document. Whoever sends one waits for
nothing, and is told nothing: a bad one is warned about once in the emulator's log.
"""

import json
import socket
import threading

from dlqlab.emulator.core.isolation import warn_once
from dlqlab.emulator.xray.sent import RefusedError, Store

LOOPBACK = "127.0.0.1"
PART = "the X-Ray daemon"
DATAGRAM_MAX_BYTES = 65_535
_HEAD = {"format": "json", "version": 1}


class Daemon:
    """Listens on a port of its own on the loopback, on a thread that sleeps while nobody sends anything."""

    def __init__(self, store: Store) -> None:
        """Raises:
        OSError: there is no port.
        """
        self._store = store
        self._is_closed = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((LOOPBACK, 0))
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True, name="dlqlab-xray")
        self._thread.start()

    def variables(self) -> dict[str, str]:
        """What tells functions where it listens ("Defined runtime environment variables", Lambda developer guide)."""
        return {
            "AWS_XRAY_DAEMON_ADDRESS": f"{LOOPBACK}:{self.port}",
            "_AWS_XRAY_DAEMON_ADDRESS": LOOPBACK,
            "_AWS_XRAY_DAEMON_PORT": str(self.port),
        }

    def close(self) -> None:
        """Listen no longer; what has arrived before is kept."""
        if self._is_closed:
            return
        self._is_closed = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (LOOPBACK, self.port))
        self._thread.join(timeout=1)
        self._socket.close()

    def _run(self) -> None:
        while not self._is_closed:
            try:
                data = self._socket.recv(DATAGRAM_MAX_BYTES)
            except OSError as error:
                if not self._is_closed:
                    warn_once(PART, "socket", "segments that functions send by UDP are lost from now on", error)
                return
            if data:
                self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            self._store.add(document_of(data), None)
        except RefusedError as error:
            warn_once(PART, "refused", f"a segment is not kept: {error.message}", error)
        except Exception as error:  # noqa: BLE001  (the next one may be good)
            warn_once(PART, "failed", f"a segment is not kept: {type(error).__name__}: {error}", error)


def document_of(data: bytes) -> str:
    """The segment document in a datagram.

    Raises:
        RefusedError: it is none of the daemon's.
    """
    head, separator, document = data.partition(b"\n")
    try:
        if separator and json.loads(head) == _HEAD:
            return document.decode()
    except (ValueError, RecursionError) as error:
        raise RefusedError(None, "ParseError", f"Invalid datagram: {error}") from error
    raise RefusedError(None, "ParseError", 'Invalid datagram: it does not begin with {"format": "json", "version": 1}')
