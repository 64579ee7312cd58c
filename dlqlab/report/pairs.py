"""The charts of two runs."""

from dlqlab import figures
from dlqlab.analysis.compare import Effect, compare
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.lateness import judged_retries
from dlqlab.analysis.series import completions

type Pair = tuple[Facts, Facts]


def effects(pair: Pair) -> tuple[Effect, ...]:
    """What differs between the runs, as data."""
    return compare(pair[0].run, pair[1].run)


def effects_chart(pair: Pair) -> figures.Chart:
    """Differences of the measures with their intervals."""
    rows = [
        figures.EffectRow(
            title=effect.title,
            unit=effect.unit,
            first=effect.first,
            second=effect.second,
            difference=effect.difference,
            interval=effect.interval,
        )
        for effect in effects(pair)
        if effect.first is not None
        and effect.second is not None
        and effect.difference is not None
        and effect.interval is not None
    ]
    return figures.effects(rows, names=names(pair), confidence=pair[0].scenario.judge.confidence)


def lateness(pair: Pair) -> figures.Chart:
    """Retry lateness in both runs."""
    values = [judged_retries(facts)["lateness_s"] for facts in pair]
    return figures.distributions(dict(zip(names(pair), values, strict=True)), subject="retry lateness", unit="s")


def completion(pair: Pair) -> figures.Chart:
    """Time from sending to completion in both runs."""
    values = [completions(facts)["latency_s"] for facts in pair]
    return figures.distributions(dict(zip(names(pair), values, strict=True)), subject="time to completion", unit="s")


def answers(pair: Pair) -> figures.Chart:
    """Time to the API's answer in both runs."""
    values = [facts.ledger["latency_ms"] for facts in pair]
    return figures.distributions(dict(zip(names(pair), values, strict=True)), subject="time to the answer", unit="ms")


def names(pair: Pair) -> tuple[str, str]:
    """What the runs are called; apart even where both have one id."""
    first, second = (facts.manifest.run_id for facts in pair)
    return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")
