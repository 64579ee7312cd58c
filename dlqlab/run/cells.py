"""A run on several emulators side by side, for machines with more processors than one emulator can use.

Each cell is a process with a whole run of its own up to the collection: emulator, deployment, clients, drain, tables.
It sends its share of the tasks. The cells wait for each other before the run's clock starts and before the load; what
they leave in ``cells/<number>`` is then merged and judged as one run.
"""

import dataclasses
import multiprocessing as mp
import queue
import socket
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from rich.console import Console

from dlqlab.contracts.cells import Cell
from dlqlab.contracts.rundir import RunDir, point_latest
from dlqlab.contracts.scenario import from_dict
from dlqlab.errors import DlqlabError, RunError
from dlqlab.exits import how_it_ended
from dlqlab.load.ledger import LedgerFollower
from dlqlab.progress import Phase
from dlqlab.run.child_processes import stop_all, unwind_at_signals
from dlqlab.run.merge import merge_manifests, merge_tables
from dlqlab.run.runner import PHASES, Runner

LOG = "cell.log"
"""In a cell's folder: its phases, as a run prints them."""
GATE_DEADLINE_S = 300.0
LOOK_S = 0.5
UNWIND_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a cell's process needs to know; plain values, since it crosses to another process."""

    cell: Cell
    run_id: str
    folder: Path
    port: int
    scenario: Mapping[str, Any]
    state_root: Path
    app: Path


class GateError(RunError):
    """Another cell broke off, or did not come in time."""


class Gate:
    """Where cells wait for each other; each time it opens they are all told the same time."""

    def __init__(self, cells: int) -> None:
        context = mp.get_context("spawn")
        self._opened_ts = context.Value("d", 0.0)
        self._barrier: Barrier = context.Barrier(cells, timeout=GATE_DEADLINE_S)

    def wait(self) -> float:
        """Wait until every cell is here; the time at which the last one came.

        Raises:
            GateError: another cell broke off, or did not come in time.
        """
        try:
            if self._barrier.wait() == 0:
                self._opened_ts.value = time.time()
            self._barrier.wait()
        except threading.BrokenBarrierError as error:
            raise GateError("another cell broke off") from error
        return float(self._opened_ts.value)

    def abort(self) -> None:
        """Send every cell on its way: one of them will not come."""
        self._barrier.abort()


def gather_cells(whole: Runner, cells: int) -> RunDir:
    """Run a scenario on this many emulators. ``whole`` has gathered nothing: it gives the scenario and the folder.

    Raises:
        RunError: a cell broke; names it and says why. The run directory holds what there is.
    """
    whole.note(started_ts=time.time(), cells=cells)
    folder = whole.run.path / "cells"
    with whole.breaking_openly(), whole.phases.phase("cells", f"{cells} emulators") as phase:
        assignments = [_assignment(whole, Cell(number, cells), port) for number, port in enumerate(_ports(cells))]
        _run_all(assignments, phase, on_load=lambda: point_latest(whole.run))
    runs = [RunDir(folder / str(number)) for number in range(cells)]
    with whole.phases.phase("merge") as phase:
        recorded = merge_tables(whole.run, runs)
        manifests = [run.read_manifest() for run in runs]
        whole.manifest = merge_manifests(whole.manifest, manifests, recorded)
        rows = whole.manifest.collected.rows if whole.manifest.collected else {}
        phase.note = ", ".join(f"{n:,} {table}" for table, n in rows.items())
    slowest = _slowest([manifest.phases for manifest in manifests])
    whole.note(ended_ts=time.time(), phases=slowest | whole.phases.seconds)
    return whole.run


def _assignment(whole: Runner, cell: Cell, port: int) -> Assignment:
    load = whole.scenario.load
    scenario = dataclasses.replace(whole.scenario, load=dataclasses.replace(load, users=cell.users(load.users)))
    return Assignment(
        cell=cell,
        run_id=whole.run_id,
        folder=whole.run.path / "cells",
        port=port,
        scenario=scenario.to_dict(),
        state_root=whole.state_root,
        app=whole.app,
    )


def _ports(cells: int) -> list[int]:
    """Free ports, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(cells)]
        return [int(taken.getsockname()[1]) for taken in sockets]


def _run_all(assignments: list[Assignment], phase: Phase, on_load: Callable[[], None]) -> None:
    """``on_load`` is called once, when the first task has been sent."""
    with _started(assignments) as (processes, errors, ended):
        loading = False
        followers = [LedgerFollower(_folder(assignment) / "ledger") for assignment in assignments]
        while alive := [process for process in processes if process.is_alive()]:
            wait([process.sentinel for process in alive], LOOK_S)
            sent = sum(follower.sent() for follower in followers)
            phase.update(note=f"{sent:,} tasks sent; {_progress(ended)}")
            if sent and not loading:
                loading = True
                on_load()
            if any(process.exitcode for process in processes):
                break
        broken = {number: process.exitcode for number, process in enumerate(processes) if process.exitcode}
        _await_end(processes)
    if broken:
        number, text = _cause(errors, broken)
        raise RunError(f"cell {number}: {text} (see {_folder(assignments[number]) / LOG})")
    phase.note = f"{len(assignments)} emulators, {sum(follower.sent() for follower in followers):,} tasks sent"


def _await_end(processes: list[SpawnProcess]) -> None:
    """Give cells that break off with another one the time to stop their emulators."""
    deadline = time.monotonic() + UNWIND_S
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))


def _cause(errors: Any, broken: Mapping[int, int]) -> tuple[int, str]:
    """The cell that broke first, and why; the others say only that one was gone, or that they were stopped.

    ``broken`` is exit codes by cell, as they were when the first was seen. A cell that was killed could say nothing.
    """
    number = min(broken, key=lambda number: broken[number])  # a signal is negative
    silent = f"the process of the cell {how_it_ended(broken[number])}"
    if broken[number] < 0:
        return number, silent
    found: list[tuple[int, str]] = []
    try:
        while True:
            found.append(errors.get(timeout=0.5))
    except queue.Empty:
        pass
    return next((error for error in found if error[1]), (number, silent))


@contextmanager
def _started(assignments: list[Assignment]) -> Iterator[tuple[list[SpawnProcess], Any, Sequence[int]]]:
    """The cells' processes, their errors, and how many phases each has ended.

    No process is left when the context ends, and each has stopped its emulator.
    """
    context = mp.get_context("spawn")
    gate, errors = Gate(len(assignments)), context.Queue()
    ended = context.RawArray("i", len(assignments))  # without a lock, which a cell that is killed would keep
    processes = [
        context.Process(target=_run_cell, args=(assignment, gate, errors, ended), name=f"cell-{assignment.cell.number}")
        for assignment in assignments
    ]
    try:
        for process in processes:
            process.start()
        yield processes, errors, ended
    finally:
        stop_all(processes)


def _run_cell(assignment: Assignment, gate: Gate, errors: Any, ended: Any) -> None:
    """The process of a cell. Its exit code says whether it came to its end."""
    unwind_at_signals()
    folder = _folder(assignment)
    folder.mkdir(parents=True)
    with (folder / LOG).open("w", buffering=1) as log:
        runner = Runner(
            scenario=from_dict(dict(assignment.scenario), source="cell"),
            console=Console(file=log, width=200),
            port=assignment.port,
            runs_root=assignment.folder,
            state_root=assignment.state_root,
            app=assignment.app,
            cell=assignment.cell,
            run_id=assignment.run_id,
            together=gate.wait,
        )
        runner.phases.on_end = lambda name: ended.__setitem__(assignment.cell.number, PHASES.index(name) + 1)
        try:
            runner.gather()
        except BaseException as error:
            gate.abort()
            if not isinstance(error, DlqlabError):
                traceback.print_exc(file=log)
            errors.put((assignment.cell.number, "" if isinstance(error, GateError) else str(error) or repr(error)))
            raise SystemExit(1) from error


def _folder(assignment: Assignment) -> Path:
    return assignment.folder / str(assignment.cell.number)


def _progress(ended: Sequence[int]) -> str:
    """The last phase that each cell has ended, each once: ``3 past deploy, 1 past start``."""
    counts = Counter(sorted(ended, reverse=True))
    return ", ".join(f"{n} past {PHASES[number - 1]}" if number else f"{n} starting" for number, n in counts.items())


def _slowest(phases: list[Mapping[str, float]]) -> dict[str, float]:
    return {name: max(found.get(name, 0.0) for found in phases) for name in phases[0]}
