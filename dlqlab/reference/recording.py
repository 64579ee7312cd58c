"""docs/recorded-tables.md, all of it from the code."""

from collections.abc import Iterator
from enum import StrEnum

import pyarrow as pa

from dlqlab import paths
from dlqlab.contracts.recorded import ActorKind, Kind, Outcome
from dlqlab.contracts.recording import TABLES, Column
from dlqlab.reference.tables import code, table

PAGE = paths.DOCS / "recorded-tables.md"
_INTRODUCTION = """\
# The recorder's tables

What the [flight recorder](recorder.md) leaves in a [run directory](run-directory.md), in `recording/`. This page is
written from the code by `make docs`; a test holds it to that.

Rows are in the order of their times. *Null* says that a column may be null: it is wherever its value is not known."""
_TYPES = {
    pa.string(): "text",
    pa.float64(): "number",
    pa.int64(): "whole number",
    pa.bool_(): "true or false",
    pa.list_(pa.string()): "list of texts",
}
_WORDS: tuple[tuple[str, type[StrEnum]], ...] = (
    ("Kinds of `messages.kind`", Kind),
    ("Actors of `actor_kind`", ActorKind),
    ("Outcomes of `invocations.outcome`", Outcome),
)


def page() -> str:
    """The whole page."""
    return "\n\n".join([_INTRODUCTION, *_tables(), *_words()]) + "\n"


def _tables() -> Iterator[str]:
    for name, columns in TABLES.items():
        yield f"## `{name}.parquet`"
        yield table(("Column", "Type", "Unit", "Null", "Meaning"), (_row(*item) for item in columns.items()))


def _row(name: str, column: Column) -> tuple[str, ...]:
    return code(name), _TYPES[column.dtype], column.unit, "yes" if column.nullable else "", column.meaning


def _words() -> Iterator[str]:
    yield "## Words"
    yield "What each of them means: [flight recorder](recorder.md)."
    for title, words in _WORDS:
        yield f"{title}: {', '.join(code(word) for word in words)}."
