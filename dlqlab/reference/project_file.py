"""docs/project-file.md from the code: every field of dlqlab.toml with its default and meaning."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from dlqlab import paths
from dlqlab.contracts.injection import KINDS, Fault, Kind
from dlqlab.contracts.project import Project
from dlqlab.load import templates
from dlqlab.reference.tables import code, table, unit_of
from taskrules.bounds import bounds_of

PAGE = paths.DOCS / "project-file.md"
_HEAD = """# The project file

`dlqlab.toml` lies in your repository, beside the template or the code; nothing else of dlqlab does. `dlqlab adopt`
writes it, `dlqlab run` reads it there or in a folder above, up to the repository's root. Everything may be left out. A
field that is unknown, of a wrong type or out of its range is an error that names it. This page is made from the code.
"""
_FIELDS = """## Templates

`{{...}}` in `entry.body` and in the other templates is filled for each task. What is drawn is a function of the seed,
the task's number and the place in the template, so that a run with the same seed sends the same bodies.

"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections(), _FIELDS + _template_fields()]) + "\n"


def _sections() -> Iterator[str]:
    hints = typing.get_type_hints(Project)
    inner = {name: kind for name, kind in hints.items() if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    yield _section("At the top", Project, skip={**inner, "faults": Fault})
    for name, kind in inner.items():
        yield _section(f"`[{name}]`", kind)
    yield _section("`[[faults]]`", Fault)
    yield table(("Kind", "Strikes", "`delay_s`", "What is done"), [_kind_row(one) for one in KINDS]) + "\n"


def _section(title: str, kind: type, skip: Mapping[str, Any] | None = None) -> str:
    rows = [_row(one) for one in dataclasses.fields(typing.cast(Any, kind)) if one.name not in (skip or {})]
    said = " ".join((kind.__doc__ or "").split())
    return f"## {title}\n\n{said}\n\n{table(('Field', 'Default', 'Unit', 'May be', 'Meaning'), rows)}\n"


def _kind_row(kind: Kind) -> tuple[str, ...]:
    meaning = KINDS[kind]
    return code(kind), meaning.place, f"{meaning.delay_s:g}" if meaning.delay_s else "", meaning.text


def _row(one: "dataclasses.Field[Any]") -> tuple[str, ...]:
    bounds = bounds_of(one)
    if bounds is None:
        raise TypeError(f"{one.name} does not say what it means: make it with setting()")
    default = "" if one.default in (dataclasses.MISSING, None, "", ()) else code(_plain(one.default))
    return code(one.name), default, unit_of(one.name), bounds.give, bounds.meaning


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _template_fields() -> str:
    rows = [(code(field), meaning) for field, meaning in templates.MEANINGS.items()]
    return table(("Field", "What it becomes"), rows)
