"""Settings read from the code: scenario keys, variables of the functions, variables of the load generator."""

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.errors import ScenarioError
from dlqlab.load.settings import LoadSettings
from dlqlab.reference.meanings import FUNCTIONS, LOAD_PROCESS, SCENARIO
from dlqlab.reference.tables import code, range_of, unit_of
from taskrules.settings import Settings, SettingsError

NO_DEFAULT = dataclasses.MISSING
NAMES_NEEDED = ("TASK_TABLE", "ARCHIVE_TABLE", "TASK_QUEUE", "DEAD_LETTER_QUEUE")


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
    hints = typing.get_type_hints(Scenario)
    plain = [field for field in dataclasses.fields(Scenario) if not dataclasses.is_dataclass(hints[field.name])]
    found = {"": [_scenario_setting("", field, hints[field.name]) for field in plain]}
    for section in dataclasses.fields(Scenario):
        kind = hints[section.name]
        if dataclasses.is_dataclass(kind):
            kinds = typing.get_type_hints(kind)
            found[section.name] = [
                _scenario_setting(section.name, field, kinds[field.name]) for field in dataclasses.fields(kind)
            ]
    return found


def _scenario_setting(section: str, field: dataclasses.Field[Any], kind: Any) -> Setting:
    path = f"{section}.{field.name}" if section else field.name
    return Setting(
        name=field.name,
        default="" if field.default in (NO_DEFAULT, None) else code(_plain(field.default)),
        unit=unit_of(field.name),
        allowed=_choices(kind) or range_of(field.name, lambda value: _refused(section, field.name, kind, value)),
        meaning=SCENARIO[path],
    )


def _choices(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(code(member) for member in kind)
    return "`true`, `false`" if kind is bool else ""


def _refused(section: str, name: str, kind: Any, value: float) -> str | None:
    """The error of a scenario with this value."""
    if isinstance(kind, types.UnionType):
        kind = next(option for option in typing.get_args(kind) if option is not types.NoneType)
    if kind not in (int, float):
        return None
    given: dict[str, Any] = {name: kind(value)}
    if section == "breaker":
        given["enabled"] = True
    try:
        from_dict({"name": "probe", **({section: given} if section else given)}, source="probe")
    except ScenarioError as error:
        return str(error)
    return None


def function_settings() -> Iterator[Setting]:
    """The variables that the functions read, with the defaults that they read them with."""
    asked = _Asked(dict.fromkeys(NAMES_NEEDED, "x") | {"BREAKER": "{}", "BREAKER_TABLE": "x"})
    read = Settings.from_env(asked)
    for name, default in asked.defaults.items():
        # Some defaults are not given to the question, but put in for an empty answer.
        made = "" if name in asked else getattr(read, name.lower(), "")
        yield Setting(
            name=name,
            default=code(default or (made if isinstance(made, str) else "")),
            unit=unit_of(name),
            allowed=range_of(name, lambda value, name=name: _refused_variable(name, value)),  # type: ignore[misc]
            meaning=FUNCTIONS[name],
        )


class _Asked(dict[str, str]):
    """Remembers which variables were asked for and with which default."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.defaults: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        # The first question is the one that reads it; later ones may only ask whether it is there.
        self.defaults[key] = self.defaults.get(key) or default or ""
        return super().get(key, default)


def _refused_variable(name: str, value: float) -> str | None:
    needed = dict.fromkeys((*NAMES_NEEDED, "BREAKER_TABLE"), "x")
    try:
        Settings.from_env(needed | {name: str(value)})
    except SettingsError as error:
        return str(error)
    return None


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
