"""The gate of a comparison: how much worse a second run may be, judged by the interval of each difference.

Every measure of a comparison is better when it is smaller. With the limit L on second - first and the difference's
interval [low, high]: valid when high <= L (not worse by more than L), invalid when low > L (worse by more than L),
else unknown: the data do not tell. A difference that merely looks small never passes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlqlab.analysis.compare import Effect
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.verdict import Check, Status, Verdict
from dlqlab.wording import amount

SCALES: Mapping[str, float] = {"ratio": 100.0}
SHOWN_UNITS: Mapping[str, str] = {"ratio": "pp"}


def gate(effects: Sequence[Effect], limits: Mapping[str, float], *, first: str, second: str) -> Verdict:
    """One check for each limit, in the order of the effects.

    Args:
        effects: what ``compare`` found.
        limits: measure -> the greatest difference that passes, in the measure's own unit (ratios as 0 to 1).
        first: name of the run that is compared with.
        second: name of the run that is judged.

    Raises:
        KeyError: a limit names no measure.
    """
    unknown = sorted(set(limits) - {effect.name for effect in effects})
    if unknown:
        raise KeyError(f"no measure {unknown[0]}: there are {', '.join(effect.name for effect in effects)}")
    checks = tuple(_check(effect, limits[effect.name]) for effect in effects if effect.name in limits)
    return Verdict(run_id=f"{second} against {first}", finished=True, checks=checks)


def describe(effect: Effect) -> str:
    """``2.5 % → 9 %, +6.5 pp [+2.1, +11.2] (95 %, n = 200 and 200)``, or why there is no difference to state."""
    if effect.first is None or effect.second is None or effect.difference is None or effect.interval is None:
        missing = [name for name, value in (("first", effect.first), ("second", effect.second)) if value is None]
        return f"not measured in the {' and the '.join(missing)} run"
    low, high = (f"{end * SCALES.get(effect.unit, 1):+.3g}" for end in effect.interval)
    values = f"{amount(effect.first, effect.unit)} → {amount(effect.second, effect.unit)}"
    sizes = f"({effect.confidence * 100:g} %, n = {effect.n_first:,} and {effect.n_second:,})"
    return f"{values}, {_step(effect.difference, effect.unit)} [{low}, {high}] {sizes}"


def changed_settings(first: Manifest, second: Manifest) -> dict[str, tuple[Any, Any]]:
    """Settings in which the scenarios differ: dotted name -> both values. Names and descriptions are not settings."""
    one, other = dict(_flat(first.scenario.to_dict())), dict(_flat(second.scenario.to_dict()))
    changed = {name: (one.get(name), other.get(name)) for name in {**one, **other} if one.get(name) != other.get(name)}
    return {name: pair for name, pair in changed.items() if name not in {"name", "description"}}


def _check(effect: Effect, limit: float) -> Check:
    status, judged = _judge(effect, limit)
    return Check(
        name=effect.name,
        title=effect.title,
        status=status,
        statement=f"{describe(effect)}; limit {_step(limit, effect.unit)}: {judged}",
        measured=effect.difference,
        expected=limit,
        unit=effect.unit,
        interval=effect.interval,
        confidence=effect.confidence,
        n=effect.n_first + effect.n_second,
        details=effect.to_json(),
    )


def _judge(effect: Effect, limit: float) -> tuple[Status, str]:
    if effect.interval is None or effect.difference is None:
        return Status.UNKNOWN, "not judged"
    low, high = effect.interval
    if high <= limit:
        return Status.VALID, "within"
    if low > limit:
        return Status.INVALID, "worse"
    room = abs(limit - effect.difference)
    if room <= 0:
        return Status.UNKNOWN, "not enough data, the difference is at the limit"
    # The half-width of every interval used shrinks with the root of n.
    reach = high - effect.difference if effect.difference <= limit else effect.difference - low
    return Status.UNKNOWN, f"not enough data, about {max(2, math.ceil((reach / room) ** 2)):,} times as much would tell"


def _step(difference: float, unit: str) -> str:
    return f"{difference * SCALES.get(unit, 1):+.3g} {SHOWN_UNITS.get(unit, unit)}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item
