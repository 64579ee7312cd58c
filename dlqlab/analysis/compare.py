"""Two runs side by side: differences with their intervals, as data. What is too much of a difference is the gate's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dlqlab.analysis.facts import Facts
from dlqlab.analysis.measures import Measures, measures
from dlqlab.analysis.statistics import Interval, Values, bootstrap_quantile_difference, newcombe, wilson
from dlqlab.contracts.evidence import RunEvidence

QUANTILES = (0.5, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """second - first of one measure, with its interval; a ratio of 0 to 1 or in ``unit``.

    A measure that a run does not have is None, and so are the difference and its interval.
    """

    name: str
    title: str
    unit: str
    first: float | None
    second: float | None
    difference: float | None
    interval: tuple[float, float] | None
    confidence: float
    n_first: int
    n_second: int
    method: str

    @property
    def distinguishable(self) -> bool:
        """Whether the interval of the difference leaves 0 out."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "first": self.first,
            "second": self.second,
            "difference": self.difference,
            "interval": list(self.interval) if self.interval else None,
            "confidence": self.confidence,
            "n_first": self.n_first,
            "n_second": self.n_second,
            "method": self.method,
            "distinguishable": self.distinguishable,
        }


def compare(first: RunEvidence, second: RunEvidence, *, seed: int = 0) -> tuple[Effect, ...]:
    """The effect sizes of the second run against the first, at the first run's confidence.

    Rates by Newcombe's interval, quantiles by a seeded bootstrap. Two runs with one seed share their draws: their
    failure rates are then not independent samples, and a difference of exactly 0 is what the seed makes of it.

    Raises:
        EvidenceError: a table that is needed cannot be read in one of the runs.
    """
    runs = Facts(first), Facts(second)
    confidence = runs[0].scenario.judge.confidence
    pair = measures(runs[0]), measures(runs[1])
    return (*_rates(pair, confidence), *_quantiles(pair, confidence, seed))


def run_names(pair: tuple[Facts, Facts]) -> tuple[str, str]:
    """What two runs are called; apart even where both have one id."""
    first, second = (facts.manifest.run_id for facts in pair)
    return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")


def _rates(pair: tuple[Measures, Measures], confidence: float) -> Iterator[Effect]:
    first = pair[0]
    yield _rate("failure_rate", f"failures per {first.trial}", [one.failures for one in pair], confidence)
    yield _rate("dlq_share", f"{first.unit}s in the dead-letter queue", [one.dead for one in pair], confidence)
    yield _rate("unanswered_share", "requests without an answer", [one.unanswered for one in pair], confidence)


def _quantiles(pair: tuple[Measures, Measures], confidence: float, seed: int) -> Iterator[Effect]:
    measured = {
        "retry_lateness_s": ("retry lateness", "s", [one.retry_lateness_s for one in pair]),
        "completion_s": ("time from sending to completion", "s", [one.completion_s for one in pair]),
        "submission_ms": (
            "time to the API's answer" if pair[0].unit == "task" else "time to the answer",
            "ms",
            [one.answers_ms for one in pair],
        ),
    }
    for name, (title, unit, series) in measured.items():
        values = [_values(one) for one in series]
        for q in QUANTILES:
            label = f"p{q * 100:g}"
            difference = bootstrap_quantile_difference(values[0], values[1], q, confidence=confidence, seed=seed)
            estimates = [float(pd.Series(one).quantile(q)) if len(one) else None for one in values]
            yield _effect(
                f"{name}_{label}",
                f"{title}, {label}",
                unit,
                estimates,
                difference,
                [len(one) for one in values],
                confidence,
                "bootstrap",
            )


def _rate(name: str, title: str, counts: list[tuple[int, int]], confidence: float) -> Effect:
    intervals = [wilson(k, n, confidence) if n else None for k, n in counts]
    one, other = intervals
    difference = newcombe(one, other) if one and other else None
    estimates = [interval.estimate if interval else None for interval in intervals]
    return _effect(name, title, "ratio", estimates, difference, [n for _, n in counts], confidence, "Newcombe")


def _effect(
    name: str,
    title: str,
    unit: str,
    estimates: list[float | None],
    difference: Interval | None,
    counts: list[int],
    confidence: float,
    method: str,
) -> Effect:
    return Effect(
        name=name,
        title=title,
        unit=unit,
        first=estimates[0],
        second=estimates[1],
        difference=difference.estimate if difference else None,
        interval=(difference.low, difference.high) if difference else None,
        confidence=confidence,
        n_first=counts[0],
        n_second=counts[1],
        method=method,
    )


def _values(series: pd.Series) -> Values:
    values: Values = series.dropna().to_numpy(dtype="float64")
    return values
