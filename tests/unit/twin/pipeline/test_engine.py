"""Any pipeline in simulated time, held against closed forms and against the rules of SQS and Lambda one by one."""

import math
import random

import numpy as np
import pytest

from dlqlab.errors import UsageError
from dlqlab.twin.pipeline.engine import simulate
from dlqlab.twin.pipeline.figures import simulated
from dlqlab.twin.pipeline.model import ALL_RECEIVES, Arrival, Consumer, Durations, Failing, Hop, QueueRules
from dlqlab.twin.pipeline.outcome import Outcome
from tests.support.pipelines import FUNCTION, LETTERS, QUEUE, even, pipeline, taking

FIFO = {"is_fifo": True}


def always(**which: float) -> Failing:
    """Fails with that chance at every receive: ``named`` alone, or ``raises`` with its batch."""
    return Failing(**{name: {ALL_RECEIVES: chance} for name, chance in which.items()})


def took_s(out: Outcome) -> list[float]:
    """From entry to end, by message."""
    return [ended_s - entered_s for entered_s, ended_s in zip(out.entered_s, out.ended_s, strict=True)]


def erlang_c(servers: int, offered: float) -> float:
    """The chance that an arrival of an M/M/c queue has to wait."""
    whole = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return whole / (sum(offered**k / math.factorial(k) for k in range(servers)) + whole)


@pytest.mark.parametrize("servers", [2, 3])
def test_waits_are_those_of_mmc(servers: int) -> None:
    """Random arrivals, exponential service, so many batches at once, 70 % busy: the mean wait is Erlang C's."""
    service_s, busy, number = 1.0, 0.7, 12_000
    draws, at_s, arrivals = random.Random(2), 0.0, []
    for _ in range(number):
        at_s += draws.expovariate(busy * servers / service_s)
        arrivals.append(Arrival(at_s=at_s, queue=QUEUE))
    steps = (np.arange(1_000) + 0.5) / 1_000
    work = Durations(fixed_s=service_s, spread=tuple((-np.log(1 - steps)).tolist()), longest_s=100.0, n=1)
    out = simulate(pipeline(arrivals, succeeds=work, max_concurrency=servers, queue={"visibility_s": 1e5}), seed=1)

    ran = out.functions[FUNCTION]
    waited_s = float(np.mean(took_s(out))) - ran.busy_s / ran.invocations
    expected_s = erlang_c(servers, busy * servers) * service_s / (servers * (1 - busy))

    assert waited_s == pytest.approx(expected_s, rel=0.15)


def test_dead_letters_are_binomial() -> None:
    """Each of 3 receives fails with p: p^3 are dead-lettered, and each is received (1 - p^3) / (1 - p) times."""
    n, p = 8_000, 0.3
    model = pipeline(even(n, 0.05), failing=always(named=p))
    out = simulate(model, seed=3)
    expected, deviation = n * p**3, math.sqrt(n * p**3 * (1 - p**3))

    assert abs(out.queues[QUEUE].dead_lettered - expected) < 4 * deviation
    assert simulated(model, out)["deliveries"] == pytest.approx((1 - p**3) / (1 - p), rel=0.02)
    assert out.queues[QUEUE].dead_lettered + out.queues[QUEUE].done == n


def test_message_that_raises_takes_its_batch_along() -> None:
    """10 messages at once in a batch, each raising with 10 %: the batch fails with 1 - 0.9^10."""
    arrivals = [Arrival(at_s=5.0 * (place // 10), queue=QUEUE) for place in range(10_000)]
    model = pipeline(arrivals, batch_size=10, window_s=1.0, failing=always(raises=0.1), queue={"max_receive_count": 1})
    out = simulate(model, seed=5)

    assert out.queues[QUEUE].dead_lettered / len(arrivals) == pytest.approx(1 - 0.9**10, abs=0.06)
    assert not out.queues[QUEUE].dead_lettered % 10


def test_failures_by_receive_are_kept_apart() -> None:
    """All fail at their first receive and none at the second; later ones are as the last that is known."""
    out = simulate(pipeline(even(50), failing=Failing(named={1: 1.0, 2: 0.0})), seed=1)

    assert (100, 50, 0) == (out.queues[QUEUE].receives, out.queues[QUEUE].done, out.queues[QUEUE].dead_lettered)
    assert [pytest.approx(30.1)] * 50 == took_s(out)


def test_function_sets_the_wait_after_a_failure() -> None:
    """2 s after the first failure, 4 s after the second, counted from the failure; not the 30 s of the queue."""
    model = pipeline(even(1), failing=Failing(named={1: 1.0, 2: 1.0, 3: 0.0}), hides={1: (2.0,), 2: (4.0,)})

    assert [pytest.approx(6.3)] == took_s(simulate(model, seed=1))


def test_visibility_under_the_work_runs_it_twice() -> None:
    """It comes back while it is worked on; the delete of the first receive has no effect, that of the last one has."""
    model = pipeline(even(1), succeeds=taking(2.5), queue={"visibility_s": 1.0})
    out = simulate(model, seed=1)

    assert 3 == out.queues[QUEUE].receives
    assert [pytest.approx(3.0)] == out.ended_s
    assert 1 == out.queues[LETTERS].entered


def test_late_delete_takes_a_message_that_nobody_has_received_since() -> None:
    """One batch at a time: it is visible again, and its first function is done before another takes it."""
    out = simulate(pipeline(even(1), succeeds=taking(2.5), queue={"visibility_s": 1.0}, max_concurrency=1), seed=1)

    assert (1, 1) == (out.queues[QUEUE].receives, out.queues[QUEUE].done)
    assert [2.5] == out.ended_s


def test_throttled_batches_burn_receives() -> None:
    """One environment, five pollers: what finds it busy comes back later, and some is dead-lettered without a try."""
    model = pipeline(even(5, 0.0), succeeds=taking(25.0), function={"concurrency": 1}, queue={"visibility_s": 10.0})
    out = simulate(model, seed=1)

    assert out.functions[FUNCTION].throttled > 0
    assert 1 == out.functions[FUNCTION].at_once_max
    assert out.queues[QUEUE].dead_lettered > 0
    assert out.functions[FUNCTION].deliveries < 5


def test_concurrency_bounds_how_many_run() -> None:
    """MaximumConcurrency of 2: never three at once, and nothing is throttled."""
    out = simulate(pipeline(even(40, 0.0), succeeds=taking(1.0), max_concurrency=2), seed=1)

    assert (2, 0) == (out.functions[FUNCTION].at_once_max, out.functions[FUNCTION].throttled)
    assert pytest.approx(20.0) == max(out.ended_s)


def test_mapping_grows_with_its_backlog() -> None:
    """5 at first, more while whole batches wait, up to the bound."""
    model = pipeline(even(400, 0.0), succeeds=taking(1.0), queue={"visibility_s": 1_000.0}, pollers_max=12)

    assert 12 == simulate(model, seed=1).functions[FUNCTION].at_once_max


def test_window_gathers() -> None:
    """Five messages within the window of 2 s are one batch; a full batch does not wait."""
    slow = simulate(pipeline(even(5, 0.1), batch_size=10, window_s=2.0), seed=1)
    full = simulate(pipeline(even(5, 0.1), batch_size=5, window_s=2.0), seed=1)

    assert (1, 1) == (slow.functions[FUNCTION].invocations, full.functions[FUNCTION].invocations)
    assert [pytest.approx(2.1), pytest.approx(0.5)] == [max(slow.ended_s), max(full.ended_s)]


def test_group_waits_for_its_failed_message_and_others_do_not() -> None:
    """A FIFO queue gives no message of a group of which one is in flight, also while it is hidden after a failure."""
    arrivals = [Arrival(at_s=float(at), queue=QUEUE, group=group) for at, group in enumerate("aab")]
    out = simulate(
        pipeline(arrivals, queue=FIFO | {"max_receive_count": 1, "visibility_s": 10.0}, failing=always(named=1.0)),
        seed=1,
    )

    # a1 is moved at 10 s, only then a2 is received; b is not held up.
    assert [pytest.approx(10.0), pytest.approx(20.0), pytest.approx(12.0)] == out.ended_s


def test_batch_takes_several_of_a_group_in_order() -> None:
    """Of one group, one batch of all that wait."""
    arrivals = [Arrival(at_s=0.0, queue=QUEUE, group="a") for _ in range(4)]
    out = simulate(pipeline(arrivals, queue=FIFO, batch_size=10), seed=1)

    assert (2, 4) == (out.functions[FUNCTION].invocations, out.functions[FUNCTION].deliveries)


def test_chain_ends_with_the_last_message_that_came_of_it() -> None:
    """Two mails for each task, sent half-way through its work: the end is that of the mails."""
    mails = Hop(queue="mails", counts=((2, 1.0),), lags=((0.5, 0.0),), delays_s=(5.0,))
    mail = Consumer(queue="mails", function="mail", batch_size=1, succeeds=taking(0.2))
    model = pipeline(
        even(10, 20.0), succeeds=taking(1.0), hops={(0, True): (mails,)}, more=[mail], queues=[QueueRules(name="mails")]
    )
    out = simulate(model, seed=1)

    assert 20 == out.queues["mails"].done
    assert [pytest.approx(5.7)] * 10 == took_s(out)
    assert [0] * 10 == out.open


def test_message_sent_anew_goes_by_how_often_it_was() -> None:
    """Sent anew at the first and second visit, not at the third: three messages, then it is over."""
    again = Hop(queue=QUEUE, counts=((1, 1.0),), delays_s=(3.0,))
    out = simulate(pipeline(even(1), hops={(0, True): (again,), (1, True): (again,)}), seed=1)

    assert 3 == out.queues[QUEUE].done
    assert [pytest.approx(6.3)] == took_s(out)


def test_receives_of_a_dead_letter_go_on() -> None:
    """What reads the dead-letter queue has it at receive 4, after 3 in its queue, and fails as it was seen to there."""
    reader = Consumer(
        queue=LETTERS, function="reader", batch_size=1, succeeds=taking(0.1), failing=Failing(named={4: 1.0, 5: 0.0})
    )
    out = simulate(pipeline(even(3), failing=always(named=1.0), more=[reader]), seed=1)

    assert (6, 3) == (out.queues[LETTERS].receives, out.queues[LETTERS].done)


def test_cold_starts_come_once_an_environment() -> None:
    """No environment is warm: each of two at once has an init, later invocations have none."""
    cold = {"warm": 0, "init_s": (0.5,)}
    out = simulate(pipeline([*even(2, 0.0), Arrival(at_s=9.0, queue=QUEUE)], function=cold), seed=1)

    assert 2 == out.functions[FUNCTION].cold_starts
    assert [pytest.approx(0.6), pytest.approx(0.6), pytest.approx(0.1)] == took_s(out)


def test_filter_deletes_its_share() -> None:
    """What no filter matches never reaches the function."""
    out = simulate(pipeline(even(4_000, 0.1), filtered=0.25), seed=1)

    assert out.queues[QUEUE].filtered == pytest.approx(1_000, rel=0.12)
    assert 4_000 - out.queues[QUEUE].filtered == out.functions[FUNCTION].deliveries


def test_message_expires_with_its_queue_s_retention() -> None:
    """Without a redrive policy a message that always fails ends by expiry, and is counted so."""
    endless = {"dead_letters": None, "max_receive_count": None, "retention_s": 300.0}
    out = simulate(pipeline(even(1), queue=endless, failing=always(named=1.0)), seed=1)

    assert (1, 0) == (out.queues[QUEUE].expired, out.queues[QUEUE].done)


def test_work_beyond_the_time_out_fails_all_of_it() -> None:
    """Ten times the messages that were seen take longer than the function has: it is timed out each time."""
    per_message = Durations(per_message_s=1.0, longest_s=1.0, n=1, sizes=1)
    model = pipeline(even(10, 0.0), succeeds=per_message, batch_size=10, window_s=1.0, function={"timeout_s": 3.0})
    out = simulate(model, seed=1)

    assert (10, 0) == (out.queues[QUEUE].dead_lettered, out.queues[QUEUE].done)


def test_what_does_not_end_is_refused() -> None:
    """A visibility timeout of 0 with work that always fails and no redrive policy; the error says what would end it."""
    endless = {"dead_letters": None, "max_receive_count": None, "visibility_s": 0.0}
    with pytest.raises(UsageError, match=r"does not end.*--max-receive-count"):
        simulate(pipeline(even(1), queue=endless, failing=always(named=1.0)), seed=1, events_max=10_000)


def test_same_seed_same_outcome() -> None:
    """A seed decides everything, and another one something else."""
    model = pipeline(even(200, 0.05), failing=always(named=0.3))

    assert simulate(model, seed=7) == simulate(model, seed=7)
    assert simulate(model, seed=7) != simulate(model, seed=8)
