"""Which ways messages never went is said, and that a run exercised nothing."""

from dataclasses import replace

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.reach import (
    AGAIN,
    DEAD,
    LAST,
    PARTIAL,
    REDRIVE,
    RETRY,
    THROTTLE,
    is_plain,
    never,
    reach,
    sentence,
    told,
)
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from tests.support.flows import Story, evidence, facts

PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=2),
        Queue(role="dead", name="dead-letters"),
    ),
    functions=(Function(role="processor", name="processor"),),
    consumers=(
        Consumer(queue="tasks", function="processor", batch_size=1, response_types=("ReportBatchItemFailures",)),
    ),
)


def flow(story: Story) -> Flow:
    return facts(story, topology=PIPELINE).flow


def reached(story: Story) -> set[str]:
    return {one.what for one in reach(flow(story)) if one.n}


def test_a_run_in_which_all_went_well_exercised_nothing() -> None:
    found = reach(flow(Story().sent("m1").tried("m1", 1).deleted("m1", 2)))

    assert is_plain(found)
    assert {RETRY, LAST, DEAD, AGAIN, PARTIAL, THROTTLE, REDRIVE} <= {one.what for one in never(found)}
    assert sentence(found).startswith("exercised nothing but the straight way: never reached tasks: ")


def test_a_retry_on_the_last_receive_is_reached() -> None:
    story = Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31).deleted("m1", 32)

    assert reached(story) == {RETRY, LAST}


def test_a_dead_letter_is_reached() -> None:
    story = Story().sent("m1")
    for at in (1, 31):
        story.tried("m1", at, ok=False).back("m1", at + 30)

    assert reached(story.moved("m1", 61)) == {RETRY, LAST, DEAD}


def test_a_redrive_is_reached() -> None:
    story = Story().sent("m1")
    story.queue = story.queue.replace("tasks", "dead-letters")

    assert REDRIVE in reached(story.sent("m2").left("redriven", "m2", 9))


def test_a_second_delivery_after_success_is_reached() -> None:
    story = Story().sent("m1").tried("m1", 1).back("m1", 31).tried("m1", 31).deleted("m1", 32)

    assert AGAIN in reached(story)


def test_a_second_delivery_while_the_first_is_worked_on_is_reached() -> None:
    story = Story().sent("m1").tried("m1", 1).tried("m1", 1.2).deleted("m1", 2)

    assert AGAIN in reached(story)
    assert AGAIN not in reached(Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31))


def test_throttles_and_partial_failures_are_reached() -> None:
    story = Story().sent("m1").received("m1", 1).invoked("m1", at=1, outcome="throttled").back("m1", 31)
    story.received("m1", 31).invoked("m1", at=31, failed=("m1",), reports_failures=True)

    assert {THROTTLE, PARTIAL} <= reached(story)


def test_without_a_topology_nothing_is_said() -> None:
    assert reach(facts(Story().sent("m1")).flow) == ()
    assert sentence(()) == ""


def test_a_report_says_what_was_never_reached_or_why_that_is_not_known() -> None:
    story = Story().sent("m1").tried("m1", 1).deleted("m1", 2)

    assert told(facts(story, topology=PIPELINE)).startswith("exercised nothing")
    assert told(facts(story)) == "not known: the run does not say what the pipeline consists of"
    assert told(Facts(replace(evidence(story), recording=None))).startswith("not known: ")
