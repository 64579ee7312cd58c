"""Other settings and another load: what they come to, and how a wrong one is refused."""

from typing import Any

import pytest

from dlqlab.errors import UsageError
from dlqlab.twin.pipeline.changes import Changes, changed
from dlqlab.twin.pipeline.model import ALL_RECEIVES, Arrival, Consumer, Failing, QueueRules
from tests.support.pipelines import FUNCTION, QUEUE, even, pipeline

TWO = pipeline(
    [*even(10), Arrival(at_s=12.0, queue="shop-mails")],
    queues=[QueueRules(name="shop-mails")],
    more=[Consumer(queue="shop-mails", function="shop-mailer", reports_failures=True)],
)


def test_nothing_asked_nothing_changed() -> None:
    """The run as it was."""
    assert TWO == changed(TWO, Changes())
    assert Changes().are_none
    assert not Changes(poisson=True).are_none


def test_another_rate_keeps_the_shape() -> None:
    """Twice the rate: the same messages in half the gaps; for another duration over and over."""
    found = changed(TWO, Changes(rate_per_s=2 * TWO.rate_per_s))
    longer = changed(TWO, Changes(duration_s=120.0))

    assert [one.at_s / 2 for one in TWO.arrivals] == pytest.approx([one.at_s for one in found.arrivals])
    assert [one.queue for one in TWO.arrivals] == [one.queue for one in found.arrivals]
    assert round(120 * TWO.rate_per_s) == len(longer.arrivals)
    assert TWO.rate_per_s == pytest.approx(longer.rate_per_s, rel=0.1)
    assert sorted(one.at_s for one in longer.arrivals) == [one.at_s for one in longer.arrivals]


def test_poisson_arrivals_are_of_the_seed() -> None:
    """Independent gaps with the rate's mean, others for another seed."""
    asked = Changes(rate_per_s=5.0, duration_s=2_000.0, poisson=True)
    first, again, other = (changed(TWO, asked, seed).arrivals for seed in (1, 1, 2))

    assert first == again != other
    assert first[-1].at_s == pytest.approx(2_000.0, rel=0.05)


def test_parts_are_changed_by_a_piece_of_their_name() -> None:
    """As long as only one has it; the exact name always does."""
    found = changed(
        TWO,
        Changes(
            visibility_s=[("MAILS", 5.0), (QUEUE, 7.0)],
            max_receive_count=[(None, 9)],
            batch_size=[("mails", 4)],
            window_s=[("mails", 2.0)],
            concurrency=[(FUNCTION, 3)],
            reserved=[("mailer", 2)],
        ),
    )

    assert (5.0, 7.0) == (found.queues["shop-mails"].visibility_s, found.queues[QUEUE].visibility_s)
    assert 9 == found.queues[QUEUE].max_receive_count
    assert (4, 2.0, None) == (
        found.consumers[1].batch_size,
        found.consumers[1].window_s,
        found.consumers[1].max_concurrency,
    )
    assert (3, 3) == (found.consumers[0].max_concurrency, found.functions[FUNCTION].concurrency)
    assert 2 == found.functions["shop-mailer"].concurrency


def test_function_fails_as_it_does() -> None:
    """One that reports failures fails alone, one that does not takes its batch along."""
    found = changed(TWO, Changes(fail=[(FUNCTION, 0.5), ("mailer", 0.25)]))

    assert Failing(raises={ALL_RECEIVES: 0.5}) == found.consumers[0].failing
    assert Failing(named={ALL_RECEIVES: 0.25}) == found.consumers[1].failing


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"visibility_s": [("nope", 3.0)]}, "--visibility: no queue 'nope' is simulated: there are shop-mails, tasks"),
        ({"visibility_s": [("s", 3.0)]}, "--visibility: queue 's' could be shop-mails, tasks: give more of its name"),
        (
            {"batch_size": [(None, 3)]},
            "--batch-size: say which queue, as --batch-size shop-mails=...: shop-mails, tasks",
        ),
        ({"fail": [("nope", 0.1)]}, "--fail: no function 'nope' is simulated: there are shop-mailer, work"),
        ({"fail": [(FUNCTION, 1.5)]}, "--fail is 1.5: give 0 to 1 as a chance"),
        ({"visibility_s": [(QUEUE, 50_000.0)]}, "--visibility is 50000: give 0 to 43,200 seconds"),
        ({"max_receive_count": [("mails", 3)]}, "--max-receive-count: no queue 'mails' is simulated: there are tasks"),
        ({"concurrency": [(FUNCTION, 0)]}, "--concurrency is 0: give 1 to 100,000 invocations at once"),
        ({"rate_per_s": 0.0}, "--rate is 0: give messages a second over 0"),
        ({"rate_per_s": 10_000.0, "duration_s": 3600.0}, "are 36,000,000: give 500,000 at most"),
    ],
)
def test_wrong_change_is_one_line(asked: dict[str, Any], said: str) -> None:
    """The option, the value, and what there is."""
    with pytest.raises(UsageError) as refused:
        changed(TWO, Changes(**asked))

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
