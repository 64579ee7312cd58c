"""What a policy grants, held against the calls that the emulator has recorded."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dlqlab.emulator.gateway.calls import Call


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action on one pattern of resources that a policy allows."""

    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        """Whether it permits the call; ``*`` and ``?`` as in IAM, which ignores the case of actions."""
        return fnmatchcase(call.action.lower(), self.action.lower()) and fnmatchcase(call.resource, self.resource)


def grants(policy: Mapping[str, Any]) -> Iterator[Grant]:
    """Each pair of an action and a resource in the Allow statements of a policy document."""
    for statement in policy["Statement"]:
        if statement["Effect"] != "Allow" or {"NotAction", "NotResource", "Condition"} & set(statement):
            raise ValueError(f"statement {statement.get('Sid')}: only plain Allow statements are understood")
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Grant(action, resource)


def missing(calls: Iterable[Call], granted: Iterable[Grant]) -> list[Call]:
    """Calls that no grant covers."""
    granted = list(granted)
    return sorted(call for call in calls if not any(grant.covers(call) for grant in granted))


def unused(calls: Iterable[Call], granted: Iterable[Grant]) -> list[Grant]:
    """Grants that no call needed."""
    calls = list(calls)
    return sorted(grant for grant in granted if not any(grant.covers(call) for call in calls))


def read_calls(path: Path) -> set[Call]:
    """What the recorder has written to its file; empty where it has seen none yet."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return set()
    return {Call(**json.loads(line)) for line in lines}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
