"""Frozen dataclasses in JSON files of their own in a run directory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dlqlab.contracts.plain import ShapeError, from_plain, to_plain
from dlqlab.contracts.rundir import read_json, write_json
from dlqlab.errors import EvidenceError


def write_plain(path: Path, value: object) -> None:
    """The dataclass as the file's only object."""
    write_json(path, dict(cast("Mapping[str, Any]", to_plain(value))))


def read_plain[T](path: Path, kind: type[T]) -> T | None:
    """The dataclass of a file; None where there is none.

    Raises:
        EvidenceError: the file cannot be read; names it and the field.
    """
    if not path.exists():
        return None
    try:
        return from_plain(kind, read_json(path))
    except ShapeError as error:
        raise EvidenceError(f"{path}: {error}") from error
