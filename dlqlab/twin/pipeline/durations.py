"""How long invocations take, by the size of their batch: a part for itself and a part for each message."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dlqlab.twin.pipeline.model import Durations, Samples

type Values = NDArray[np.float64]

KEPT_MAX: Final = 1_000
ENOUGH: Final = 8
"""Fewer values are no distribution."""


def durations(seen: Sequence[tuple[int, float]]) -> Durations:
    """Of invocations with so many messages that took so many seconds: least squares, with neither part below 0.

    What is left of each is kept as its ratio. With batches of one size the parts cannot be told apart: all of it is
    then taken for the messages'.
    """
    if not seen:
        return Durations()
    sizes = np.array([size for size, _ in seen], dtype=np.float64)
    took_s = np.array([took for _, took in seen], dtype=np.float64)
    fixed_s, per_message_s = _parts(sizes, took_s)
    fitted = fixed_s + per_message_s * sizes
    ratios = np.divide(took_s, fitted, out=np.ones_like(took_s), where=fitted > 0)
    return Durations(
        fixed_s=fixed_s,
        per_message_s=per_message_s,
        spread=samples(ratios.tolist()),
        longest_s=float(took_s.max()),
        n=len(seen),
        sizes=len({size for size, _ in seen}),
    )


def samples(values: Sequence[float]) -> Samples:
    """The values, or as many of them at even steps of their order as are kept; (0,) for none."""
    ordered = sorted(max(0.0, value) for value in values)
    if not ordered:
        return (0.0,)
    if len(ordered) <= KEPT_MAX:
        return tuple(ordered)
    return tuple(float(value) for value in np.quantile(ordered, (np.arange(KEPT_MAX) + 0.5) / KEPT_MAX))


def _parts(sizes: Values, took_s: Values) -> tuple[float, float]:
    mean_s, mean_size = float(took_s.mean()), float(sizes.mean())
    spread = float(((sizes - mean_size) ** 2).sum())
    slope = float(((sizes - mean_size) * (took_s - mean_s)).sum()) / spread if spread else mean_s / mean_size
    if slope < 0:
        return mean_s, 0.0
    fixed_s = mean_s - slope * mean_size
    return (fixed_s, slope) if fixed_s > 0 else (0.0, mean_s / mean_size)
