"""The retry policy."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrules.retry import SQS_DELAY_MAX_S, Jitter, RetryPolicy

N = 4_000

SCHEDULES: list[tuple[dict[str, Any], tuple[int, ...]]] = [
    ({}, (2, 4)),
    ({"max_retries": 0}, ()),
    ({"max_retries": 1}, (2,)),
    ({"max_retries": 5}, (2, 4, 8, 16, 32)),
    ({"max_retries": 4, "factor": 1}, (2, 2, 2, 2)),
    ({"max_retries": 4, "factor": 3}, (2, 6, 18, 54)),
    ({"max_retries": 4, "base_s": 0}, (0, 0, 0, 0)),
    ({"max_retries": 4, "base_s": 0.5}, (1, 1, 2, 4)),
    ({"max_retries": 4, "base_s": 0.4}, (0, 1, 2, 3)),
    ({"max_retries": 4, "base_s": 5, "cap_s": 12}, (5, 10, 12, 12)),
    ({"max_retries": 3, "base_s": 5_000}, (900, 900, 900)),
    ({"max_retries": 3, "cap_s": 0}, (0, 0, 0)),
    ({"max_retries": 11}, (2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900)),
]


@pytest.mark.parametrize(("fields", "expected"), SCHEDULES)
def test_schedule_without_jitter(fields: dict[str, Any], expected: tuple[int, ...]) -> None:
    """The delays are base * factor^(n-1), capped, rounded half up, one for each retry."""
    assert expected == RetryPolicy(**fields).schedule_s("t")


@pytest.mark.parametrize("factor", [1, 1.0001, 2, 10, 1e300])
@pytest.mark.parametrize("base_s", [1e-300, 0.001, 2, 1e300])
def test_no_policy_overflows(factor: float, base_s: float) -> None:
    """Up to SQS's 1,000 receives no delay overflows or leaves 0 to 900."""
    policy = RetryPolicy(max_retries=999, factor=factor, base_s=base_s)
    schedule = policy.schedule_s("t")

    assert 999 == len(schedule)
    assert sorted(schedule) == list(schedule)
    assert 0 <= schedule[0] <= schedule[-1] <= SQS_DELAY_MAX_S


def test_last_attempt_waits_for_nothing() -> None:
    """After the last attempt the message is to move on at once."""
    policy = RetryPolicy(max_retries=2, jitter=Jitter.EQUAL)

    assert [False, False, True, True] == [policy.is_last(attempt) for attempt in (1, 2, 3, 4)]
    assert [0, 0] == [policy.delay_s("t", attempt) for attempt in (3, 4)]
    assert 3 == policy.max_attempts


@given(
    base_s=st.floats(0, 1_000),
    factor=st.floats(1, 10),
    cap_s=st.integers(0, 900),
    jitter=st.sampled_from(Jitter),
    attempt=st.integers(1, 20),
    task_id=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
)
def test_delay_is_within_its_bounds(
    base_s: float, factor: float, cap_s: int, jitter: Jitter, attempt: int, task_id: str
) -> None:
    """Every delay is a whole number of seconds within what the policy says can follow the attempt."""
    policy = RetryPolicy(max_retries=30, base_s=base_s, factor=factor, cap_s=cap_s, jitter=jitter)
    delay = policy.delay_s(task_id, attempt)
    low, high = policy.bounds_s(attempt)

    assert isinstance(delay, int)
    assert 0 <= low <= delay <= high <= 900


def distribution(jitter: Jitter, ceiling: int) -> dict[int, float]:
    """The exact shares of whole seconds: the draw is uniform over [low, ceiling) and rounds half up."""
    low = {Jitter.FULL: 0.0, Jitter.EQUAL: ceiling / 2}[jitter]
    width = ceiling - low
    return {
        second: (min(ceiling, second + 0.5) - max(low, second - 0.5)) / width
        for second in range(math.floor(low + 0.5), ceiling + 1)
    }


@pytest.mark.parametrize(
    ("jitter", "attempt", "ceiling"), [(Jitter.FULL, 3, 8), (Jitter.EQUAL, 3, 8), (Jitter.FULL, 1, 2)]
)
def test_jitter_follows_its_distribution(jitter: Jitter, attempt: int, ceiling: int) -> None:
    """Each whole second comes as often as its share: within 4 standard deviations of a binomial count."""
    policy = RetryPolicy(max_retries=5, jitter=jitter, seed=7)
    delays = [policy.delay_s(f"t-{place}", attempt) for place in range(N)]
    expected = distribution(jitter, ceiling)

    assert set(expected) == set(delays)
    for second, share in expected.items():
        assert abs(delays.count(second) - N * share) < 4 * math.sqrt(N * share * (1 - share))


def test_jitter_differs_by_seed_and_repeats_with_it() -> None:
    """A seed fixes every delay; another seed gives others."""
    schedules = [
        [RetryPolicy(max_retries=5, jitter=Jitter.FULL, seed=seed).schedule_s(f"t{place}") for place in range(20)]
        for seed in (1, 1, 2)
    ]

    assert schedules[0] == schedules[1]
    assert schedules[0] != schedules[2]


@pytest.mark.parametrize(
    "fields",
    [
        {"max_retries": -1},
        {"max_retries": 1000},
        {"base_s": -1},
        {"base_s": math.nan},
        {"base_s": math.inf},
        {"factor": 0.5},
        {"factor": math.inf},
        {"cap_s": -1},
        {"cap_s": 901},
    ],
)
def test_impossible_policy_is_refused(fields: dict[str, Any]) -> None:
    """A field out of its range is named."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        RetryPolicy(**fields)
