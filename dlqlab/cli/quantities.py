"""Quantities with their units as the command line takes them."""

import re
from typing import Any

import click

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|min|m|h|d)?")
_POINTS = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:pp|%)")
_CHANCE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<points>pp|%)?")
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


class Chance(click.ParamType[float]):
    """A chance: ``0.3``, ``30%`` or ``30pp``, as a ratio of 0 to 1."""

    name = "chance"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _CHANCE.fullmatch(str(value).strip())
        if not found:
            self.fail(f"{value!r}: give a chance such as 0.3 or 30%", param, ctx)
        return float(found["number"]) / (100 if found["points"] else 1)


class Named[T](click.ParamType[tuple[str | None, T]]):
    """A value for a part of that name: ``orders=30``; without a name for the only one."""

    def __init__(self, of: click.ParamType[T]) -> None:
        self.name = of.name
        self._of = of

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str | None, T]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).rpartition("=")
        if equals and not name.strip():
            self.fail(f"{value!r}: give a name before the =, or the value alone", param, ctx)
        return name.strip() or None, self._of.convert(text, param, ctx)
