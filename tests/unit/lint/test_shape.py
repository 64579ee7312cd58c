"""The rules about how a pipeline hangs together: each fires on a breach, and is silent without one."""

from dataclasses import replace

import pytest

from dlqlab.contracts.topology import Alarm, Consumer, Function, Pipe, Queue, Topology
from dlqlab.lint.rule import lint_topology
from dlqlab.lint.rules import RULES, TOPOLOGY_RULES

SOUND = Topology(
    name="sound",
    queues=(Queue(role="in", name="in", dead_letters="dead", max_receive_count=5), Queue(role="dead", name="dead")),
    functions=(Function(role="work", name="work"),),
    consumers=(Consumer(queue="in", function="work", batch_size=10, response_types=("ReportBatchItemFailures",)),),
    alarms=(Alarm(name="dead", metric="ApproximateNumberOfMessagesVisible", queue="dead"),),
)
(MAPPING,) = SOUND.consumers
BREACHES = {
    "queue-unread": replace(SOUND, consumers=()),
    "consumers-share": replace(SOUND, consumers=(MAPPING, replace(MAPPING, function="work"))),
    "filter-deletes": replace(SOUND, consumers=(replace(MAPPING, filters=('{"body": {"kind": ["a"]}}',)),)),
    "whole-batch-retries": replace(SOUND, consumers=(replace(MAPPING, response_types=()),)),
    "letters-unwatched": replace(SOUND, alarms=(replace(SOUND.alarms[0], has_actions=False),)),
}


def fired(topology: Topology) -> dict[str, str]:
    result = lint_topology(topology, TOPOLOGY_RULES, subject="it")
    assert result.checked == len(TOPOLOGY_RULES)
    return {finding.rule.id: finding.statement for finding in result.findings}


def test_sound_pipeline_has_no_finding() -> None:
    assert fired(SOUND) == {}


def test_every_rule_has_a_breach() -> None:
    assert set(BREACHES) == {rule.id for rule in TOPOLOGY_RULES}
    assert not {rule.id for rule in TOPOLOGY_RULES} & {rule.id for rule in RULES}


@pytest.mark.parametrize("name", BREACHES)
def test_rule_fires_on_its_breach_alone(name: str) -> None:
    found = fired(BREACHES[name])
    assert list(found) == [name]
    assert "in" in found[name] or "dead" in found[name]


def test_pipe_is_a_consumer() -> None:
    piped = replace(SOUND, consumers=(), pipes=(Pipe(name="p", source="in", target="work"),))
    assert fired(piped) == {}
