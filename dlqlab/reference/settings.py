"""Settings read from the code: scenario keys, variables of the functions, variables of the load generator."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dlqlab.contracts.scenario import Scenario, settings_of
from dlqlab.load.settings import LoadSettings
from dlqlab.reference.meanings import LOAD_PROCESS
from dlqlab.reference.tables import code, unit_of
from taskrules.bounds import bounds_of
from taskrules.settings import VARIABLES

NO_DEFAULT = dataclasses.MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row: what is not known of it is an empty text."""

    name: str
    default: str
    unit: str
    allowed: str
    meaning: str

    @property
    def row(self) -> tuple[str, ...]:
        return code(self.name), self.default, self.unit, self.allowed, self.meaning


def scenario_settings() -> Mapping[str, list[Setting]]:
    """Settings by section of a scenario file; the section of its top level is an empty text."""
    kinds = settings_of(Scenario).items()
    sections: dict[str, type] = {"": Scenario}
    sections |= {name: kind for name, kind in kinds if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    return {
        section: [
            _scenario_setting(field, settings_of(kind)[field.name])
            for field in dataclasses.fields(kind)
            if field.name in settings_of(kind) and field.name not in sections
        ]
        for section, kind in sections.items()
    }


def _scenario_setting(field: dataclasses.Field[Any], kind: Any) -> Setting:
    bounds = bounds_of(field)
    if bounds is None:
        raise TypeError(f"{field.name} says neither what it means nor what it may be: make it with setting()")
    return Setting(
        name=field.name,
        default="" if field.default in (NO_DEFAULT, None) else code(_plain(field.default)),
        unit=unit_of(field.name),
        allowed=_choices(kind) or bounds.give,
        meaning=bounds.meaning,
    )


def _choices(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(code(member) for member in kind)
    return "`true`, `false`" if kind is bool else ""


def function_settings() -> Iterator[Setting]:
    """The variables that the functions read, with the defaults that they read them with."""
    for variable in VARIABLES.values():
        yield Setting(
            name=variable.name,
            default=code(variable.default),
            unit=unit_of(variable.name),
            allowed=variable.remedy,
            meaning=variable.meaning,
        )


def load_settings() -> Iterator[Setting]:
    """What DLQLAB_LOAD may hold besides the settings of ``[load]``."""
    given = LoadSettings.from_env({}, by_hand_id="by-hand-<time>").to_json()
    for name, meaning in LOAD_PROCESS.items():
        yield Setting(
            name=name, default=code(_plain(given[name])), unit="", allowed=_choices(type(given[name])), meaning=meaning
        )


def _plain(value: Any) -> Any:
    """As it stands in TOML or JSON."""
    if isinstance(value, str):
        return str(value)
    return json.dumps(int(value) if isinstance(value, float) and value == int(value) else value)
