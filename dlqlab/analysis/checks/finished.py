"""Whether the run came to its end and left evidence that can be read."""

from collections.abc import Set as AbstractSet

from dlqlab.analysis.checking import Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.contracts.evidence import NOT_THERE, RunEvidence
from dlqlab.contracts.manifest import Broken, SimulationFacts
from dlqlab.contracts.verdict import NamedSet, SetKind, Status
from dlqlab.wording import count


@check(
    "finished",
    "The run came to its end",
    place=10,
    sets=[NamedSet("bad_lines", SetKind.OPEN, "A line of the log that does not follow the schema of the events.")],
)
def finished_check(facts: Facts) -> Judgement:
    """Whether the evidence is whole: the run came to its end, the queues drained, every source could be read."""
    manifest, run = facts.manifest, facts.run
    gaps = []
    if not manifest.finished:
        gaps.append(_broken(manifest.broken))
    if not manifest.drained and manifest.drain_ended_ts is None:
        gaps.append("it did not come to the drain")
    elif not manifest.drained:
        gaps.append(f"the queues had not drained at the deadline of {facts.scenario.drain.deadline_s:g} s")
    gaps += _table_gaps(run, expected=set() if facts.tells_of_tasks else set(manifest.not_measured))
    if run.bad_lines:
        gaps.append(f"{count(len(run.bad_lines), 'log line')} broke the schema")
    return Judgement(
        status=Status.UNKNOWN if gaps else Status.VALID,
        statement=("; ".join(gaps) or "the run came to its end, the queues drained and every source was read")
        + _sampled(manifest.simulation)
        + _not_known(facts),
        members={"bad_lines": run.bad_lines},
        details={"unreadable": dict(run.unreadable)},
    )


def _broken(broken: Broken | None) -> str:
    """Why a run did not come to its end, where it could still say so."""
    text = "the run did not come to its end"
    return f"{text}: {broken.reason}" if broken else text


def _table_gaps(run: RunEvidence, expected: AbstractSet[str]) -> list[str]:
    """Which tables are not there and which are, in one sentence; those that cannot be read. ``expected``: tables that
    this pipeline or run cannot have.
    """
    absent = [name for name, reason in run.unreadable.items() if reason == NOT_THERE]
    gaps = [f"table {name} cannot be read" for name in run.unreadable if name not in absent]
    absent = [name for name in absent if name not in expected]
    if absent:
        raw = f" (raw: {', '.join(run.raw_parts)})" if run.raw_parts else ""
        present = (", ".join(run.tables) or "none") + raw
        gaps.append(f"tables that are there: {present}; that are not: {', '.join(absent)}")
    return gaps


def _not_known(facts: Facts) -> str:
    """What the record of messages cannot tell, where nothing else was there to tell it."""
    if facts.tells_of_tasks or "ledger" in facts.run.tables:
        return ""
    return "; what clients sent without its becoming a message is not known: no ledger was kept"


def _sampled(simulation: SimulationFacts | None) -> str:
    """What a verdict on a sample of a simulation's tasks speaks of."""
    if simulation is None or not simulation.is_sampled:
        return ""
    return f"; every number below is about {simulation.sampled:,} of {simulation.tasks:,} simulated tasks"
