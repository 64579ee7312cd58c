"""Lambda's rules for the concurrency of an SQS event source mapping, without queue, clock or function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.mappings.scaling import LEAST, Limits, Scale, Seen, first, follow, limits, wake

BOUNDS = Limits(start=5, least=2, most=50, thrifty=True)
FLOOD = Seen(elapsed_s=1.0, waiting=1000, working=50, batches=5, errors=0)
QUIET = Seen(elapsed_s=1.0, waiting=0, working=0, batches=0, errors=0)
TRICKLE = Seen(elapsed_s=1.0, waiting=1, working=1, batches=1, errors=0)


def _after(scale: Scale, *seen: Seen, bounds: Limits = BOUNDS) -> Scale:
    for look in seen:
        scale = follow(scale, bounds, look)
    return scale


def _errors(count: int) -> Seen:
    return Seen(elapsed_s=1.0, waiting=1000, working=50, batches=5, errors=count)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({}, (5, 2, 10, True)),
        ({"ScalingConfig": {}}, (5, 2, 10, True)),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, (2, 2, 2, False)),
        ({"ScalingConfig": {"MaximumConcurrency": 200}}, (5, 2, 200, False)),
    ],
)
def test_maximum_concurrency_is_the_upper_bound(
    mapping: dict[str, object], expected: tuple[int, int, int, bool]
) -> None:
    """Without MaximumConcurrency this machine's bound holds; with it, it alone, and nothing is saved when idle."""
    found = limits(mapping, most=10)

    assert expected == (found.start, found.least, found.most, found.thrifty)


def test_bound_of_the_machine_is_never_above_lambdas() -> None:
    """1,250 is the most that Lambda gives a mapping."""
    assert 1250 == limits({}, most=5000).most


def test_mapping_starts_with_five() -> None:
    """The first state has Lambda's five pollers."""
    assert 5 == first(BOUNDS).size


def test_backlog_adds_three_hundred_a_minute() -> None:
    """Every second with a backlog adds five, up to the bound."""
    assert [10, 15, 30, 50] == [_after(first(BOUNDS), *[FLOOD] * seconds).size for seconds in (1, 2, 5, 60)]


def test_free_poller_means_no_growth() -> None:
    """Messages that a free poller is about to take are no backlog; nor is less than a batch."""
    free = Seen(elapsed_s=1.0, waiting=1000, working=4, batches=5, errors=0)
    little = Seen(elapsed_s=1.0, waiting=9, working=5, batches=5, errors=0)

    assert 5 == _after(first(BOUNDS), free, little, free).size


def test_low_traffic_goes_back_to_five_and_idleness_to_two() -> None:
    """A mapping that has grown falls to its start after 20 s of low traffic, and to two after a minute without any."""
    grown = _after(first(BOUNDS), *[FLOOD] * 5)

    assert [30, 5, 5, 2] == [_after(grown, *[QUIET] * seconds).size for seconds in (19, 20, 59, 60)]
    assert 5 == _after(grown, *[TRICKLE] * 200).size


def test_maximum_concurrency_keeps_idle_pollers() -> None:
    """The saving to two is not done where MaximumConcurrency is set."""
    bounds = limits({"ScalingConfig": {"MaximumConcurrency": 20}}, most=10)

    assert 5 == _after(first(bounds), *[QUIET] * 200, bounds=bounds).size


def test_errors_reduce_gradually_to_the_least() -> None:
    """Each second with errors takes a tenth, at least one, however many there were; never below two."""
    grown = Scale(pollers=50.0)

    assert [45, 41, 37] == [_after(grown, *[_errors(9)] * seconds).size for seconds in (1, 2, 3)]
    assert [4, 3, 2, 2] == [_after(first(BOUNDS), *[_errors(1)] * seconds).size for seconds in (1, 2, 3, 4)]


def test_mapping_recovers_from_errors_by_growth_only() -> None:
    """After errors a message that arrives does not bring five back; a backlog without errors does, at its rate."""
    reduced = _after(first(BOUNDS), *[_errors(1)] * 5)

    assert 2 == wake(reduced, BOUNDS).size
    assert [7, 12] == [_after(reduced, *[FLOOD] * seconds).size for seconds in (1, 2)]
    assert not _after(reduced, FLOOD).is_backing_off


def test_idle_mapping_wakes_at_once() -> None:
    """The first message after a quiet time finds five pollers, not two and a wait."""
    idle = _after(first(BOUNDS), *[QUIET] * 100)

    assert (2, 5) == (idle.size, wake(idle, BOUNDS).size)


seen = st.builds(
    Seen,
    elapsed_s=st.floats(0.01, 30),
    waiting=st.integers(0, 10_000),
    working=st.integers(0, 100),
    batches=st.integers(0, 100),
    errors=st.integers(0, 100),
)


@given(st.lists(seen, max_size=60), st.integers(1, 100), st.booleans())
def test_size_stays_within_its_bounds(looks: list[Seen], most: int, thrifty: bool) -> None:
    """Whatever happens, a mapping never has fewer than its least nor more than its most, and grows at 5 a second."""
    bounds = Limits(start=min(5, most), least=min(LEAST, most), most=most, thrifty=thrifty)
    scale = first(bounds)
    for look in looks:
        before, scale = scale, follow(scale, bounds, look)

        assert bounds.least <= scale.size <= bounds.most
        assert scale.pollers <= max(before.pollers + 5 * look.elapsed_s, bounds.start) + 1e-9
