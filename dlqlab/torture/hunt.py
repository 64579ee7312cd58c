"""Plays of drawn faults until something breaks or the time is over; first those that the twin foresees the worst of."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dlqlab.contracts.rundir import RunDir
from dlqlab.emulator.settings import pollers_max
from dlqlab.errors import DlqlabError, UsageError
from dlqlab.torture.bench import Bench
from dlqlab.torture.draws import Draw, draw, order, pool_of
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import matrix
from dlqlab.torture.result import Answer
from dlqlab.torture.run_matrix import BASE
from dlqlab.twin.pipeline.calibrate import Calibrated, calibrate
from dlqlab.twin.pipeline.changes import Changes, changed
from dlqlab.twin.pipeline.engine import simulate
from dlqlab.twin.pipeline.figures import simulated

ROUND = 16
"""Draws that the twin puts in order at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """What a hunt has played: the baseline first; the last one is the catch, where there is one.

    ``no_twin``: why the twin said nothing; empty where it did. ``caught_at_rate``: the pace of the catch.
    """

    answers: tuple[Answer, ...]
    caught: Answer | None = None
    caught_at_rate: float = 0.0
    no_twin: str = ""

    @property
    def baseline(self) -> Answer:
        return self.answers[0]


def hunt(bench: Bench, *, budget_s: float, on_play: Callable[[Answer], None]) -> Hunted:
    """Play until something breaks that does not break without faults, or until no play can end within the time.

    Args:
        bench: of the project; its seed is that of the draws.
        budget_s: how long plays may be begun, the baseline among them.
        on_play: told of each play as it ends.

    Raises:
        DlqlabError: the play without faults broke.
        UsageError: the pipeline has nothing that faults could strike.
    """
    until_s = time.monotonic() + budget_s
    answers = [bench.run(BASE, seed=bench.project.seed)]
    on_play(answers[0])
    twin, no_twin = _twin(bench, answers[0])
    for one in _draws(bench, twin):
        if time.monotonic() + answers[-1].took_s > until_s:
            break
        answers.append(_played(bench, one, answers[0]))
        on_play(answers[-1])
        if answers[-1].outcome is Outcome.BROKEN and answers[-1].is_the_faults_doing:
            return Hunted(answers=tuple(answers), caught=answers[-1], caught_at_rate=one.rate_per_s, no_twin=no_twin)
    return Hunted(answers=tuple(answers), no_twin=no_twin)


def _draws(bench: Bench, twin: Calibrated | None) -> Iterator[Draw]:
    """Without an end: round after round, each in the twin's order."""
    if bench.topology is None:
        raise UsageError("the topology of the pipeline is not known: no faults can be drawn for it")
    pool = pool_of(matrix(bench.topology, bench.targets, naming=bench.naming))
    if not pool:
        raise UsageError("the pipeline has no function with a queue, no call and no queue that a fault could strike")
    rate_per_s = bench.project.load.rate_per_s or float(bench.tasks)
    number = 1
    while True:
        found = [draw(pool, number + one, seed=bench.project.seed, rate_per_s=rate_per_s) for one in range(ROUND)]
        yield from order(found, [severity(twin, one) for one in found])
        number += ROUND


def _played(bench: Bench, one: Draw, baseline: Answer) -> Answer:
    try:
        with at_pace(bench, one.rate_per_s):
            return bench.run(one.row, seed=one.seed, baseline=baseline)
    except UsageError:
        raise
    except DlqlabError as error:
        reason = f"the play broke: {str(error).partition('\n')[0]}"
        return Answer(
            name=one.row.name,
            what=one.row.what,
            outcome=Outcome.UNKNOWN,
            faults=one.row.faults,
            seed=one.seed,
            why_unknown=reason,
        )


@contextmanager
def at_pace(bench: Bench, rate_per_s: float) -> Iterator[None]:
    """The bench sends so many tasks a second within the block."""
    before = bench.project
    bench.project = replace(before, load=replace(before.load, rate_per_s=rate_per_s))
    try:
        yield
    finally:
        bench.project = before


def _twin(bench: Bench, baseline: Answer) -> tuple[Calibrated | None, str]:
    """The pipeline as it is without faults, and why there is none."""
    try:
        found = calibrate(RunDir(bench.folder / baseline.run), pollers_max=pollers_max())
        simulate(found.pipeline, bench.project.seed)
    except DlqlabError as error:
        return None, str(error).partition("\n")[0]
    return found, ""


def severity(twin: Calibrated | None, one: Draw) -> float | None:
    """How bad the twin foresees a draw: its share of dead letters and its deliveries a message beyond the first.

    None where it can say nothing: no fault of the draw makes deliveries fail by itself at every receive.
    """
    failing = one.failing()
    if twin is None or not failing:
        return None
    changes = Changes(rate_per_s=one.rate_per_s, fail=tuple(failing.items()))
    try:
        pipeline = changed(twin.pipeline, changes)
        figures = simulated(pipeline, simulate(pipeline, one.seed))
    except UsageError:
        return None  # a function that it does not have, or a load that never ends
    share = figures["dead_letters"] / figures["entered"] if figures["entered"] else 0.0
    return share + max(0.0, figures["deliveries"] - 1)
