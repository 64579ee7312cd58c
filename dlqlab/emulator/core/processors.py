"""Which processor is whose: one for the emulator, the others for its functions.

The emulator is one Python process, of which one thread runs at a time. Spread over processors its threads wake each
other across them, which costs more than what they do meanwhile, and functions keep them waiting. Kept to one processor,
with the functions on the others, it carries a fifth to a third more on two processors (docs/performance.md).

Linux only: elsewhere, and with a single processor, nothing is done.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import psutil

from dlqlab.emulator import settings
from dlqlab.emulator.core.isolation import isolated
from dlqlab.errors import UsageError

NONE = "none"
MODULE = "dlqlab.emulator.boot"
_all: set[int] = set()
_others: set[int] = set()


def choose(number: int = 0) -> str:
    """The processor for a new emulator, as the value of ``DLQLAB_PROCESSOR``; ``none`` for no one of its own.

    What the environment says, or else the one that fewest other emulators have.

    Args:
        number: of the cell; emulators that start at the same moment get different ones by it.

    Raises:
        UsageError: the environment names a processor that there is not.
    """
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    asked = os.environ.get(settings.PROCESSOR)
    if asked is not None:
        if asked != NONE and asked not in map(str, available):
            there = ", ".join(map(str, available)) or "none that can be told"
            raise UsageError(f"{settings.PROCESSOR} is {asked}: give {NONE}, or one of this machine's: {there}")
        return asked
    return pick(available, _taken(), number)


def pick(available: Collection[int], taken: Iterable[int], number: int) -> str:
    """The processor that fewest others have, from the one with the cell's number on; ``none`` where there is one."""
    if len(available) < 2:  # noqa: PLR2004  (one for the emulator, one for functions)
        return NONE
    ordered = sorted(available)
    start = number % len(ordered)
    held = Counter(taken)
    return str(min(ordered[start:] + ordered[:start], key=lambda processor: held[processor]))


def claim() -> None:
    """Keep this process, the emulator, to its processor, with all of its threads and those that they will start.

    Not before it has started up, which is quicker on all of them.
    """
    own = os.environ.get(settings.PROCESSOR, NONE)
    if own != NONE:
        _all.update(os.sched_getaffinity(0))
        _others.update(_all - {int(own)})
        _keep(os.getpid(), {int(own)})


def give_all(pid: int) -> None:
    """Let a function's process, which starts as bound as the emulator is, run anywhere: while it
    initialises, nobody waits for it.
    """
    if _all:
        _keep(pid, _all)


def give_others(pid: int) -> None:
    """Keep a function's process to the processors that the emulator leaves."""
    if _others:
        _keep(pid, _others)


def _keep(pid: int, wanted: set[int]) -> None:
    """All threads of a process. A thread that starts meanwhile may have followed one not yet kept: look again."""
    kept: set[str] = set()
    while new := _threads(pid) - kept:
        for thread in new:
            with isolated("processors of functions"), contextlib.suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(int(thread), wanted)
        kept |= new


def _threads(pid: int) -> set[str]:
    try:
        return {thread.name for thread in Path(f"/proc/{pid}/task").iterdir()}
    except OSError:  # it has ended
        return set()


def _taken() -> list[int]:
    """The processors that running emulators have for themselves."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if MODULE in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.Error):  # it has ended, or is another user's
                kept = process.cpu_affinity()
                found += kept if len(kept) == 1 else []
    return found
