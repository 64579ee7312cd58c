"""Parts: JSON lines that a sampler appends while it runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlqlab.errors import EvidenceError


def read_part(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a part; a last line without its newline is what a crash leaves, and is left out.

    Raises:
        EvidenceError: the file is missing, or a whole line is not a JSON object.
    """
    try:
        file = path.open()
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                return
            try:
                row = json.loads(line)
            except ValueError as error:
                raise EvidenceError(f"{path}:{number}: is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise EvidenceError(f"{path}:{number}: holds a {type(row).__name__}, not an object")
            yield row
