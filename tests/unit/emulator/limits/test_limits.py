"""Rates are token buckets, and quotas are chosen by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.limits.quotas import QUOTAS, chosen
from dlqlab.emulator.limits.rates import Bucket, Buckets
from dlqlab.errors import UsageError


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_passes_at_once_and_then_the_rate() -> None:
    """What was not used is kept, up to the burst."""
    clock = Clock()
    bucket = Bucket(rate_per_s=2, burst=3, clock=clock)
    at_once = [bucket.take() for _ in range(4)]
    clock.now_s = 0.5
    later = [bucket.take() for _ in range(2)]
    clock.now_s = 100
    rested = [bucket.take() for _ in range(4)]

    assert [True, True, True, False] == at_once == rested
    assert [True, False] == later


@given(st.integers(1, 50), st.integers(1, 50), st.lists(st.floats(0, 2), max_size=100))
def test_never_more_than_burst_and_rate(rate: int, burst: int, waits_s: list[float]) -> None:
    """Whenever it is asked."""
    clock = Clock()
    bucket = Bucket(rate_per_s=rate, burst=burst, clock=clock)
    passed = 0
    for wait_s in waits_s:
        clock.now_s += wait_s
        passed += bucket.take()

    assert passed <= burst + rate * clock.now_s + 1e-6


def test_many_at_once_pass_as_far_as_there_are_tokens() -> None:
    """Such as bytes; more than a burst pass when it is full, and count."""
    clock = Clock()
    bucket = Bucket(rate_per_s=2, burst=10, clock=clock)

    assert [bucket.take(6), bucket.take(6), bucket.take(4)] == [True, False, True]
    clock.now_s = 5.0
    assert [bucket.take(15), bucket.take()] == [True, False]


def test_keys_do_not_share_and_a_new_rate_counts_from_then() -> None:
    """A stage whose settings were changed has a full bucket."""
    buckets = Buckets(Clock())

    assert [True, False] == [buckets.take("a", rate_per_s=1, burst=1) for _ in range(2)]
    assert buckets.take("b", rate_per_s=1, burst=1)
    assert buckets.take("a", rate_per_s=1, burst=2)


def test_quotas_are_those_of_aws_but_for_changes() -> None:
    """By name."""
    plain, changed = chosen("aws"), chosen("aws, lambda_concurrency=10,api_per_s=5")

    assert {quota.name: quota.default for quota in QUOTAS} == plain
    assert {**plain, "lambda_concurrency": 10, "api_per_s": 5} == changed


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ("gcp", "give aws, or"),
        ("aws,speed=3", "speed is none of lambda_concurrency"),
        ("aws,api_per_s=0", "api_per_s is 0: give a whole number"),
        ("aws,api_per_s", "api_per_s is nothing"),
        ("aws,api_per_s=1.5", r"api_per_s is 1\.5"),
    ],
)
def test_what_makes_no_sense_is_refused(given_: str, problem: str) -> None:
    """With the name and the number."""
    with pytest.raises(UsageError, match=problem):
        chosen(given_)
