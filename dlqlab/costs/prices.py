"""The price table: a TOML file with one price for each count of use, its date and its source."""

import dataclasses
import datetime as dt
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlqlab.costs.usage import Usage
from dlqlab.errors import UsageError

DEFAULT = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """``usd`` for ``per`` units of one count of use."""

    service: str
    usd: float
    per: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A table: a price for each field of ``Usage``."""

    region: str
    currency: str
    noted: dt.date
    prices: Mapping[str, Price]

    def to_json(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "currency": self.currency,
            "noted": self.noted.isoformat(),
            "prices": {name: dataclasses.asdict(price) for name, price in self.prices.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a use costs, by count of use and by service."""

    lines: Mapping[str, float]
    services: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.lines.values())


def bill(usage: Usage, prices: Prices) -> Bill:
    """Each count times its price."""
    lines = {name: getattr(usage, name) * price.usd / price.per for name, price in prices.prices.items()}
    services: dict[str, float] = {}
    for name, cost in lines.items():
        service = prices.prices[name].service
        services[service] = services.get(service, 0.0) + cost
    return Bill(lines=lines, services=services)


def load_prices(path: Path = DEFAULT) -> Prices:
    """The table of a file.

    Raises:
        UsageError: the file cannot be read, a price is missing, unknown, or no number of 0 or more.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
    wanted = {one.name for one in dataclasses.fields(Usage)}
    given = found.get("prices")
    if not isinstance(given, dict) or set(given) != wanted:
        differing = sorted(wanted ^ set(given if isinstance(given, dict) else ()))
        raise UsageError(f"{path}: prices: give exactly {', '.join(sorted(wanted))}; differing: {', '.join(differing)}")
    noted = found.get("noted")
    if not isinstance(noted, dt.date):
        raise UsageError(f"{path}: noted is {noted!r}: give the date of the prices, such as 2026-11-22")
    return Prices(
        region=_text(path, "region", found.get("region")),
        currency=_text(path, "currency", found.get("currency")),
        noted=noted,
        prices={name: _price(path, name, value) for name, value in given.items()},
    )


def _price(path: Path, name: str, value: object) -> Price:
    known = {one.name for one in dataclasses.fields(Price)}
    if not isinstance(value, dict) or set(value) != known:
        raise UsageError(f"{path}: prices.{name}: give exactly {', '.join(sorted(known))}")
    usd, per = value["usd"], value["per"]
    for field, number, least in (("usd", usd, 0.0), ("per", per, math.ulp(0.0))):
        is_number = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
        if not is_number or number < least:
            raise UsageError(f"{path}: prices.{name}.{field} is {number!r}: give a number of 0 or more, per over 0")
    texts = {field: _text(path, f"prices.{name}.{field}", value[field]) for field in ("service", "unit", "source")}
    return Price(usd=float(usd), per=float(per), **texts)


def _text(path: Path, name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{path}: {name} is {value!r}: give a text")
    return value
