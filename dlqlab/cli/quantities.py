"""Quantities with their units as the command line takes them."""

import re
from typing import Any

import click

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|min|m|h|d)?")
_POINTS = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:pp|%)")
_RATE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:/s|tasks/s)?")


class Seconds(click.ParamType[float]):
    """A duration: ``90``, ``90s``, ``10m``, ``1.5h``, ``1d``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(str(value).strip())
        if not found:
            self.fail(f"{value!r}: give a duration such as 30s, 10m or 1h", param, ctx)
        return float(found["number"]) * _SECONDS[found["unit"] or ""]


class Rate(click.ParamType[float]):
    """Tasks a second: ``1000`` or ``1000/s``."""

    name = "tasks/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _RATE.fullmatch(str(value).strip())
        if not found:
            self.fail(f"{value!r}: give tasks a second such as 1000", param, ctx)
        return float(found["number"])


class Points(click.ParamType[float]):
    """Percentage points, ``1pp`` or ``0.5 pp``, as a ratio: 0.01, 0.005. A bare number would leave open which it is."""

    name = "points"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _POINTS.fullmatch(value.strip())
        if not found:
            self.fail(f"{value!r}: give percentage points such as 1pp", param, ctx)
        return float(found["number"]) / 100
