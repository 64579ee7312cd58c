"""Log lines in CloudWatch's embedded metric format (EMF) to metric values. Pure.

The rules are those of "Specification: Embedded metric format" (Amazon CloudWatch user guide): ``_aws`` with
``Timestamp`` in milliseconds and directives of ``Namespace``, ``Dimensions`` (sets of names) and ``Metrics``; the
root's other members are the values, a number or up to 100 of them, and the dimensions' texts. A line that breaks a rule
is refused as a whole.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DIMENSIONS_MAX = 30  # of one set
METRICS_MAX = 100  # of one directive
VALUES_MAX = 100  # of one metric in one line
NAME_CHARACTERS_MAX = 1024
VALUE_MAX = 2.0**360  # and its negative (PutMetricData)
PAST_MAX_S = 14 * 86_400  # PutMetricData takes two weeks back and two hours ahead
AHEAD_MAX_S = 7_200
UNIT = "None"
"""Where a definition gives none."""
PREFIXES = ("", "Kilo", "Mega", "Giga", "Tera")
_AMOUNTS = {f"{prefix}{kind}" for prefix in PREFIXES for kind in ("bytes", "bits")} | {"Bytes", "Bits"}
_AMOUNTS -= {"bytes", "bits"}
UNITS = (
    {"Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", UNIT}
    | _AMOUNTS
    | {f"{amount}/Second" for amount in _AMOUNTS}
)
"""StandardUnit of the CloudWatch API."""


class EmbeddedMetricError(ValueError):
    """A line that says it is EMF and is not; ``counter`` is the metric in which CloudWatch counts such lines."""

    counter = "EMFValidationErrors"


class EmbeddedParseError(EmbeddedMetricError):
    """As above: it does not have the structure of the format."""

    counter = "EMFParsingErrors"


@dataclass(frozen=True, slots=True)
class Reading:
    """The values of one metric with one set of dimensions; ``second`` is since the epoch."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    second: int
    values: tuple[float, ...]


def readings(line: str, *, now: float) -> list[Reading]:
    """What a log line measures; empty for a line that is not EMF.

    Raises:
        EmbeddedMetricError: its root has an ``_aws`` of which nothing can be read.
    """
    # Almost every line of a log ends here.
    if not (line.startswith("{") and '"_aws"' in line):
        return []
    try:
        root = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EmbeddedParseError(f"not JSON: {error}") from error
    if "_aws" not in root:  # the text stood deeper, in a payload say
        return []
    about = root["_aws"]
    if not isinstance(about, dict) or not isinstance(about.get("CloudWatchMetrics"), list):
        raise EmbeddedParseError("_aws is not an object with a list of CloudWatchMetrics")
    second = _second(about.get("Timestamp"), now)
    return [reading for directive in about["CloudWatchMetrics"] for reading in _of_directive(directive, root, second)]


def _second(timestamp: Any, now: float) -> int:
    if type(timestamp) is not int:
        raise EmbeddedParseError(f"Timestamp is {timestamp!r}: give whole milliseconds since the epoch")
    if not (now - PAST_MAX_S) * 1000 <= timestamp <= (now + AHEAD_MAX_S) * 1000:
        raise EmbeddedMetricError(f"Timestamp {timestamp} is over two weeks old or two hours ahead")
    return timestamp // 1000


def _of_directive(directive: Any, root: Mapping[str, Any], second: int) -> Iterator[Reading]:
    if not isinstance(directive, dict):
        raise EmbeddedParseError("a directive is not an object")
    namespace, sets, metrics = (directive.get(name) for name in ("Namespace", "Dimensions", "Metrics"))
    if not (isinstance(sets, list) and isinstance(metrics, list)):
        raise EmbeddedParseError("Dimensions or Metrics of a directive is not a list")
    if len(metrics) > METRICS_MAX:
        raise EmbeddedMetricError(f"{len(metrics)} metrics in a directive: at most {METRICS_MAX}")
    name = _text("Namespace", namespace)
    found = [_dimensions(names, root) for names in sets]
    for metric in metrics:
        metric_name, unit, values = _metric(metric, root)
        for dimensions in found:
            yield Reading(name, metric_name, dimensions, unit, second, values)


def _dimensions(names: Any, root: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Pairs in the order of their names, so that one set is one metric however a line orders it."""
    if not isinstance(names, list):
        raise EmbeddedParseError("a dimension set is not a list")
    if len(names) > DIMENSIONS_MAX:
        raise EmbeddedMetricError(f"{len(names)} dimensions in a set: at most {DIMENSIONS_MAX}")
    return tuple(sorted((_text("dimension", name), _text(f"dimension {name}", root.get(name))) for name in names))


def _metric(metric: Any, root: Mapping[str, Any]) -> tuple[str, str, tuple[float, ...]]:
    if not isinstance(metric, dict):
        raise EmbeddedParseError("a metric definition is not an object")
    name = _text("metric Name", metric.get("Name"))
    unit = metric.get("Unit", UNIT)
    if not isinstance(unit, str) or unit not in UNITS:
        raise EmbeddedMetricError(f"Unit of {name} is {unit!r}: not a unit of CloudWatch")
    given = root.get(name)
    values: list[Any] = given if isinstance(given, list) else [given]
    if len(values) > VALUES_MAX:
        raise EmbeddedMetricError(f"{name} has {len(values)} values: at most {VALUES_MAX}")
    # The comparison is false for NaN too.
    if not all(type(value) in (int, float) and -VALUE_MAX <= value <= VALUE_MAX for value in values):
        raise EmbeddedMetricError(f"{name} is {str(given)[:80]}: give a number or a list of numbers")
    return name, unit, tuple(values)


def _text(what: str, value: Any) -> str:
    if not (isinstance(value, str) and 0 < len(value) <= NAME_CHARACTERS_MAX):
        raise EmbeddedMetricError(
            f"{what} is {str(value)[:80]!r}: give a text of 1 to {NAME_CHARACTERS_MAX} characters"
        )
    return value
