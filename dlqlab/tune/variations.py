"""Which settings a sweep tries: every combination of the values given, except those that cannot be.

A combination that breaks a hard limit, or a rule of lint that is an error, is refused with the rule. A value that is
refused in every combination is a mistake of whoever gave it.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.errors import ScenarioError, UsageError
from dlqlab.lint.rule import Finding, Severity
from dlqlab.lint.rule import lint as apply_rules
from dlqlab.lint.rules import RULES
from dlqlab.lint.settings import of_scenario
from dlqlab.specimens import task_system

SETTINGS_MAX: Final = 2_000

Value = float | int | str | bool

SECTIONS: Final[Mapping[str, tuple[str, type]]] = {
    "base_s": ("retry", float),
    "cap_s": ("retry", int),
    "factor": ("retry", float),
    "jitter": ("retry", str),
    "max_retries": ("retry", int),
    "batch_size": ("pipeline", int),
    "batch_window_s": ("pipeline", int),
    "max_concurrency": ("pipeline", int),
    "visibility_timeout_s": ("pipeline", int),
    "function_timeout_s": ("pipeline", int),
    "breaker": ("breaker", bool),
    "failure_rate": ("faults", float),
}
"""What can be varied -> section of the scenario, type. ``breaker`` is the section's ``enabled``."""
_KEYS: Final[Mapping[str, str]] = {"breaker": "enabled"}


@dataclass(frozen=True, slots=True)
class Variation:
    """One setting and the values to try."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One combination: the values, and the scenario that has them."""

    values: Mapping[str, Value]
    scenario: Scenario
    warnings: tuple[str, ...]  # rules of lint that it breaks without being refused

    @property
    def label(self) -> str:
        return label_of(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One combination that cannot be, and why."""

    values: Mapping[str, Value]
    reason: str

    @property
    def label(self) -> str:
        return label_of(self.values)


def parse_variation(text: str) -> Variation:
    """``base_s=1,2,5`` as a variation.

    Raises:
        UsageError: it has another form, names no setting that can be varied, or a value of another type.
    """
    name, equals, given = (part.strip() for part in text.partition("="))
    if not equals or not given:
        raise UsageError(f"--vary {text!r}: give a setting and its values, such as base_s=1,2,5")
    if name not in SECTIONS:
        raise UsageError(f"--vary {text!r}: {name} cannot be varied; these can: {', '.join(SECTIONS)}")
    values = tuple(_value(name, part.strip()) for part in given.split(","))
    if len(set(values)) != len(values):
        raise UsageError(f"--vary {text!r}: a value is given twice")
    return Variation(name, values)


def combine(scenario: Scenario, variations: Sequence[Variation]) -> tuple[list[Setting], list[Refusal]]:
    """Every combination of the values in place of the scenario's own, and those that are refused.

    Raises:
        UsageError: a setting is varied twice, there are too many combinations, or a value is refused in all of them.
    """
    names = [variation.name for variation in variations]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise UsageError(f"--vary {doubled[0]} is given twice: give all its values at once")
    grid = [dict(zip(names, values, strict=True)) for values in itertools.product(*(one.values for one in variations))]
    if len(grid) > SETTINGS_MAX:
        raise UsageError(f"{len(grid):,} combinations: vary fewer values, {SETTINGS_MAX:,} at most")
    settings: list[Setting] = []
    refusals: list[Refusal] = []
    for values in grid:
        found = _setting(scenario, values)
        (settings if isinstance(found, Setting) else refusals).append(found)  # type: ignore[arg-type]
    _refuse_hopeless(variations, settings, refusals)
    return settings, refusals


def with_values(scenario: Scenario, values: Mapping[str, Value], *, source: str = "--vary") -> Scenario:
    """The scenario with these values.

    Raises:
        ScenarioError: they cannot be used, alone or together.
    """
    plain = scenario.to_dict()
    for name, value in values.items():
        section, _ = SECTIONS[name]
        plain[section][_KEYS.get(name, name)] = value
    return from_dict(plain, source=source)


def label_of(values: Mapping[str, Value]) -> str:
    """The values as people read them: ``base_s=2 jitter=full``."""
    return " ".join(f"{name}={_text(value)}" for name, value in values.items()) or "as the scenario"


def linted(scenario: Scenario) -> list[Finding]:
    """What lint finds wrong with a scenario that is only simulated: nobody waits for its drain."""
    found = apply_rules(replace(of_scenario(scenario, task_system("local")), drain_s=None), RULES)
    return [finding for finding in found.findings if finding.rule.severity is not Severity.INFO]


def _setting(scenario: Scenario, values: dict[str, Value]) -> Setting | Refusal:
    try:
        changed = with_values(scenario, values)
    except ScenarioError as error:
        return Refusal(values=values, reason=str(error).removeprefix("--vary: "))
    findings = linted(changed)
    errors = [finding for finding in findings if finding.rule.severity is Severity.ERROR]
    if errors:
        return Refusal(values=values, reason=f"{errors[0].rule.id}: {errors[0].statement}")
    return Setting(values=values, scenario=changed, warnings=tuple(finding.rule.id for finding in findings))


def _refuse_hopeless(variations: Sequence[Variation], settings: Sequence[Setting], refusals: Sequence[Refusal]) -> None:
    for variation in variations:
        for value in variation.values:
            if any(setting.values[variation.name] == value for setting in settings):
                continue
            reason = next(one.reason for one in refusals if one.values[variation.name] == value)
            raise UsageError(f"{variation.name}={_text(value)} is impossible in every combination: {reason}")


def _value(name: str, text: str) -> Value:
    kind: Any = SECTIONS[name][1]
    if kind is bool:
        if text not in {"true", "false"}:
            raise UsageError(f"--vary {name}: {text!r}: give true or false")
        return text == "true"
    try:
        value: Value = kind(text)
    except ValueError as error:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"--vary {name}: {text!r}: give {wanted}") from error
    return value


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
