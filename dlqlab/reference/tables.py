"""Markdown tables, and units by name."""

from collections.abc import Iterable, Sequence

UNITS = {
    "_per_s": "1/s",
    "_ms": "ms",
    "_s": "s",
    "_ts": "s since the epoch",
    "_bytes": "bytes",
    "_days": "days",
    "_mb": "MB",
    "_rate": "ratio",
    "_ratio": "ratio",
    "_half_width": "ratio",
    "confidence": "ratio",
}
"""The end of a name -> the unit that it stands for. Longer ends first: ``_per_s`` is not ``_s``."""


def unit_of(name: str) -> str:
    """The unit that a name ends with; empty for names without one."""
    return next((unit for end, unit in UNITS.items() if name.lower().endswith(end)), "")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; vertical lines inside of cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """A value as code; an empty text as nothing."""
    return f"`{value}`" if str(value) else ""
