"""Rows of a matrix on several emulators side by side: each has a process, an emulator and a deployment of its own.

A row mostly waits, for visibility timeouts above all, so that even two processors have room for several.
"""

import multiprocessing as mp
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Lock
from typing import cast

from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.errors import DlqlabError, RunError
from dlqlab.run.child_processes import join_all, stop_all, unwind_at_signals
from dlqlab.torture.bench import ROWS, Bench, emulator_of
from dlqlab.torture.result import Answer
from dlqlab.torture.run_matrix import Job, run_row


def side_by_side(bench: Bench, jobs: Sequence[Job], *, emulators: int) -> Iterator[Answer]:
    """The answers as they come.

    Args:
        bench: that of the baseline, whose emulator is one of them.
        jobs: the rows.
        emulators: how many of them work at once.

    Raises:
        RunError: an emulator could not be made ready, or a process ended.
    """
    benches = [bench, *(replace(bench, rows=f"{ROWS}-{n}") for n in range(2, min(emulators, len(jobs)) + 1))]
    # A row that waits for a message in a queue knows the queue's name in the first deployment alone.
    of_first = [job for job in reversed(jobs) if any(fault.after_queue for fault in job.row.faults)]
    of_any = [job for job in reversed(jobs) if job not in of_first]
    with _started(benches) as connections:
        busy: list[Connection] = []

        def give_next(connection: Connection) -> None:
            waiting = of_first if of_first and connection is connections[0] else of_any
            if waiting:
                busy.append(connection)
            connection.send(waiting.pop() if waiting else None)

        for connection in connections:
            give_next(connection)
        while busy:
            for ready in cast("list[Connection]", wait(busy)):
                yield _answer_of(ready)
                busy.remove(ready)
                give_next(ready)


def _answer_of(connection: Connection) -> Answer:
    try:
        found = connection.recv()
    except EOFError:
        raise RunError("a process that ran rows has ended: see what it printed") from None
    if isinstance(found, str):
        raise RunError(f"another emulator: {found}")
    answer: Answer = found
    return answer


@contextmanager
def _started(benches: Sequence[Bench]) -> Iterator[list[Connection]]:
    """A process for each; none is left when the context ends, and each has stopped the emulator that it started."""
    context = mp.get_context("spawn")
    turn = context.Lock()
    pipes = [context.Pipe() for _ in benches]
    processes = [
        context.Process(target=_serve, args=(bench, number > 0, turn, theirs), name=f"rows-{number}")
        for number, (bench, (_, theirs)) in enumerate(zip(benches, pipes, strict=True))
    ]
    try:
        for process, (_, theirs) in zip(processes, pipes, strict=True):
            process.start()
            theirs.close()  # so that the end of the process shows
        yield [ours for ours, _ in pipes]
    except BaseException:
        stop_all(processes)
        raise
    join_all(processes)


def _serve(bench: Bench, starts: bool, turn: Lock, connection: Connection) -> None:
    """Run each row that comes, until None does."""
    unwind_at_signals()
    try:
        with ExitStack() as stack:
            if starts:
                emulator = stack.enter_context(emulator_of(ANY_PORT, bench.state_root))
                bench = replace(bench, emulator=emulator)
                with turn:  # a tool's own folders are for one of it at a time
                    bench.deploy()
            while (job := connection.recv()) is not None:
                connection.send(run_row(bench, job))
    except DlqlabError as error:
        connection.send(str(error))
    except (EOFError, KeyboardInterrupt):  # who asked is gone, or wants no more
        return
