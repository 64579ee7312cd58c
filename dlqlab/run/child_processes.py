"""Processes that run a part of a run each: they unwind at a signal, and none is left when their parent is done."""

import signal
from collections.abc import Iterable
from multiprocessing.context import SpawnProcess

STOP_S = 30.0


def unwind_at_signals() -> None:
    """Have SIGTERM and SIGINT raise KeyboardInterrupt in this process, once."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: object) -> None:
    """What stops the emulator must not be interrupted in turn."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def stop_all(processes: Iterable[SpawnProcess]) -> None:
    """Have them unwind, and end those that do not within ``STOP_S``: their emulators end with them."""
    for process in processes:
        if process.is_alive():
            process.terminate()
    join_all(processes)


def join_all(processes: Iterable[SpawnProcess]) -> None:
    """Wait for their ends; one that hangs is ended after ``STOP_S``."""
    for process in processes:
        if process.pid is not None:
            process.join(STOP_S)
            process.kill()  # by now a no-op, unless it hangs
            process.join()
