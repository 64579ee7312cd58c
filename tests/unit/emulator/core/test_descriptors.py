"""The emulator raises its limit of open files to what it may have."""

import resource

import pytest

from dlqlab.emulator.core import descriptors

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "most", "after"),
    [
        ((1024, 20_000), 1_000_000, 20_000),
        ((1024, 1_048_576), 1_048_576, 65_536),
        ((256, INFINITE), 10_240, 10_240),
        ((100_000, 1_048_576), 1_048_576, None),
        ((INFINITE, INFINITE), INFINITE, None),
        ((256, INFINITE), 100, None),
    ],
    ids=["all that it may", "enough", "macOS", "enough already", "without a limit", "the system refuses"],
)
def test_limit_is_raised(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], most: int, after: int | None
) -> None:
    """``most`` is what the system takes; ``after`` is None where all stays as it is."""
    asked = []

    def take(_what: int, limits: tuple[int, int]) -> None:
        if limits[0] > most:
            raise ValueError("not allowed to raise maximum limit")
        asked.append(limits)

    monkeypatch.setattr(resource, "getrlimit", lambda _what: before)
    monkeypatch.setattr(resource, "setrlimit", take)
    descriptors.raise_limit()

    assert ([] if after is None else [(after, before[1])]) == asked
