"""Faults that name parts of a pipeline as every deployment of it has them.

CloudFormation ends a name that a template does not give with characters that are others each time: eight hexadecimal
digits in the emulator, twelve or thirteen letters and digits on AWS. A fault that names such a part by a pattern
strikes it in the next deployment too, and the same tasks of it, since draws go by the fault's name. Pure.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from dlqlab.contracts.injection import ANY, Fault, matches

_MADE_UP = re.compile(r"(?P<stem>.+)-(?:[0-9a-f]{8}|[0-9A-Z]{12,13})(?P<kind>\.fifo)?")


@dataclass(frozen=True, slots=True)
class Names:
    """What the functions, queues and what calls are about are called."""

    functions: Collection[str]
    queues: Collection[str]
    resources: Collection[str]


def portable(faults: Sequence[Fault], names: Names) -> tuple[Fault, ...]:
    """The faults with patterns in the place of names that are made up, where a pattern is of one part alone."""
    found = tuple(_portable(fault, names) for fault in faults)
    called = [fault.name for fault in found]
    if len(set(called)) == len(called):
        return found
    return tuple(replace(one, name=fault.name) for one, fault in zip(found, faults, strict=True))


def _portable(fault: Fault, names: Names) -> Fault:
    known = {"function": names.functions, "queue": names.queues, "resource": names.resources}
    patterns = {field: pattern(getattr(fault, field), some) for field, some in known.items()}
    called = fault.name
    for field, found in patterns.items():
        if found != (given := getattr(fault, field)):
            called = called.replace(slug(given), slug(found))
    where = patterns["function"], patterns["queue"], patterns["resource"]
    return replace(fault, name=called, function=where[0], queue=where[1], resource=where[2])


def pattern(name: str, others: Collection[str]) -> str:
    """The name with ``*`` for what is made up of it; as it is where that would be another's name too."""
    found = _MADE_UP.fullmatch(name)
    if name == ANY or found is None:
        return name
    wide = f"{found['stem']}-*{found['kind'] or ''}"
    return wide if all(one == name or not matches(wide, one) for one in others) else name


def slug(text: str) -> str:
    """The text as a fault's name may hold it."""
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower())
    return "-".join(filter(None, kept.split("-")))
