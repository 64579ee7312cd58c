"""The option that says which emulator a command is about, and how one is found where it is not given."""

import time
from collections.abc import Sequence
from typing import Any

import click

from dlqlab.emulator import lifecycle
from dlqlab.emulator.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.errors import UsageError

AUTO = 0
"""What ``--port auto`` stands for: any free port."""
_NONE_RUNS = "no emulator of this checkout runs"
_START = "start one with dlqlab up, or give --target URL for one that is not of this checkout"


class Port(click.ParamType[int]):
    """A port number; for a command that may start an emulator also ``auto``, for any free one."""

    def __init__(self, *, starts: bool = False) -> None:
        self._starts = starts
        self.name = "port|auto" if starts else "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "auto" and self._starts:
            return AUTO
        if value == "auto":
            self.fail("auto is for up and run, which start one: give the port, or leave --port out", param, ctx)
        try:
            port = int(value)
        except ValueError:
            port = -1
        if not 1 <= port <= 65535:  # noqa: PLR2004
            self.fail(f"{value!r} is not a port: give 1 to 65535{', or auto' if self._starts else ''}", param, ctx)
        return port


PORT = click.option(
    "--port", type=Port(), default=None, help="The emulator's port; default: the one emulator of this checkout."
)


def running(port: int | None) -> Emulator:
    """The emulator on the port; without a port the one that runs.

    One that was started to stay comes before those of runs under way, which end by themselves.

    Raises:
        UsageError: none of this checkout runs there, or several do and none was chosen.
    """
    if port is not None:
        found = lifecycle.find(port)
        if found is None:
            others = lifecycle.find_all()
            elsewhere = f"; there is\n{listed(others)}" if others else f": {_START}"
            raise UsageError(f"{_NONE_RUNS} on port {port}{elsewhere}")
        return found
    every = lifecycle.find_all()
    if not every:
        raise UsageError(f"{_NONE_RUNS}: {_START}")
    return the_one([emulator for emulator in every if emulator.bound_to is None] or every)


def for_run(port: int | None) -> int:
    """The port that a run uses: of the emulator that runs, or where it starts one; AUTO for any free one.

    Raises:
        UsageError: several emulators run and none was chosen, or the one on this port belongs to a run under way.
    """
    if port is None:
        staying = [emulator for emulator in lifecycle.find_all() if emulator.bound_to is None]
        return the_one(staying).port if staying else DEFAULT_PORT
    taken = lifecycle.find(port) if port != AUTO else None
    if taken is not None and taken.bound_to is not None:
        raise UsageError(
            f"the emulator on port {port} belongs to process {taken.bound_to}, such as another run, whose queues a run "
            "would empty: give --port auto"
        )
    return port


def the_one(emulators: Sequence[Emulator], how: str = "say which with --port") -> Emulator:
    """The only one; ``how`` another is to be chosen.

    Raises:
        UsageError: there are several; lists them.
    """
    if len(emulators) > 1:
        raise UsageError(f"{len(emulators)} emulators of this checkout run: {how}\n{listed(emulators)}")
    return emulators[0]


def listed(emulators: Sequence[Emulator]) -> str:
    """A line for each: how to choose it, its process, since when."""
    return "\n".join(f"  --port {emulator.port:<5}  {described(emulator)}" for emulator in emulators)


def described(emulator: Emulator) -> str:
    """``pid 4711, since 14:03:22 (12 min)``."""
    since = time.strftime("%H:%M:%S", time.localtime(emulator.created_ts))
    age_s = max(0.0, time.time() - emulator.created_ts)
    age = f"{age_s:.0f} s" if age_s < 120 else f"{age_s / 60:.0f} min" if age_s < 7200 else f"{age_s / 3600:.0f} h"  # noqa: PLR2004
    bound = f", ends with process {emulator.bound_to}" if emulator.bound_to is not None else ""
    return f"pid {emulator.pid}, since {since} ({age}){bound}"
