"""Sockets that listen, with the connections that they have accepted: closed for good, or for a while."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Collection

_BACKLOG = 256
_BIND_DEADLINE_S = 10.0
_BIND_AGAIN_S = 0.01
_ACCEPT_AGAIN_S = 0.05
_LOG = logging.getLogger(__name__)

type Peer = tuple[str, int]
"""Address and port of a client."""
type Serve = Callable[[socket.socket, Peer], None]


class Listener:
    """One socket that listens. ``serve`` answers a connection to its end, in a thread of its own."""

    def __init__(self, listening: socket.socket, serve: Serve) -> None:
        self._socket = listening
        self._serve = serve
        self._connections: dict[socket.socket, Peer] = {}
        self._lock = threading.Lock()
        self._is_open = False

    def open(self) -> None:
        """Accept connections from now on."""
        self._is_open = True
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True, name="accept").start()

    def close(self) -> None:
        """Accept none any more."""
        self._is_open = False
        with contextlib.suppress(OSError):  # macOS: it is not connected
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept(2): to close does not
        self._socket.close()

    def refuse(self, kept: Collection[Peer] = ()) -> None:
        """Refuse connections, and cut those that there are, but for those of the kept peers. The port stays ours."""
        address, family = self._socket.getsockname(), self._socket.family
        with self._lock:
            self.close()
            cut = [one for one, peer in self._connections.items() if peer not in kept]
        self._socket = _bound(family, address)
        for connection in cut:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def accept_again(self) -> None:
        """After ``refuse``."""
        self._socket.listen(_BACKLOG)
        self.open()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, peer = listening.accept()
            except OSError as error:
                if not self._is_open or listening.fileno() < 0:
                    return
                # No file descriptor is free, say: who waits is accepted once there is one.
                _LOG.warning("cannot accept a connection now: %s", error)
                time.sleep(_ACCEPT_AGAIN_S)
                continue
            with self._lock:
                if not self._is_open:
                    connection.close()
                    return
                self._connections[connection] = peer[:2]
            self._start(connection, peer[:2])

    def _start(self, connection: socket.socket, peer: Peer) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._served, args=(connection, peer), daemon=True, name="http").start()
        except (OSError, RuntimeError) as error:  # it has gone, or no thread can be had now: its client tries again
            _LOG.warning("cannot serve a connection of %s: %s", peer[0], error)
            self._forget(connection)
            connection.close()

    def _served(self, connection: socket.socket, peer: Peer) -> None:
        try:
            self._serve(connection, peer)
        finally:
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.pop(connection, None)


LISTENERS: list[Listener] = []
"""Those of this process."""


def _bound(family: socket.AddressFamily, address: Peer) -> socket.socket:
    """A socket that has the address and does not listen: whoever connects is refused, and nobody else gets the port."""
    holder = socket.socket(family)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + _BIND_DEADLINE_S
    while True:
        try:
            holder.bind(address)
        except OSError:  # the closed one may take a moment to be gone
            if time.monotonic() > deadline:
                raise
            time.sleep(_BIND_AGAIN_S)
        else:
            return holder
