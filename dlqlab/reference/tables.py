"""Markdown tables, units by name, and ranges by asking for the impossible."""

from collections.abc import Callable, Iterable, Sequence

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
IMPOSSIBLE_NUMBERS = (-(10**18), 10**18)


def unit_of(name: str) -> str:
    """The unit that a name ends with; empty for names without one."""
    return next((unit for end, unit in UNITS.items() if name.lower().endswith(end)), "")


def range_of(name: str, refused: Callable[[float], str | None]) -> str:
    """What a setting may be, in the words of the error that refuses an impossible number.

    ``refused`` gives a value to the code and returns its error, None where it takes the value.
    """
    for value in IMPOSSIBLE_NUMBERS:
        error = refused(value)
        if error is not None and f"{name} is " in error and ": give " in error:
            return error.rpartition(": give ")[2].partition(": ")[0]
    return ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; vertical lines inside of cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """A value as code; an empty text as nothing."""
    return f"`{value}`" if str(value) else ""
