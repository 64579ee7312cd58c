"""Two runs of a pipeline that tells nothing of its tasks, compared by what was recorded of their messages."""

import pytest

from dlqlab.analysis.compare import Effect, compare
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.gate import gate
from dlqlab.analysis.measures import measures
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.contracts.verdict import Status
from tests.support.flows import Story, evidence, ledger

PIPELINE = Topology(
    name="orders",
    queues=(Queue(role="tasks", name="tasks", dead_letters="dead"), Queue(role="dead", name="dead-letters")),
)
MESSAGES = 60


def run(*, retried: int = 0, dead: int = 0, late_s: float = 0.0) -> RunEvidence:
    """Messages that are done at once, but for some that fail first, and some that fail to death."""
    story = Story()
    for n in range(MESSAGES):
        name = f"m{n}"
        story.sent(name)
        if n < dead:
            story.tried(name, 1, ok=False).back(name, 31).moved(name, 31)
        elif n < dead + retried:
            story.tried(name, 1, ok=False).back(name, 31).tried(name, 31 + late_s).deleted(name, 32 + late_s)
        else:
            story.tried(name, 1).deleted(name, 2)
    requests = ledger(*((f"t{n}", f"r{n}", "acknowledged" if n else "unknown") for n in range(MESSAGES)))
    return evidence(story, None, PIPELINE, requests=requests)


def compared(first: RunEvidence, second: RunEvidence) -> dict[str, Effect]:
    return {effect.name: effect for effect in compare(first, second)}


def test_measures_are_those_of_the_messages() -> None:
    found = measures(Facts(run(retried=6, dead=3, late_s=2.0)))
    assert (found.failures, found.dead, found.unanswered) == ((9, MESSAGES + 6), (3, MESSAGES), (1, MESSAGES))
    assert list(found.retry_lateness_s) == [2.0] * 6
    assert max(found.completion_s) == pytest.approx(33.5)
    assert len(found.completion_s) == MESSAGES - 3


def test_worse_run_is_told() -> None:
    found = compared(run(retried=6), run(retried=6, dead=30, late_s=5.0))

    assert {"failure_rate", "dlq_share", "retry_lateness_s_p50"} <= {
        name for name, effect in found.items() if effect.distinguishable
    }
    assert found["dlq_share"].title == "messages in the dead-letter queue"
    assert found["unanswered_share"].difference == 0


def test_gate_judges_it() -> None:
    verdict = gate(compare(run(), run(dead=30)), {"dlq_share": 0.02}, first="a", second="b")
    assert verdict.status is Status.INVALID


def test_run_without_ledger_has_no_answers() -> None:
    """The load was a locustfile of somebody's own."""
    without = evidence(Story().sent("m1").tried("m1", 1).deleted("m1", 2), None, PIPELINE)
    found = compared(without, run())
    assert (found["submission_ms_p50"].first, found["unanswered_share"].first) == (None, None)
    assert found["dlq_share"].first == 0
