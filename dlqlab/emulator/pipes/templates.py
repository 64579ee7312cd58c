"""The input template of a pipe: text with ``<$.path>`` and ``<aws.pipes...>`` in it, out of one event.

Source: "Amazon EventBridge Pipes input transformation" (EventBridge user guide): a value in quotes is put in as text,
another as JSON; the body of an SQS message is read as JSON where a path goes into it, and so is the data of a record of
Kinesis, out of its base64.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"<(\$(?:\.[^<>]*|\[[^<>]*)?|aws\.pipes\.[a-zA-Z.-]+)>")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\s*['\"]([^'\"]+)['\"]\s*\]")
_MISSING = object()
IMPLICIT = "body"
_ENCODED = "data"
RESERVED = frozenset({
    "aws.pipes.pipe-arn", "aws.pipes.pipe-name", "aws.pipes.source-arn", "aws.pipes.enrichment-arn",
    "aws.pipes.target-arn", "aws.pipes.event.ingestion-time", "aws.pipes.event", "aws.pipes.event.json",
})  # fmt: skip

type Event = Any


class TemplateError(ValueError):
    """A template or a path is not one that a pipe takes."""


def check(template: str) -> None:
    """Refuse variables and paths that do not exist.

    Raises:
        TemplateError: of the first one.
    """
    for found in _VARIABLE.finditer(template):
        if found[1].startswith("$"):
            _steps(found[1])
        elif found[1] not in RESERVED:
            raise TemplateError(f"the variable <{found[1]}> does not exist: there are {', '.join(sorted(RESERVED))}")


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    place = 1
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            raise TemplateError(f"the path {path} is not served from {path[place:]!r} on: give names and indexes")
        steps.append(int(step[2]) if step[2] is not None else step[1] or step[3])
        place = step.end()
    return steps


def value_at(path: str, event: Event) -> Any | None:
    """The value at a path; None where there is none.

    Raises:
        TemplateError: it is no path.
    """
    found = event
    for number, step in enumerate(_steps(path)):
        if number == 1 and isinstance(found, str):
            first = _steps(path)[0]
            found = _parsed(found) if first == IMPLICIT else _decoded(found) if first == _ENCODED else found
        found = _child(found, step)
        if found is _MISSING:
            return None
    return found


def _decoded(text: str) -> Any:
    try:
        return _parsed(base64.b64decode(text, validate=True).decode())
    except ValueError:
        return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _child(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING
    return value[step] if isinstance(value, list) and step < len(value) else _MISSING


def render(template: str | None, event: Event, reserved: Mapping[str, Any]) -> Event:
    """The event as the template makes it: JSON where it is JSON, else text. Without a template it stays as it is.

    Args:
        reserved: values of the variables of the pipe, by name without ``aws.pipes.``.

    Raises:
        TemplateError: the template is not one.
    """
    if not template:
        return event
    pieces, place = [], 0
    for found in _VARIABLE.finditer(template):
        pieces.append(template[place : found.start()])
        place = found.end()
        pieces.append(_put(found[1], event, reserved, is_text=_is_quoted("".join(pieces))))
    return _parsed("".join([*pieces, template[place:]]))


def _put(name: str, event: Event, reserved: Mapping[str, Any], *, is_text: bool) -> str:
    if name.startswith("$"):
        value = value_at(name, event)
    elif name in {"aws.pipes.event", "aws.pipes.event.json"}:
        value = event
    elif name in RESERVED:
        value = reserved.get(name.removeprefix("aws.pipes."))
    else:
        raise TemplateError(f"the variable <{name}> does not exist")
    if not is_text:
        return '""' if value is None else json.dumps(value, ensure_ascii=False)
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _is_quoted(before: str) -> bool:
    """Whether what comes next stands within a JSON text, or in a template that is no JSON at all."""
    if not before.lstrip().startswith(("{", "[", '"')) and before.strip():
        return True
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', before)) % 2 == 1
