"""A whole matrix: the baseline, then row after row; and a broken row made as small as it still shows."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from dlqlab.contracts.injection import Place
from dlqlab.errors import DlqlabError, UsageError
from dlqlab.torture.bench import Bench
from dlqlab.torture.judged import Outcome
from dlqlab.torture.matrix import BASELINE, Matrix, Row, matrix
from dlqlab.torture.reproduction import number_of, struck_only
from dlqlab.torture.result import Answer, Result
from dlqlab.torture.shrink import Case, Strike, shrink

SHRINK_BUDGET_S = 600.0
"""No smaller case of a row is tried after this time: one of a pipeline that never comes to rest takes minutes."""
BASE = Row(BASELINE, "nothing is broken from outside")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are run: of the matrix all, or those whose names match; or one of one's own."""

    only: tuple[str, ...] = ()
    quick: bool = False
    own: Row | None = None

    def of(self, every: Matrix) -> Matrix:
        """The chosen rows.

        Raises:
            UsageError: a name matches no row; lists those that there are.
        """
        if self.own is not None:
            return Matrix((self.own,))
        if not self.only:
            return every
        names = [row.name for row in every.rows]
        for pattern in self.only:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UsageError(f"--only {pattern}: there is no such row; there are {', '.join(names)}")
        return Matrix(
            tuple(row for row in every.rows if any(fnmatchcase(row.name, one) for one in self.only)), every.left_out
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A row to be run, with its seed, beside the baseline."""

    row: Row
    baseline: Answer
    seed: int
    bodies_seed: int | None = None


def one_by_one(bench: Bench, jobs: Iterable[Job]) -> Iterator[Answer]:
    """The answers of rows that are run on one emulator, one after another."""
    for job in jobs:
        yield run_row(bench, job)


def run_matrix(
    bench: Bench,
    choice: Choice,
    *,
    command: Sequence[str],
    on_row: Callable[[Result], None],
    play: Callable[[Bench, Sequence[Job]], Iterator[Answer]] = one_by_one,
) -> Result:
    """Run it; after each row its result so far is told, whose last answer is the row's.

    Args:
        bench: where the baseline is run, which deploys.
        choice: which rows.
        command: that shows it again.
        on_row: is told.
        play: runs the rows, in any order.

    Raises:
        DlqlabError: the baseline broke: without it nothing else can be said.
        UsageError: a chosen row is not there.
    """
    seed = bench.project.seed
    baseline = bench.run(BASE, seed=seed + 1 if choice.own else seed)
    found = Result(name=bench.project.name, started_ts=time.time(), answers=(baseline,), command=tuple(command))
    on_row(found)
    if bench.topology is None:
        raise UsageError("the topology of the pipeline is not known: no rows can be made of it")
    rows = choice.of(matrix(bench.topology, bench.targets, naming=bench.naming, quick=choice.quick and not choice.only))
    found = replace(found, left_out=rows.left_out)
    jobs = [Job(row, baseline, seed if choice.own else seed + number) for number, row in enumerate(rows.rows, start=1)]
    for answer in play(bench, jobs):
        found = replace(found, answers=(*found.answers, answer))
        on_row(found)
    places = {job.row.name: place for place, job in enumerate(jobs)}
    return replace(found, answers=(baseline, *sorted(found.answers[1:], key=lambda one: places[one.name])))


def run_row(bench: Bench, job: Job) -> Answer:
    """The row's answer; a run that broke leaves the row unknown, and the others are run all the same."""
    row, seed = job.row, job.seed
    try:
        return bench.run(row, seed=seed, baseline=job.baseline, bodies_seed=job.bodies_seed)
    except UsageError:
        raise
    except DlqlabError as error:
        reason = f"the run broke: {str(error).partition('\n')[0]}"
        return Answer(
            name=row.name, what=row.what, outcome=Outcome.UNKNOWN, faults=row.faults, seed=seed, why_unknown=reason
        )


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest case that shows what a row broke: its answer, its faults and tasks with the row's own seed."""

    answer: Answer
    row: Row
    case: Case


def cannot_shrink(answer: Answer) -> str:
    """Why a row cannot be made smaller; empty where it can."""
    if not answer.is_mistake or not answer.faults:
        return "it is not broken by its faults"
    if any(fault.place is Place.EMULATOR for fault in answer.faults):
        return "an outage or a pause strikes whatever is under way, not chosen tasks"
    if not _strikes(answer):
        return "no key of dlqlab's stands in the bodies ({{key}} in entry.body), so that tasks cannot be told apart"
    return ""


def shrink_row(
    bench: Bench,
    broken: Answer,
    baseline: Answer,
    *,
    seed: int,
    on_try: Callable[[Case, bool], None],
    clock: Callable[[], float] = time.monotonic,
) -> Shrunk | None:
    """Make a broken row as small as it still shows the same harm; None where no smaller case does.

    Each try is a run on the bench, with the bodies of the row's tasks under keys of its own: a key that the pipeline
    has seen may be treated otherwise.

    Args:
        bench: where the row was run.
        broken: its answer.
        baseline: that without faults.
        seed: of the keys of the first try; each takes the next.
        on_try: told each case, and whether it shows the harm.
        clock: tells seconds that only grow.
    """
    row = Row(broken.name, broken.what, broken.faults)
    harm = broken.first.name if broken.first else ""
    answers: dict[Case, Answer] = {}

    began_s = clock()

    def shows(case: Case) -> bool:
        if clock() - began_s > SHRINK_BUDGET_S:
            return False
        own_seed = seed + len(answers)
        small = struck_only(row, case, own_seed)
        answers[case] = run_row(bench, Job(small, baseline, own_seed, broken.seed))
        shown = any(one.name == harm for one in answers[case].harms)
        on_try(case, shown)
        return shown

    whole = Case(tuple(range(broken.tasks)), _strikes(broken))
    harmed = [broken.tasks_of[one] for one in (broken.first.messages if broken.first else ()) if one in broken.tasks_of]
    found = shrink(whole, shows, suspects=_numbers(broken, harmed))
    return Shrunk(answers[found], struck_only(row, found, broken.seed), found) if found in answers else None


def _strikes(answer: Answer) -> tuple[Strike, ...]:
    """Which of its tasks each of its faults struck."""
    places = ((place, answer.struck.get(fault.name, ())) for place, fault in enumerate(answer.faults))
    return tuple(sorted((number, place) for place, keys in places for number in _numbers(answer, keys)))


def _numbers(answer: Answer, keys: Iterable[str]) -> tuple[int, ...]:
    """The numbers, from 0, of the tasks with these keys."""
    found = map(number_of, keys)
    return tuple(sorted({number for number in found if number is not None and number < answer.tasks}))
