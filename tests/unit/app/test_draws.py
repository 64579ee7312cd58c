"""Seeded draws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrules.draws import uniform

N = 4_000


def draws(purpose: str = "fault", seed: int = 1) -> list[float]:
    return [uniform(seed, purpose, f"t-{place}") for place in range(N)]


def test_draw_is_a_function_of_its_key() -> None:
    """The same key gives the same draw, in any process and any version of Python."""
    assert uniform(1, "fault", "t-1", 1, 1) == uniform(1, "fault", "t-1", 1, 1)
    assert 0.7260917255023374 == uniform(1, "fault", "t-1", 1, 1)


@given(seed=st.integers(), purpose=st.text(), task_id=st.text(), generation=st.integers(), attempt=st.integers())
def test_draw_is_never_one(seed: int, purpose: str, task_id: str, generation: int, attempt: int) -> None:
    """Every key that can be written has a draw in [0, 1)."""
    try:
        draw = uniform(seed, purpose, task_id, generation, attempt)
    except UnicodeEncodeError:  # half a surrogate pair: no task id is like that
        return

    assert 0 <= draw < 1


@pytest.mark.parametrize("part", ["seed", "purpose", "task", "generation", "attempt"])
def test_each_part_of_the_key_counts(part: str) -> None:
    """Another seed, purpose, task, generation or attempt is another draw."""
    key: dict[str, tuple[object, object]] = {
        "seed": (1, 2),
        "purpose": ("fault", "jitter"),
        "task": ("a", "b"),
        "generation": (1, 2),
        "attempt": (1, 2),
    }
    first, second = (
        uniform(*[values[place if name == part else 0] for name, values in key.items()])  # type: ignore[arg-type]
        for place in (0, 1)
    )

    assert first != second


def test_draws_are_uniform() -> None:
    """Each tenth of [0, 1) gets its share: chi-square of 9 degrees of freedom below its 99.9 % point, 27.88."""
    counts = [0] * 10
    for draw in draws():
        counts[int(draw * 10)] += 1
    chi_square = sum((count - N / 10) ** 2 / (N / 10) for count in counts)

    assert chi_square < 27.88


@pytest.mark.parametrize("other", [("jitter", 1), ("fault", 2)])
def test_draws_of_different_keys_are_uncorrelated(other: tuple[str, int]) -> None:
    """Purposes and seeds are independent: |r| stays below 3.29 / sqrt(n), which chance passes once in 1,000."""
    first, second = draws(), draws(*other)
    covariance = sum((a - 0.5) * (b - 0.5) for a, b in zip(first, second, strict=True)) / N

    assert abs(covariance * 12) < 3.29 / math.sqrt(N)
