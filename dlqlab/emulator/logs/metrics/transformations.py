"""Log lines to the values of a metric filter. Pure.

"Creating metrics from log events using filters" (Amazon CloudWatch Logs user guide) and MetricTransformation of its
API: a line that matches gives its value, one that does not the default value, where there is one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.logs.metrics.embedded import UNITS
from dlqlab.emulator.logs.patterns import Match, Pattern
from dlqlab.emulator.logs.patterns.terms import Terms

DIMENSIONS_MAX = 3
NAME_CHARACTERS_MAX = 255
VALUE_CHARACTERS_MAX = 100


class TransformationError(ValueError):
    """A metric transformation that AWS does not take."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with its dimensions."""

    value: float
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Transformation:
    """What becomes of a line. ``value`` is a number or the name of a value of the pattern, as dimensions are."""

    namespace: str
    name: str
    value: str
    default: float | None
    dimensions: tuple[tuple[str, str], ...]
    unit: str

    def reading(self, match: Match | None) -> Reading | None:
        """What a line gives; None where it gives nothing."""
        if match is None:
            return None if self.default is None else Reading(self.default)
        value = _number(match.value(self.value) if self.value.startswith("$") else self.value)
        found = [(name, match.value(reference)) for name, reference in self.dimensions]
        if value is None or any(text is None for _, text in found):
            return None
        return Reading(value, tuple(sorted((name, _text(text)) for name, text in found)))


def transformation(given: Mapping[str, Any], pattern: Pattern) -> Transformation:
    """The transformation of a request to PutMetricFilter.

    Raises:
        TransformationError: it breaks a rule of AWS.
    """
    dimensions = given.get("dimensions") or {}
    value = str(given.get("metricValue", ""))
    unit = given.get("unit") or "None"
    for member in ("metricName", "metricNamespace"):
        text = str(given.get(member) or "")
        if not 1 <= len(text) <= NAME_CHARACTERS_MAX or set(text) & set(":*$" if member == "metricName" else "*$"):
            raise TransformationError(
                f"Value '{text}' at 'metricTransformations.{member}' failed to satisfy constraint: 1 to "
                f"{NAME_CHARACTERS_MAX} characters, and none of : * $"
            )
    if unit not in UNITS:
        raise TransformationError(f"Value '{unit}' at 'metricTransformations.unit' is not a unit of CloudWatch")
    _check_value(value, pattern)
    if dimensions and isinstance(pattern, Terms):
        raise TransformationError("The specified filter pattern does not support dimensions")
    if dimensions and given.get("defaultValue") is not None:
        raise TransformationError("defaultValue and dimensions cannot both be given: leave one out")
    if len(dimensions) > DIMENSIONS_MAX:
        raise TransformationError(f"{len(dimensions)} dimensions: at most {DIMENSIONS_MAX}")
    for name, reference in dimensions.items():
        if not pattern.has_values(reference):
            raise TransformationError(f"dimension {name}: the filter pattern has no value {reference}")
    default = given.get("defaultValue")
    return Transformation(
        namespace=given["metricNamespace"],
        name=given["metricName"],
        value=value,
        default=None if default is None else float(default),
        dimensions=tuple(dimensions.items()),
        unit=unit,
    )


def _check_value(value: str, pattern: Pattern) -> None:
    if not 1 <= len(value) <= VALUE_CHARACTERS_MAX:
        raise TransformationError(f"metricValue has {len(value)} characters: give 1 to {VALUE_CHARACTERS_MAX}")
    if value.startswith("$"):
        if not pattern.has_values(value):
            raise TransformationError(f"metricValue {value}: the filter pattern has no such value")
    elif _number(value) is None:
        raise TransformationError(f"metricValue {value}: give a number, or the name of a value of the filter pattern")


def _number(value: str | float | None) -> float | None:
    try:
        number = float(value) if value is not None and not isinstance(value, bool) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _text(value: str | float | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
