"""From a record to a model: rates, durations, retries, hops, and what is left out by name."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.topology import Consumer, Entry, EntryKind, Function, Pipe, Queue, Topology
from dlqlab.errors import UsageError
from dlqlab.twin.pipeline.calibrate import Calibrated, model_of
from dlqlab.twin.pipeline.durations import durations
from dlqlab.twin.pipeline.failures import raise_rates
from dlqlab.twin.pipeline.figures import measured
from dlqlab.twin.pipeline.model import Consumer as Model
from dlqlab.twin.pipeline.model import Failing
from tests.support.flows import FIFO, Story, facts
from tests.support.pipelines import MAILS, TOPOLOGY, retried
from tests.support.recordings import QUEUE, T0


def calibrated(story: Story, topology: Topology = TOPOLOGY) -> Calibrated:
    return model_of(facts(story, topology=topology).flow, topology, run_id="r", pollers_max=10)


def consumer(story: Story, topology: Topology = TOPOLOGY) -> Model:
    return calibrated(story, topology).pipeline.consumers[0]


def test_rates_are_by_receive() -> None:
    """4 of 20 fail at the first receive, none of these at the second; alone, as the function names them."""
    found = consumer(retried(20, 4))

    assert {1: 0.2, 2: 0.0} == dict(found.failing.named)
    assert {} == dict(found.failing.raises)
    assert (0.2, 0.0, 0.0) == tuple(Failing.rate(found.failing.named, receive) for receive in (1, 2, 3))


def test_load_is_the_messages_that_came_from_outside() -> None:
    """One a second from the first on; what is tried again is no arrival."""
    pipeline = calibrated(retried(20, 4)).pipeline

    assert [float(place) for place in range(20)] == [one.at_s for one in pipeline.arrivals]
    assert 1.0 == pytest.approx(pipeline.rate_per_s)


def test_settings_are_those_of_the_topology() -> None:
    """Batch, visibility timeout, redrive, time-out; the dead-letter queue is one of the queues."""
    pipeline = calibrated(retried(10, 0)).pipeline

    assert (10, True) == (pipeline.consumers[0].batch_size, pipeline.consumers[0].reports_failures)
    assert ("dead-letters", 2, 30.0) == (
        pipeline.queues["tasks"].dead_letters,
        pipeline.queues["tasks"].max_receive_count,
        pipeline.queues["tasks"].visibility_s,
    )
    assert 5 == pipeline.functions["processor"].timeout_s
    assert {"dead-letters"} == pipeline.dead_letter_queues


def test_probes_before_the_load_are_none_of_it() -> None:
    """A message that the deployment sent, and its invocation; the environment that it left is warm."""
    story = Story().sent("probe", -60).tried("probe", at=-60, environment="e1", init_s=0.3).deleted("probe", -59)
    story.sent("m1", 0).tried("m1", at=0, environment="e1").deleted("m1", 1)
    story.sent("m2", 1).tried("m2", at=1, environment="e1").deleted("m2", 2)
    flow = facts(story, topology=TOPOLOGY).flow
    found = model_of(flow, TOPOLOGY, run_id="r", pollers_max=10, begins_ts=T0 - 1)

    assert [0.0, 1.0] == [one.at_s for one in found.pipeline.arrivals]
    assert 2 == measured(found)["invocations"]
    assert 1 == found.pipeline.functions["processor"].warm


def test_backoff_of_the_function_is_seen() -> None:
    """ChangeMessageVisibility after a failure, by receive; nothing where nobody calls it."""
    story = Story()
    for place in range(3):
        story.sent(f"m{place}").tried(f"m{place}", at=1, ok=False).hidden(f"m{place}", 1.2, 4.0)
        story.back(f"m{place}", 5.2).tried(f"m{place}", at=5.2).deleted(f"m{place}", 6)

    assert {1: (4.0, 4.0, 4.0)} == dict(consumer(story).hides)
    assert {} == dict(consumer(retried(5, 2)).hides)


def test_whole_batch_that_raises_is_one_message_s_doing() -> None:
    """Half of the batches of two raise: each message does so with 1 - sqrt(1/2)."""
    story = Story()
    for place in range(40):
        pair = f"a{place}", f"b{place}"
        for name in pair:
            story.sent(name, place).received(name, place)
        bad = {"outcome": "error"} if place % 2 else {}
        story.invoked(*pair, at=place, **bad)

    assert consumer(story).failing.raises[1] == pytest.approx(1 - math.sqrt(0.5), abs=1e-4)


@given(st.integers(1, 8), st.integers(1, 30), st.integers(0, 30))
def test_raise_rates_meet_their_closed_form(size: int, batches: int, raised: int) -> None:
    """Batches of one size and one receive, of which a share f raised: 1 - (1 - f)^(1 / size)."""
    raised = min(raised, batches)
    seen = [((1,) * size, place < raised) for place in range(batches)]
    expected = {1: 1 - (1 - raised / batches) ** (1 / size)} if raised else {}

    assert raise_rates(seen) == pytest.approx(expected, abs=2e-3)


@given(st.floats(0, 2), st.floats(0.001, 2))
def test_durations_are_split_into_their_parts(fixed_s: float, per_message_s: float) -> None:
    """From batches of two sizes: what is exact comes out exact."""
    found = durations([(size, fixed_s + per_message_s * size) for size in (1, 2, 5, 10)])

    assert [found.fixed_s, found.per_message_s] == pytest.approx([fixed_s, per_message_s], abs=1e-6)
    assert found.of(20, 1.0) == pytest.approx(fixed_s + 20 * per_message_s)


def test_hop_is_what_an_attempt_sends() -> None:
    """Each task sends one mail half-way through its half second; the mail is no arrival, and the chain ends with it."""
    story = Story()
    for place in range(10):
        task, mail = f"t{place}", f"x{place}"
        story.sent(task, place).tried(task, at=place).deleted(task, place + 0.6)
        by = {"actor_kind": "invocation", "request_id": story.invocations[-1]["request_id"], "parent_ids": [task]}
        story.sent(mail, place + 0.25, queue=MAILS, **by)
        story.queue = MAILS
        story.tried(mail, at=place + 1, function="mailer").deleted(mail, place + 2)
        story.queue = QUEUE
    found = calibrated(story)
    (hop,) = found.pipeline.consumers[0].hops[0, True]

    assert ("mails", ((1, 1.0),)) == (hop.queue, hop.counts)
    assert [0.5] * 10 == pytest.approx([part for part, _ in hop.lags])
    assert {0.0} == {after_s for _, after_s in hop.lags}
    assert 10 == len(found.pipeline.arrivals)
    assert measured(found)["end_s_p50"] == pytest.approx(2.0)


def test_sender_among_a_batch_that_nobody_knows_is_a_mean() -> None:
    """Two tasks in a batch, one mail of either: half a mail for each, and chains that cannot be told are said."""
    story = Story()
    for name in ("t1", "t2"):
        story.sent(name).received(name, 0)
    story.invoked("t1", "t2", at=0).deleted("t1", 1).deleted("t2", 1)
    story.sent("x", 0.2, queue=MAILS, actor_kind="invocation", request_id="i1", parent_ids=["t1", "t2"])
    found = calibrated(story)
    (hop,) = found.pipeline.consumers[0].hops[0, True]

    assert ((0, 0.5), (1, 0.5)) == hop.counts
    assert math.isnan(measured(found)["end_s_p50"])
    assert any(one.startswith("1 message may come from several of a batch") for one in found.assumed)


def test_measured_figures_are_counted_from_the_record() -> None:
    """20 messages, 4 of them twice: 24 receives; the oldest is 30.6 s old when it leaves."""
    figures = measured(calibrated(retried(20, 4)))

    assert (20, 1.2, 0, 24) == (
        figures["entered"],
        figures["deliveries"],
        figures["dead_letters"],
        figures["invocations"],
    )
    assert figures["oldest_s"] == pytest.approx(30.6)
    assert figures["end_s_p50"] == pytest.approx(0.6)


def test_backlog_is_what_waits_at_one_moment() -> None:
    """Two wait for 4 s, then the first is back from its failure and waits beside a third that was sent meanwhile."""
    story = Story().sent("a", 0).sent("b", 1).tried("a", at=4, ok=False).tried("b", at=4).deleted("b", 5)
    story.back("a", 34).sent("c", 34.5).sent("d", 34.6)
    for name in "acd":
        story.tried(name, at=36).deleted(name, 37)

    assert 3 == measured(calibrated(story))["backlog_max"]


def test_dead_letter_is_counted_where_it_was_moved() -> None:
    """It belongs to the chain of its message, and is no arrival."""
    story = retried(10, 0).sent("z", 3)
    for at in (3, 33):
        story.received("z", at).invoked("z", at=at, failed=["z"]).back("z", at + 30)
    found = calibrated(story.moved("z", 63))

    assert (1, 11) == (measured(found)["dead_letters"], len(found.pipeline.arrivals))
    assert measured(found)["end_s_p99"] == pytest.approx(60.0, abs=7)


def test_what_is_left_out_has_its_name() -> None:
    """Pipes, schedules, functions without a queue and queues without a function."""
    topology = replace(
        TOPOLOGY,
        queues=(*TOPOLOGY.queues, Queue(role="audit", name="audit")),
        functions=(*TOPOLOGY.functions, Function(role="front", name="front")),
        pipes=(Pipe(name="to-audit", source="audit", target="front"),),
        entries=(Entry(kind=EntryKind.SCHEDULE, name="nightly", function="front"),),
    )
    said = "\n".join(calibrated(retried(10, 0), topology).left_out)

    for part in ("pipe to-audit", "schedule nightly", "queue audit", "function front"):
        assert f"{part} is not simulated" in said


def test_inits_that_fail_are_left_out() -> None:
    """They burn receives, and no rate tells of them."""
    story = retried(10, 0).sent("z", 3).received("z", 3).invoked("z", at=3, outcome="init_error")

    assert "1 init of processor failed: that is not simulated" in calibrated(story).left_out


def test_few_failures_are_not_enough_data() -> None:
    """A rate out of 4 attempts is said to be one; receives beyond those seen too."""
    said = "\n".join(calibrated(retried(20, 4)).assumed)

    assert "not enough data for the failure rate of processor at receive 2: 0 of 4, 95 % [0 %, 49" in said
    assert "receives of processor on tasks after number 2 were not seen" in said


def test_record_without_a_message_for_a_function_is_refused() -> None:
    """Nothing to calibrate from: one line."""
    with pytest.raises(UsageError, match="run r has nothing to calibrate from"):
        calibrated(Story().sent("m1"))


def test_groups_of_a_fifo_queue_come_along() -> None:
    """An arrival has the group that its message had."""
    topology = replace(
        TOPOLOGY,
        queues=(Queue(role="tasks", name="tasks.fifo", fifo=True),),
        consumers=(Consumer(queue="tasks", function="work"),),
    )
    story = Story(queue=FIFO)
    for place, group in enumerate("ab"):
        story.sent(f"m{place}", place, group_id=group).tried(f"m{place}", at=place).deleted(f"m{place}", place + 1)
    pipeline = calibrated(story, topology).pipeline

    assert ["a", "b"] == [one.group for one in pipeline.arrivals]
    assert pipeline.queues["tasks.fifo"].is_fifo
