"""Rows for templates: a CSV file with a line of names, or JSON Lines."""

import csv
import json
from pathlib import Path

from dlqlab.errors import UsageError
from dlqlab.load.templates import Row

ROWS_MAX = 1_000_000


def read_rows(path: Path) -> list[Row]:
    """All rows of a file.

    Raises:
        UsageError: it cannot be read, holds no row, or a line is not what its name promises.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if path.suffix == ".csv":
                found: list[Row] = list(csv.DictReader(file))
            elif path.suffix in {".jsonl", ".ndjson"}:
                found = [_row(line, path, number) for number, line in enumerate(file, start=1) if line.strip()]
            else:
                raise UsageError(f"entry.rows is {path.name!r}: give a file that ends in .csv, .jsonl or .ndjson")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"entry.rows: {path}: cannot be read: {error}") from error
    if not 0 < len(found) <= ROWS_MAX:
        raise UsageError(f"entry.rows: {path} has {len(found):,} rows: give 1 to {ROWS_MAX:,}")
    return found


def _row(line: str, path: Path, number: int) -> Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise UsageError(f"entry.rows: {path}:{number} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError(f"entry.rows: {path}:{number} is no JSON object")
    return value
