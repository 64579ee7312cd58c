"""The constraints of an API's model: lengths, ranges, patterns, enumerations, what must be there.

LocalStack parses requests by the model and does not look at them. The texts are those of AWS's own validation, as
"ValidationException" of Kinesis and Firehose has them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import Shape

_COUNTED = frozenset({"string", "blob", "list", "map"})


def violations(shape: Any, value: Any, place: str = "") -> Iterator[str]:
    """Each constraint that a value breaks, in the words of AWS.

    Args:
        shape: of the API's model, as botocore has it; members of structures are told by their names, from ``place`` on.
    """
    if shape.type_name == "structure":
        yield from _of_structure(shape, value, place)
        return
    yield from (f"{_shown(shape, value)} at '{place}' failed to satisfy constraint: Member must {said}"
                for said in _broken(shape, value))  # fmt: skip
    if shape.type_name == "list":
        for number, one in enumerate(value, 1):
            yield from violations(shape.member, one, f"{place}.{number}.member")


def _of_structure(shape: Any, value: Mapping[str, Any], place: str) -> Iterator[str]:
    for name, member in shape.members.items():
        at = f"{place}.{_lower(name)}" if place else _lower(name)
        if value.get(name) is not None:
            yield from violations(member, value[name], at)
        elif name in shape.required_members:
            yield f"Value null at '{at}' failed to satisfy constraint: Member must not be null"


def text(found: list[str]) -> str:
    """The message of the error."""
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return f"{count}: {'; '.join(found)}"


def _broken(shape: Shape, value: Any) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    is_counted = shape.type_name in _COUNTED
    size, what = (len(value), "length") if is_counted else (value, "value")
    if least is not None and size < least:
        yield f"have {what} greater than or equal to {least}"
    if most is not None and size > most:
        yield f"have {what} less than or equal to {most}"
    pattern, enum = shape.metadata.get("pattern"), getattr(shape, "enum", None)
    if pattern and shape.type_name == "string" and not re.fullmatch(pattern, value):
        yield f"satisfy regular expression pattern: {pattern}"
    if enum and value not in enum:
        yield f"satisfy enum value set: [{', '.join(enum)}]"


def _shown(shape: Shape, value: Any) -> str:
    return "Value" if shape.type_name == "blob" else f"Value '{value}'"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
