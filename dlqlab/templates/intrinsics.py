"""Values of a template's intrinsic functions, as far as the template tells them. Pure.

Source: "Intrinsic function reference" and "Pseudo parameters reference" of the CloudFormation guide. Parameters have
their defaults; a value that nothing tells is ``UNKNOWN``, and nothing is guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dlqlab.templates.resources import UNKNOWN, Reference

PSEUDO: Mapping[str, Any] = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
"""As the emulator has them."""
NO_VALUE = object()
_PLACE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True, slots=True)
class Values:
    """Parameters, mappings, conditions and the ids of resources that values may refer to."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    resources: frozenset[str] = frozenset()

    def resolve(self, value: Any) -> Any:
        """Plain values, ``Reference`` and ``UNKNOWN`` in place of functions, all the way down."""
        if isinstance(value, list):
            inner = [self.resolve(one) for one in value]
            return [one for one in inner if one is not NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, given),) = value.items()
            if name == "Ref" or str(name).startswith("Fn::"):
                return self._function(str(name), given)
        pairs = {str(name): self.resolve(one) for name, one in value.items()}
        return {name: one for name, one in pairs.items() if one is not NO_VALUE}

    def holds(self, condition: Any) -> bool | None:
        """Whether a condition, by its name or as it is written, holds; None where that is not known."""
        if isinstance(condition, str):
            others = {name: one for name, one in self.conditions.items() if name != condition}  # no circle is followed
            without = replace(self, conditions=others)
            return without.holds(self.conditions[condition]) if condition in self.conditions else None
        if not isinstance(condition, Mapping) or len(condition) != 1:
            return None
        ((name, given),) = condition.items()
        if name == "Condition":
            return self.holds(given)
        if not isinstance(given, list):
            return None
        if name == "Fn::Equals":
            return self._equal(given)
        inner = [self.holds(one) for one in given]
        return _combined(name, inner)

    def _equal(self, given: list[Any]) -> bool | None:
        sides = self.resolve(given)
        if any(side is UNKNOWN or isinstance(side, Reference) for side in sides):
            return None
        return all(str(side) == str(sides[0]) for side in sides)

    def _function(self, name: str, given: Any) -> Any:
        value: Any = UNKNOWN
        match name, given:
            case "Ref", str():
                value = self._ref(given)
            case "Fn::GetAtt", [str() as logical_id, *rest] if logical_id in self.resources:
                value = Reference(logical_id, ".".join(map(str, rest)))
            case "Fn::GetAtt", str():
                value = self._function(name, given.split(".", 1))
            case "Fn::Sub", str():
                value = self._substituted(given, {})
            case "Fn::Sub", [str() as text, dict() as own]:
                value = self._substituted(text, own)
            case "Fn::Join", [str() as between, parts]:
                value = _joined(between, self.resolve(parts))
            case "Fn::FindInMap", [*path]:
                value = self._mapped(path[:3])
            case "Fn::If", [str() as condition, yes, no]:
                holds = self.holds(condition)
                value = UNKNOWN if holds is None else self.resolve(yes if holds else no)
        return value

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.resources:
            return Reference(name)
        return PSEUDO.get(name, self.parameters.get(name, UNKNOWN))

    def _substituted(self, text: str, own: Mapping[str, Any]) -> Any:
        def value_of(name: str) -> Any:
            if name in own:
                return self.resolve(own[name])
            logical_id, _, attribute = name.partition(".")
            return self._function("Fn::GetAtt", [logical_id, attribute]) if attribute else self._ref(name)

        whole = _PLACE.fullmatch(text)
        if whole:
            return value_of(whole[1])
        values = {found: value_of(found) for found in _PLACE.findall(text)}
        if not all(isinstance(one, str | int | float) for one in values.values()):
            return UNKNOWN
        return _PLACE.sub(lambda found: str(values[found[1]]), text).replace("${!", "${")

    def _mapped(self, path: list[Any]) -> Any:
        value: Any = self.mappings
        for key in self.resolve(path):
            value = value.get(key, UNKNOWN) if isinstance(value, Mapping) and isinstance(key, str) else UNKNOWN
        return value


def _joined(between: str, parts: Any) -> Any:
    if isinstance(parts, list) and all(isinstance(one, str | int) for one in parts):
        return between.join(map(str, parts))
    return UNKNOWN


def _combined(name: str, inner: list[bool | None]) -> bool | None:
    if name == "Fn::Not":
        return None if inner[:1] in ([None], []) else not inner[0]
    decides = {"Fn::And": False, "Fn::Or": True}.get(name)
    if decides is None:
        return None
    if decides in inner:
        return decides
    return None if None in inner else not decides
