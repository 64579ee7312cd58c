"""The same tasks played three times, each time on a pipeline made anew: two reference plays without faults from
outside, then the one that is judged by what it leaves behind.
"""

import dataclasses
from collections.abc import Callable

from dlqlab.contracts.end_state import Played, read_end_state, write_references
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.outcomes import TAKEN
from dlqlab.contracts.project import Tool
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError, UsageError
from dlqlab.run.project_runner import ProjectRunner

PLAYS = ("reference-1", "reference-2", "")
"""What the run ids of the plays have added, in order; all start an emulator of their own."""


def play_same_end(runner: ProjectRunner, say: Callable[[str], None]) -> tuple[RunDir, ProjectRunner]:
    """All three plays; the run directory of the last, which holds what the others left behind, and its runner.

    Args:
        runner: of the project; each play is as it says, on an emulator of its own that ends with the play.
        say: told what is played next.

    Raises:
        UsageError: nothing says how the pipeline is made anew.
        DlqlabError: a play broke; its run directory holds what there is.
    """
    project = runner.project
    if project.deploy.tool is Tool.NONE and not project.deploy.command:
        raise UsageError(
            "deploy.tool is 'none': for --same-end, which makes the pipeline anew for each play, say what deploys it"
        )
    references: list[Played] = []
    for label in PLAYS[:-1]:
        say(f"{label}: the tasks of the run, to be compared with")
        references.append(_played(_play(runner, Plan(), label).gather()))
    say(f"the run itself, compared with {' and '.join(one.run_id for one in references)}")
    last = _play(runner, runner.plan, PLAYS[-1])
    run = last.gather()
    write_references(run, references)
    return run, last


def _play(runner: ProjectRunner, plan: Plan, label: str) -> ProjectRunner:
    return dataclasses.replace(runner, plan=plan, label=label, own_emulator=True, reads_end=True)


def _played(run: RunDir) -> Played:
    manifest, end = run.read_manifest(), read_end_state(run)
    if end is None:
        raise EvidenceError(f"{run.path}: what the play left behind was not kept")
    ledger = run.read("ledger")
    accepted = ledger.loc[ledger["outcome"].isin(TAKEN), "task_id"].dropna()
    return Played(run_id=manifest.run_id, drained=manifest.drained, accepted=tuple(accepted), end=end)
