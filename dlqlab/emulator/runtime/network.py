"""The rules of the network that a function's process is given; what obeys them runs in it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from dlqlab.emulator import settings

MODULE = Path(__file__).with_name("function_network")
"""For Python functions; those in Node.js have an equal of their own. A folder, because beside it bytecode is kept."""
VARIABLE = "DLQLAB_NETWORK"
"""Of the process; the first code in it takes it out of the function's sight."""
_OBEYED_BY = ("python", "nodejs")


def rules(runtime: str | None, port: int, function: Mapping[str, str]) -> dict[str, str]:
    """The variable with the rules for a function; none for a runtime whose processes know nothing of it.

    Args:
        runtime: as declared.
        port: the emulator's.
        function: its variables, of which EDGE_PORT may be another port on which it expects LocalStack.
    """
    if not (runtime or "").startswith(_OBEYED_BY):
        return {}
    allowed = [one for one in os.environ.get(settings.ALLOW_NETWORK, "").split(",") if one]
    edge = function.get("EDGE_PORT", "")
    ports = [int(edge)] if edge.isdecimal() else []
    given = {"port": port, "ports": ports, "allow": allowed, "plain": settings.RESPONSES_PATH}
    return {VARIABLE: json.dumps(given)}


def hosts(machines: str) -> str:
    """The table of hosts for functions: this machine's and LocalStack's names, which lead to loopback."""
    names = ("localstack", "host.docker.internal", "localhost.localstack.cloud")
    services = [f"{service}.localhost.localstack.cloud" for service in settings.SERVICES]
    regional = [f"{service}.{settings.REGION}.localhost.localstack.cloud" for service in settings.SERVICES]
    return machines.rstrip("\n") + "\n127.0.0.1 " + "\n127.0.0.1 ".join([*names, *services, *regional]) + "\n"
