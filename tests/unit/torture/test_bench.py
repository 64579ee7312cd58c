"""What a bench knows of a pipeline before it runs rows: how long they may take, and what its functions answer."""

from dataclasses import replace

from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.torture.bench import deadline_s, naming_of
from tests.support.flows import Story, evidence

PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=3, visibility_timeout_s=5),
        Queue(role="dead", name="dead", visibility_timeout_s=3_600),
    ),
    functions=(Function(role="processor", name="processor"),),
    consumers=(Consumer(queue="tasks", function="processor"),),
)


def test_a_row_waits_until_the_receives_are_used_up_and_not_for_dead_letters() -> None:
    assert deadline_s(PIPELINE, 120) == 5 * 4 + 30


def test_no_row_waits_longer_than_its_project() -> None:
    slow = tuple(replace(one, visibility_timeout_s=600) for one in PIPELINE.queues)

    assert deadline_s(replace(PIPELINE, queues=slow), 120) == 120
    assert deadline_s(None, 120) == 120


def test_functions_that_answer_with_failures_unasked_are_known() -> None:
    story = Story().sent("m1").received("m1", 1)
    story.invoked("m1", at=1, function="names", named_ids=[], reports_failures=False)
    story.invoked("m1", at=2, function="is-asked", named_ids=[], reports_failures=True)
    story.invoked("m1", at=3, function="says-nothing", named_ids=None, reports_failures=False)

    assert naming_of(evidence(story)) == {"names"}
