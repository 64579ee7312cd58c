"""Resources as a template declares them, and what is known of their values. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FUNCTIONS: Final = frozenset({"AWS::Lambda::Function", "AWS::Serverless::Function"})


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only once it is deployed."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Reference:
    """Another resource of the same template, or an attribute of it."""

    logical_id: str
    attribute: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource. ``properties`` hold plain values, ``Reference`` and ``UNKNOWN``; ``line`` counts from 1."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    file: Path
    line: int | None = None
    code: Path | None = None
    """Folder or zip file with a function's code, where the template says it."""

    def at(self, *names: str) -> Any:
        """A value within; None where it is not given, ``UNKNOWN`` where something on the way to it is not known."""
        value: Any = self.properties
        for name in names:
            if value is UNKNOWN:
                return UNKNOWN
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Template:
    """What one file declares."""

    file: Path
    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """Its resources of some types, in order."""
        return (one for one in self.resources if one.type in types)
