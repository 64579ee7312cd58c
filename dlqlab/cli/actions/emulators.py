"""Which emulator a command is about, where its port is not given."""

import time
from collections.abc import Sequence

from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT, Emulator
from dlqlab.errors import UsageError

_NONE_RUNS = "no emulator of this project runs"
_START = "start one with dlqlab up, or give --target URL for one that is not of this project"


def running(port: int | None) -> Emulator:
    """The emulator on the port; without a port the one that runs.

    One that was started to stay comes before those of runs under way, which end by themselves.

    Raises:
        UsageError: none of this project runs there, or several do and none was chosen.
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
    """The port that a run uses: of the emulator that runs, or where it starts one; ANY_PORT for any free one.

    Raises:
        UsageError: several emulators run and none was chosen, or the one on this port belongs to a run under way.
    """
    if port is None:
        staying = [emulator for emulator in lifecycle.find_all() if emulator.bound_to is None]
        return the_one(staying).port if staying else DEFAULT_PORT
    taken = lifecycle.find(port) if port != ANY_PORT else None
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
        raise UsageError(f"{len(emulators)} emulators of this project run: {how}\n{listed(emulators)}")
    return emulators[0]


def listed(emulators: Sequence[Emulator]) -> str:
    """A line for each: how to choose it, its process, since when."""
    return "\n".join(f"  --port {emulator.port:<5}  {described(emulator)}" for emulator in emulators)


def described(emulator: Emulator) -> str:
    """``pid 4711, since 14:03:22 (12 min)``."""
    since = time.strftime("%H:%M:%S", time.localtime(emulator.created_ts))
    age_s = max(0.0, time.time() - emulator.created_ts)
    age = _age(age_s)
    bound = f", ends with process {emulator.bound_to}" if emulator.bound_to is not None else ""
    return f"pid {emulator.pid}, since {since} ({age}){bound}"


def _age(age_s: float) -> str:
    """Whole seconds, minutes or hours, the largest of which there are two."""
    size_s, unit = next((each for each in ((3600, "h"), (60, "min")) if age_s >= 2 * each[0]), (1, "s"))
    return f"{age_s / size_s:.0f} {unit}"
