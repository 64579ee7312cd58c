"""The option that says which emulator a command is about."""

from typing import Any

import click

from dlqlab.emulator import lifecycle
from dlqlab.emulator.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.errors import UsageError


class Port(click.ParamType[int]):
    """A port number, or ``auto`` for any free one."""

    name = "port|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "auto":
            return 0
        try:
            port = int(value)
        except ValueError:
            port = -1
        if not 1 <= port <= 65535:  # noqa: PLR2004
            self.fail(f"{value!r} is no port: give 1 to 65535, or auto", param, ctx)
        return port


PORT = click.option("--port", type=Port(), default=str(DEFAULT_PORT), show_default=True, help="Emulator's port.")


def running(port: int) -> Emulator:
    """The emulator on the port; 0 stands for the default port.

    Raises:
        UsageError: none of this checkout runs there.
    """
    emulator = lifecycle.find(port or DEFAULT_PORT)
    if emulator is None:
        raise UsageError(f"no emulator of this checkout runs on port {port or DEFAULT_PORT}: start it with dlqlab up")
    return emulator
