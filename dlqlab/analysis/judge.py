"""The verdict: every check of a run, in order of importance."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dlqlab.analysis.agreement import oracle_check
from dlqlab.analysis.dead_letters import dlq_volume_check, records_check
from dlqlab.analysis.effects import effects_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.payloads import payloads_check
from dlqlab.analysis.rates import failure_rate_check
from dlqlab.analysis.reconcile import conservation_check
from dlqlab.analysis.recovery import recovery_check
from dlqlab.analysis.retries import retry_timing_check
from dlqlab.analysis.sources import TITLE as SOURCES_TITLE
from dlqlab.analysis.sources import sources_check
from dlqlab.contracts.evidence import NOT_THERE, RunEvidence
from dlqlab.contracts.manifest import Broken, SimulationFacts
from dlqlab.contracts.verdict import NOT_CHECKED, Check, Status, Verdict
from dlqlab.errors import EvidenceError
from dlqlab.wording import count

Checker = Callable[[Facts], Check]


def finished_check(facts: Facts) -> Check:
    """Whether the evidence is whole: the run came to its end, the queues drained, every source could be read."""
    manifest, run = facts.manifest, facts.run
    gaps = []
    if not manifest.finished:
        gaps.append(_broken(manifest.broken))
    if not manifest.drained and manifest.drain_ended_ts is None:
        gaps.append("it did not come to the drain")
    elif not manifest.drained:
        gaps.append(f"the queues had not drained at the deadline of {facts.scenario.drain.deadline_s:g} s")
    gaps += _table_gaps(run)
    if run.bad_lines:
        gaps.append(f"{count(len(run.bad_lines), 'log line')} broke the schema")
    return Check(
        name="finished",
        title="The run came to its end",
        status=Status.UNKNOWN if gaps else Status.VALID,
        statement=("; ".join(gaps) or "the run came to its end, the queues drained and every source was read")
        + _sampled(manifest.simulation),
        members={"bad_lines": run.bad_lines},
        details={"unreadable": dict(run.unreadable)},
    )


def _broken(broken: Broken | None) -> str:
    """Why a run did not come to its end, where it could still say so."""
    text = "the run did not come to its end"
    return f"{text}: {broken.reason}" if broken else text


def _table_gaps(run: RunEvidence) -> list[str]:
    """Which tables are not there and which are, in one sentence; those that cannot be read."""
    absent = [name for name, reason in run.unreadable.items() if reason == NOT_THERE]
    gaps = [f"table {name} cannot be read" for name in run.unreadable if name not in absent]
    if absent:
        raw = f" (raw: {', '.join(run.raw_parts)})" if run.raw_parts else ""
        present = (", ".join(run.tables) or "none") + raw
        gaps.append(f"tables that are there: {present}; that are not: {', '.join(absent)}")
    return gaps


def _sampled(simulation: SimulationFacts | None) -> str:
    """What a verdict on a sample of a simulation's tasks speaks of."""
    if simulation is None or not simulation.is_sampled:
        return ""
    return f"; every number below is about {simulation.sampled:,} of {simulation.tasks:,} simulated tasks"


CHECKS: Mapping[str, tuple[str, Checker]] = {
    "finished": ("The run came to its end", finished_check),
    "sources": (SOURCES_TITLE, sources_check),
    "conservation": ("Nothing lost, nothing done twice", conservation_check),
    "oracle": ("Every task met the fate that its seed predicts", oracle_check),
    "effects": ("Each effect exactly once", effects_check),
    "failure_rate": ("Failures at the declared rate", failure_rate_check),
    "retry_timing": ("No retry before its backoff is over", retry_timing_check),
    "dlq_volume": ("Dead letters in the predicted volume", dlq_volume_check),
    "records": ("Every dead letter is documented", records_check),
    "payloads": ("Each payload is the one that was sent", payloads_check),
    "recovery": ("The backlog drains", recovery_check),
}
"""Name -> title and checker, in order of importance. The names are stable: scripts look for them."""


def judge(run: RunEvidence) -> Verdict:
    """All checks of a run. Pure: nothing is read or written."""
    facts = Facts(run)
    checks = tuple(_safely(name, title, checker, facts) for name, (title, checker) in CHECKS.items())
    return Verdict(run_id=run.manifest.run_id, finished=run.manifest.finished, checks=checks)


def _safely(name: str, title: str, checker: Checker, facts: Facts) -> Check:
    """The check's answer, or unknown with the reason: a broken checker must not hide what the others found."""
    try:
        check = checker(facts)
    except EvidenceError as error:
        return Check(name=name, title=title, status=Status.UNKNOWN, statement=f"{NOT_CHECKED}: {error}")
    except Exception as error:  # noqa: BLE001  (the one place for it: any defect of a checker becomes a visible unknown)
        text = f"the checker broke: {type(error).__name__}: {error}"
        return Check(name=name, title=title, status=Status.UNKNOWN, statement=text)
    return replace(check, details=_plain(check.details))


def _plain(value: Any) -> Any:
    """Values that JSON can hold: NumPy scalars unwrapped, NaN and infinities as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
