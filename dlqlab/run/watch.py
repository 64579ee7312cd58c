"""What a run rests on is watched: when one of these ends, the run stops at once and says what ended, how and when.

The watch looks on a thread of its own and interrupts the main thread, wherever that waits: without the emulator a load
would run on to its end against nothing, and a drain would wait for its whole deadline.
"""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from dlqlab.contracts.rundir import RunDir
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import PartEndedError
from dlqlab.exits import told
from dlqlab.progress import Phases

INTERVAL_S = 0.25
LAST_LOOK_S = 0.5
"""After an error: how long until a process that was killed can be seen to be gone."""
_LOOK_AGAIN_S = 0.05
FREE_MIN_BYTES = 64 * 1024 * 1024
"""Less than this on a disk that evidence is written to is the end of it: files would be cut off at any moment."""

type Look = Callable[[], str | None]
"""How something ended, for a sentence after its name; None while it is well."""


@dataclass(frozen=True, slots=True)
class _Part:
    look: Look
    log: Path | None


@dataclass(frozen=True, slots=True)
class _Ending:
    what: str
    how: str
    log: Path | None
    ended_ts: float
    phase: str


class _Interrupt(BaseException):
    """Unwinds the main thread; no ``except Exception`` of a library may take it for a failed request."""


class Watch:
    """Watches parts from its start to its end, as a context manager.

    ``phase`` names what the run is doing. Outside of the main thread, which alone can be interrupted, an ending is
    raised when the block is left.
    """

    def __init__(
        self, phase: Callable[[], str], *, interval_s: float = INTERVAL_S, last_look_s: float = LAST_LOOK_S
    ) -> None:
        self._phase = phase
        self._interval_s = interval_s
        self._last_look_s = last_look_s
        self._parts: dict[str, _Part] = {}
        self._ending: _Ending | None = None
        self._armed = False
        self._entered, self._leaving = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._main = threading.main_thread()
        self._interrupts = threading.current_thread() is self._main

    def add(self, what: str, look: Look, *, log: Path | None = None) -> None:
        """Watch one more part. ``log`` is the file whose last lines say why it ended."""
        with self._lock:
            self._parts[what] = _Part(look, log)

    def __enter__(self) -> Self:
        if self._interrupts:
            self._handler = signal.signal(signal.SIGUSR1, self._on_signal)
        try:
            self._thread.start()
            self._armed = True
            self._entered.set()
        except _Interrupt as error:  # something ended at once: the block is not begun, and its end comes now
            self.__exit__(type(error), error, error.__traceback__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever error came first, the end of a part is the reason for it.

        Raises:
            PartEndedError: a part has ended.
        """
        with suppress(_Interrupt):  # it may come until this line is through
            self._armed = False
        self._leaving.set()
        self._thread.join()
        if isinstance(error, Exception) and self._ending is None:
            self._look_again()
        if self._interrupts:
            signal.signal(signal.SIGUSR1, self._handler)
        if self._ending is not None and not isinstance(error, KeyboardInterrupt):
            cause = None if isinstance(error, _Interrupt) else error
            raise PartEndedError(self._told(self._ending)) from cause

    def _watch(self) -> None:
        self._entered.wait()
        while not self._leaving.wait(self._interval_s):
            if self._look():
                if self._armed and self._interrupts and self._main.ident is not None:
                    signal.pthread_kill(self._main.ident, signal.SIGUSR1)
                return

    def _look(self) -> bool:
        with self._lock:
            parts = dict(self._parts)
        for what, part in parts.items():
            how = part.look()
            if how is not None:
                self._ending = _Ending(what, how, part.log, time.time(), self._phase())
                return True
        return False

    def _look_again(self) -> None:
        """An error may be quicker than the watch: a connection is reset before its process is gone."""
        deadline = time.monotonic() + self._last_look_s
        while not self._look() and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)

    @staticmethod
    def _told(ending: _Ending) -> str:
        return told(ending.what, ending.how, phase=ending.phase, ended_ts=ending.ended_ts, log=ending.log)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise _Interrupt


@contextmanager
def watching(phases: Phases, run: RunDir, emulator: Emulator | None) -> Iterator[Watch]:
    """The watch of a run: its emulator, where that is ours to see, and the disk that its evidence goes to.

    Raises:
        PartEndedError: one of them ended within the block.
    """
    watch = Watch(lambda: phases.current)
    if emulator:
        watch.add("the emulator", lambda: lifecycle.ending(emulator), log=emulator.log_path)
    watch.add(f"the disk of {run.path}", disk_space(run.path))
    with watch:
        yield watch


def disk_space(folder: Path, *, free_min_bytes: int = FREE_MIN_BYTES) -> Look:
    """Whether evidence can still be written to a folder."""

    def look() -> str | None:
        free = shutil.disk_usage(folder).free
        if free >= free_min_bytes:
            return None
        return f"is used up: {free / 1e6:.0f} MB are free, a run needs {free_min_bytes / 1e6:.0f} MB at any moment"

    return look
