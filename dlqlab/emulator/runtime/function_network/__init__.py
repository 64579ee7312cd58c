"""What a Python function can reach: this machine, the emulator by every name LocalStack has, and what is allowed.

Runs in function processes, on every Python that functions run on, before their code. It stands around ``getaddrinfo``
and the connecting methods of sockets, so that asyncio, urllib3 and all that connect in Python go through it; what
connects in compiled code (libcurl, gRPC, database drivers in C) does not, nor does a process that the function starts.

Names that mean LocalStack, and the ports on which projects expect it, lead to this emulator. Anything outside of
loopback that is not allowed is refused at once, as a host that refuses the connection, with a line in the log.
"""

import errno
import fnmatch
import functools
import json
import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VARIABLE = "DLQLAB_NETWORK"
"""JSON with ``port``, the emulator's; ``ports``, further ones that mean it; ``allow``, a list of HOST:PORT."""
_EMULATOR_NAMES = ("localstack", "localhost.localstack.cloud", "host.docker.internal")
_BELOW = ".localhost.localstack.cloud"
_EDGE_PORT = 4566
_SERVICE_PORTS = range(4510, 4600)
"""Of LocalStack's external services (4510-4559), and of single services in its early versions (4567-4597)."""
_LOOPBACK = "127.0.0.1"
_INET = (socket.AF_INET, socket.AF_INET6)


class Network:
    """The rules of one function process."""

    def __init__(self, port: int, ports: "list[int]", allow: "list[str]") -> None:
        self._port = port
        self._ports = {_EDGE_PORT, *ports}
        self._allow = [tuple(one.rpartition(":")[::2]) for one in allow]
        self._names: dict[str, set[str]] = {}
        self._told: set[str] = set()

    def place(self, host: "Any", port: "Any") -> "tuple[Any, Any]":
        """Where an address leads: the emulator's own for one that means LocalStack, otherwise as it is.

        Raises:
            ConnectionRefusedError: it is outside of this machine and not allowed.
        """
        name = _text(host)
        number = int(port) if str(port).isdecimal() else None
        if _means_emulator(name):
            is_emulators = number in self._ports or number in _SERVICE_PORTS
            return _LOOPBACK, self._port if is_emulators else port
        if _is_local(name):
            return host, self._port if number in self._ports else port
        self._check(name, number)
        return host, port

    def resolved(self, host: "Any", addresses: "list[Any]") -> None:
        """Remember which names addresses belong to: what is allowed by name is connected to by address."""
        name = _text(host)
        if name and not _is_local(name):
            for found in addresses:
                self._names.setdefault(found[4][0], set()).add(name)

    def _check(self, host: str, port: "int | None") -> None:
        for name in {host, *self._names.get(host, ())}:
            for allowed, number in self._allow:
                if fnmatch.fnmatchcase(name, allowed.strip("[]").lower()) and (
                    port is None or number in {"*", str(port)}
                ):
                    return
        where = f"{f'[{host}]' if ':' in host else host}:{'*' if port is None else port}"
        text = (
            f"{where} is outside of this machine, and functions may not reach it: to allow it, give "
            f'[network] allow = ["{where}"] in dlqlab.toml or dlqlab up --allow-network {where}'
        )
        if where not in self._told:
            self._told.add(where)
            sys.stderr.write(f"[dlqlab] refused: {text}\n")
            sys.stderr.flush()
        raise ConnectionRefusedError(errno.ECONNREFUSED, text)


def _text(host: "Any") -> str:
    if host is None:
        return ""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return text.lower().rstrip(".").partition("%")[0]


def _means_emulator(name: str) -> bool:
    return name in _EMULATOR_NAMES or name.endswith(_BELOW)


@functools.lru_cache(256)
def _is_local(name: str) -> bool:
    """Loopback, this machine's own name, and the address of no host, with which sockets are bound or made ready."""
    if name in {"", "localhost", "<broadcast>", "0.0.0.0", "::", "::1"}:  # noqa: S104  (compared, not bound)
        return True
    return (
        name.startswith(("127.", "::ffff:127."))
        or name.endswith(".localhost")
        or name == socket.gethostname().lower().rstrip(".")
    )


def _is_address(name: str) -> bool:
    for family in _INET:
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False


def install() -> None:
    """Put the rules of the environment in force, and take them out of it; without any, nothing happens."""
    given = os.environ.pop(VARIABLE, "")
    if given:
        rules = json.loads(given)
        _around_names(Network(rules["port"], rules["ports"], rules["allow"]))


def _around_names(network: Network) -> None:
    getaddrinfo, gethostbyname, gethostbyname_ex = socket.getaddrinfo, socket.gethostbyname, socket.gethostbyname_ex

    @functools.wraps(getaddrinfo)
    def looked_up(host: "Any", port: "Any", *args: "Any", **options: "Any") -> "Any":
        if not _is_address(_text(host)):  # of an address nothing is asked; connecting to it comes to the rules
            asked = host
            host, port = network.place(host, port)
            found = getaddrinfo(host, port, *args, **options)
            network.resolved(asked, found)
            return found
        return getaddrinfo(host, port, *args, **options)

    def named(function: "Any") -> "Any":
        @functools.wraps(function)
        def by_name(host: "Any") -> "Any":
            return function(host if _is_address(_text(host)) else network.place(host, None)[0])

        return by_name

    socket.getaddrinfo = looked_up
    socket.gethostbyname = named(gethostbyname)
    socket.gethostbyname_ex = named(gethostbyname_ex)
    _around_sockets(network)


def _around_sockets(network: Network) -> None:
    def moved(sock: "Any", address: "Any") -> "Any":
        if sock.family not in _INET or not isinstance(address, tuple) or len(address) < 2:  # noqa: PLR2004  (host, port)
            return address
        host, port = network.place(address[0], address[1])
        return (host, port, *address[2:])

    def wrapped(method: "Any") -> "Any":
        @functools.wraps(method)
        def with_address(self: "Any", address: "Any") -> "Any":
            return method(self, moved(self, address))

        return with_address

    def sendto(self: "Any", data: "Any", *args: "Any") -> "Any":
        return send_to(self, data, *args[:-1], moved(self, args[-1])) if args else send_to(self, data)

    def sendmsg(self: "Any", buffers: "Any", ancdata: "Any" = (), flags: int = 0, address: "Any" = None) -> "Any":
        return send_message(self, buffers, ancdata, flags, address if address is None else moved(self, address))

    kind: Any = socket.socket
    send_to, send_message = kind.sendto, kind.sendmsg
    kind.connect, kind.connect_ex = wrapped(kind.connect), wrapped(kind.connect_ex)
    kind.sendto, kind.sendmsg = functools.wraps(send_to)(sendto), functools.wraps(send_message)(sendmsg)
