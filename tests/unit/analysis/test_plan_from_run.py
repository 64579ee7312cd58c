"""How large a run of somebody's own pipeline has to be: by what it promises, else by what a run of it showed."""

import pytest

from dlqlab.analysis.plan import Plan, plan_from
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.scenario import Load
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.errors import EvidenceError
from tests.support.flows import Story, evidence

PIPELINE = Topology(name="orders", queues=(Queue(role="tasks", name="tasks"),))


def story(*, failing: int) -> Story:
    """Twenty messages, so many of which fail once."""
    told = Story()
    for n in range(20):
        name = f"m{n}"
        told.sent(name)
        if n < failing:
            told.tried(name, 1, ok=False).back(name, 31).tried(name, 31).deleted(name, 32)
        else:
            told.tried(name, 1).deleted(name, 2)
    return told


def planned(told: Story, promise: Promise | None = None, precision: float = 0.02) -> Plan:
    load = Load(tasks=20, rate_per_s=10.0)
    return plan_from(evidence(told, None, PIPELINE), load, promise or Promise(), precision=precision, confidence=0.95)


def test_rates_and_attempts_a_message_are_those_of_the_run() -> None:
    found = planned(story(failing=5))
    failure, dead = found.needs
    assert (failure.rate, dead.rate) == (5 / 25, 0.0)
    assert failure.tasks == pytest.approx(failure.trials * 20 / 25, abs=2)  # an attempt and a quarter each
    assert found.load_s == found.tasks / 10
    assert found.wait_s == 32


def test_what_is_promised_comes_first() -> None:
    failure, dead = planned(story(failing=5), Promise(failure_rate=0.5, dead_letter_rate=0.1)).needs
    assert (failure.rate, dead.rate) == (0.5, 0.1)
    assert failure.trials > planned(story(failing=5)).needs[0].trials


def test_run_without_messages_says_nothing() -> None:
    with pytest.raises(EvidenceError, match="no message was tried"):
        planned(Story())
    with pytest.raises(ValueError, match="precision is 2"):
        planned(story(failing=1), precision=2)
