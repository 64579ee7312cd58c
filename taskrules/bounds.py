"""Settings that carry their bounds and their meaning: checked where they are made, read by whoever documents them."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

_KEY = "bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a setting may be: ``low`` to ``high``, None where there is no end; ``is_over`` and ``is_below`` leave an
    end out. ``give`` is the remedy of the error that refuses anything else; None itself is always taken.
    """

    meaning: str
    low: float | None = None
    high: float | None = None
    is_over: bool = False
    is_below: bool = False
    give: str = ""

    def holds(self, value: Any) -> bool:
        """Whether the setting may have this value."""
        if value is None or (self.low is None and self.high is None):
            return True
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        above = low < value if self.is_over else low <= value
        return above and (value < high if self.is_below else value <= high) and math.isfinite(value)


def setting(
    default: Any,
    meaning: str,
    low: float | None = None,
    high: float | None = None,
    *,
    over: bool = False,
    below: bool = False,
    give: str = "",
) -> Any:
    """A dataclass' field with its default, what it means in one sentence, and its bounds; see Bounds."""
    made = Bounds(
        meaning=meaning, low=low, high=high, is_over=over, is_below=below, give=give or _give(low, high, over=over)
    )
    return dataclasses.field(default=default, metadata={_KEY: made})


def _give(low: float | None, high: float | None, *, over: bool) -> str:
    if low is None or high is None:
        return ""
    return f"{'over ' if over else ''}{low:g} to {high:.15g}"


def ratio(default: float, meaning: str) -> Any:
    """A ratio of 0 to 1."""
    return setting(default, meaning, 0, 1, give="a ratio of 0 to 1 (0.3 is 30 %)")


def bounds_of(field: "dataclasses.Field[Any]") -> Bounds | None:
    """What a field was made with; None for one without bounds or meaning."""
    found: Bounds | None = field.metadata.get(_KEY)
    return found


def check(settings: Any) -> None:
    """Hold every field to its bounds.

    Raises:
        ValueError: a field is out of them; names it, its value and the remedy.
    """
    for field in dataclasses.fields(settings):
        found, value = bounds_of(field), getattr(settings, field.name)
        if found is not None and not found.holds(value):
            raise ValueError(f"{field.name} is {value!r}: give {found.give}")
