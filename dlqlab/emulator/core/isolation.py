"""What only observes a message or an invocation is kept from changing what happens to it.

Logs, metrics, recorders and timers run around every invocation and queue operation. Each of them runs either inside
``isolated``, where it takes no longer than a few lines of arithmetic, or as the job of a ``Worker`` where it reads,
writes, searches or calls somebody. What fails loses its own data and is warned about once for each part and reason.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from types import TracebackType

_LOG = logging.getLogger(__name__)
_REASONS_MAX = 1000
"""Places in code that can fail are few; whoever makes one up for each message must not fill the memory."""

_failures: Counter[tuple[str, str]] = Counter()
_failures_lock = threading.Lock()


class isolated:  # noqa: N801  (a context manager, read as a verb)
    """``with isolated("metrics"):`` lets no exception out. An instance may be used by many threads at a time."""

    __slots__ = ("part",)

    def __init__(self, part: str) -> None:
        """Args:
        part: what is lost when it fails, in words for the emulator's log, such as "log lines of functions".
        """
        self.part = part

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        note(self.part, error)
        return True


def note(part: str, error: Exception) -> None:
    """Warn about a failure with its trace, once for each part, kind of error and place in the code."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else ""
    warn_once(part, f"{type(error).__name__} {place}", f"{type(error).__name__}: {error}", error)


def warn_once(part: str, reason: str, text: str, error: Exception | None = None) -> None:
    """Warn that a part loses data, unless it has done so for this reason before; all are counted."""
    with _failures_lock:
        if len(_failures) >= _REASONS_MAX and (part, reason) not in _failures:
            reason = "one of many"
        is_new = (part, reason) not in _failures
        _failures[part, reason] += 1
    if is_new:
        _LOG.warning("%s: %s (said once; messages and invocations go on unchanged)", part, text, exc_info=error)


def failures(part: str) -> int:
    """How often a part has failed so far."""
    with _failures_lock:
        return sum(count for (failed, _), count in _failures.items() if failed == part)


def one_by_one[T](part: str, do: Callable[[T], object]) -> Callable[[list[T]], None]:
    """The work of a ``Worker`` whose jobs have nothing to do with each other: each fails for itself."""
    guard = isolated(part)

    def work(jobs: list[T]) -> None:
        for job in jobs:
            with guard:
                do(job)

    return work


class Worker[T]:
    """Does the jobs of one part in their order, on a thread of its own that starts with the first.

    Whoever gives a job does not wait, and does not fail when the job does. What is waiting is bounded: when the worker
    cannot follow, new jobs are refused, and the loss is warned about.
    """

    def __init__(
        self,
        part: str,
        work: Callable[[list[T]], object],
        *,
        backlog_max: int,
        gather_s: float = 0.0,
        name: str,
    ) -> None:
        """Args:
        part: as for ``isolated``.
        work: does all jobs that have come together.
        backlog_max: the most that may wait, in the sizes of jobs; one job is always taken.
        gather_s: how long jobs come together after the first.
        name: of the thread.
        """
        self.part = part
        self._work = work
        self._backlog_max = backlog_max
        self._gather_s = gather_s
        self._name = name
        self._changed = threading.Condition()
        self._jobs: deque[T] = deque()
        self._waiting = 0
        """The size of the jobs that wait or are being done."""
        self._size = 0
        """The size of those that wait."""
        self._given = self._done = 0
        self._stalled_at = -1
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def give(self, job: T, size: int = 1) -> bool:
        """Have the job done later; False, and a warning, where it cannot be."""
        try:
            with self._changed:
                if self._is_closed:
                    return False
                is_taken = not self._waiting or self._waiting + size <= self._backlog_max
                if is_taken:
                    self._take(job, size)
        except RuntimeError as error:  # no thread can be started
            note(self.part, error)
            return False
        if not is_taken:
            warn_once(self.part, "backlog", f"lost, because {self._backlog_max:,} wait already")
        return is_taken

    def settle(self, timeout_s: float) -> bool:
        """Wait until all that was given before now has been done; whether it has.

        A worker that hangs is waited for once, and again after it has moved.
        """
        if threading.current_thread() is self._thread:
            return False  # a job would wait for itself
        with self._changed:
            given = self._given
            if self._done < given and self._stalled_at == self._done:
                return False
            is_done = self._changed.wait_for(lambda: self._done >= given, timeout_s)
            self._stalled_at = -1 if is_done else self._done
        return is_done

    def close(self) -> None:
        """Take no more jobs, and end once the waiting ones are done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def pause(self, seconds: float) -> None:
        """For a job that has to wait: until it is time, or the worker is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, seconds)

    def _take(self, job: T, size: int) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, daemon=True, name=self._name)
            thread.start()
            self._thread = thread
        self._jobs.append(job)
        self._given += 1
        self._size += size
        self._waiting += size
        if len(self._jobs) == 1:
            self._changed.notify_all()

    def _run(self) -> None:
        guard = isolated(self.part)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._is_closed)
                if not self._jobs:
                    return
            if self._gather_s:
                self.pause(self._gather_s)
            with self._changed:
                jobs, size = list(self._jobs), self._size
                self._jobs.clear()
                self._size = 0
            with guard:
                self._work(jobs)
            with self._changed:
                self._done += len(jobs)
                self._waiting -= size
                self._changed.notify_all()
