"""One function process: how it is started, what it may see, and how it ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from dlqlab.emulator.core import processors
from dlqlab.emulator.runtime.filesystem import WRAPPER
from dlqlab.emulator.runtime.output import OutputReader

_KILL_WAIT_S = 5.0
_NICER = 10
"""Functions give way to the emulator, where they share a processor. All of them wait for its one interpreter lock, so
nobody gains when a function keeps the thread that holds it from running.
"""


class Lifeline:
    """A pipe that nobody writes to. Function processes hold its read end: it ends when the emulator does, however."""

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe()


class FunctionProcess:
    """A running function process with a ``/tmp`` of its own."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], lifeline: Lifeline, is_watched: bool = False
    ) -> None:
        self._is_watched = is_watched
        self._is_wrapped = bool(environment.get(WRAPPER)) and not is_watched
        read_fd, write_fd = os.pipe()
        os.set_blocking(read_fd, False)
        self.output = OutputReader(read_fd)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=write_fd,
                stderr=write_fd,
                env=dict(environment),
                pass_fds=(lifeline.read_fd,),
                start_new_session=True,  # so that what the function starts can be ended with it
            )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            os.close(write_fd)
        processors.give_all(self.pid)
        with contextlib.suppress(OSError):  # it ended at once, which shows elsewhere, or the system does not let us
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICER)

    @property
    def pid(self) -> int:
        return self._process.pid

    def peak_memory_mb(self) -> int:
        """Peak resident memory in MiB, of the largest where a wrapper stays; 0 where the system does not tell."""
        if self._is_watched:
            pids = _own_children(self.pid)
        else:
            pids = [self.pid, *_children(self.pid)] if self._is_wrapped else [self.pid]
        return max((_peak_memory_mb(pid) for pid in pids), default=0)

    def keep_to_others(self) -> None:
        """Let it have the processors that the emulator leaves."""
        for pid in (self.pid, *(_own_children(self.pid) if self._is_watched else ())):
            processors.give_others(pid)

    def has_ended(self) -> bool:
        """Whether the process is gone, whatever it started."""
        return self._process.poll() is not None

    def exit_code(self, wait_s: float = 1.0) -> int | None:
        """The process's exit code, negative for a signal; None while it runs."""
        try:
            return self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return None

    def exit_status(self, wait_s: float = 1.0) -> str:
        """How the process ended, in Lambda's words: ``exit status 1`` or ``signal: killed``."""
        code = self.exit_code(wait_s)
        if code is None:
            return "exit status unknown"
        if code >= 0:
            return f"exit status {code}"
        return f"signal: {signal.strsignal(-code) or -code}".lower()

    def signal_end(self) -> None:
        """Have the process and all that it started end at once; from any thread."""
        with contextlib.suppress(ProcessLookupError):  # already gone, which is what is wanted
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and all that it started, at once, as Lambda does."""
        self.signal_end()
        self._process.wait(_KILL_WAIT_S)
        self.output.drain()
        os.close(self.output.fd)


def _peak_memory_mb(pid: int) -> int:
    try:
        fd = os.open(f"/proc/{pid}/status", os.O_RDONLY)
    except OSError:
        return 0
    try:
        status = os.read(fd, 4096)
    finally:
        os.close(fd)
    return int(status.partition(b"VmHWM:")[2].split(None, 1)[0] if b"VmHWM:" in status else 0) // 1024


def _own_children(pid: int) -> list[int]:
    """What the first thread of a process started, at the price of reading a file; [] where the system does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _children(pid: int) -> list[int]:
    """What a process started, and what that did."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def make_tmp(parent: Path) -> Path:
    """A fresh ``/tmp`` for one execution environment."""
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="tmp-", dir=parent))


def remove_tmp(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
