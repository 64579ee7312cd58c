"""The option that says which emulator a command is about."""

from typing import Any

import click

from dlqlab.emulator.core.loopback import ANY_PORT

PORT_MAX = 65_535


class Port(click.ParamType[int]):
    """A port number; for a command that may start an emulator also ``auto``, for any free one."""

    def __init__(self, *, starts: bool = False) -> None:
        self._starts = starts
        self.name = "port|auto" if starts else "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "auto" and self._starts:
            return ANY_PORT
        if value == "auto":
            self.fail("auto is for up and run, which start one: give the port, or leave --port out", param, ctx)
        try:
            port = int(value)
        except ValueError:
            port = -1
        if not 1 <= port <= PORT_MAX:
            self.fail(f"{value!r} is not a port: give 1 to 65535{', or auto' if self._starts else ''}", param, ctx)
        return port


PORT = click.option(
    "--port", type=Port(), default=None, help="The emulator's port; default: the one emulator of this project."
)
