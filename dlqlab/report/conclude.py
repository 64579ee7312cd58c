"""The end of every run: its evidence judged, the verdict stored, the report made."""

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.verdict import Verdict
from dlqlab.progress import Phases
from dlqlab.report.verdicts import verdict_of


def conclude(run: RunDir, phases: Phases, *, with_page: bool = True) -> Verdict:
    """Judge the evidence of a run that has just been gathered, and make its report unless only the verdict is wanted.

    Raises:
        EvidenceError: the manifest cannot be read.
        ReportError: a cell of the report's notebook failed; the verdict is stored already.
    """
    with phases.phase("judge") as phase:
        verdict = verdict_of(run, anew=True)
        phase.note = f"{len(verdict.checks)} checks"
    if with_page:
        from dlqlab.report.render import render  # noqa: PLC0415  (heavy: not for a verdict alone)

        with phases.phase("report", "notebook and HTML") as phase:
            phase.note = paths.shown(render(run))
    return verdict
