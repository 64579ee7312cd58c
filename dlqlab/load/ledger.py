"""The ledger: the journals of all load generator processes as one table, and a follower for progress."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dlqlab.contracts.outcomes import UNKNOWN
from dlqlab.contracts.tables import frame
from dlqlab.errors import EvidenceError
from dlqlab.load.journal import INVOKED_PREFIX, PART_PATTERN

CHUNK_ROWS = 50_000
NEVER_COMPLETED = "no completion was recorded"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The LEDGER table, and how whole its sources were."""

    rows: pd.DataFrame
    torn_lines: int
    """Last lines that a crash cut off: at most one for each process."""
    never_completed: int
    """Requests without an answer or error on record; their outcome is unknown."""


def read_ledger(folder: Path) -> Ledger:
    """Join the journals under a folder; rows are in order of sending.

    A last line without its newline is what a crash leaves: it is counted and left out. A request whose journal says
    nothing more gets the outcome ``unknown``.

    Raises:
        EvidenceError: there is no journal, a line is damaged, a request id occurs twice, or a completion has no
            request.
    """
    parts = sorted(folder.glob(PART_PATTERN))
    if not parts:
        raise EvidenceError(f"{folder}: holds no journal of a load generator")
    frames: list[pd.DataFrame] = []
    torn = open_requests = 0
    for path in parts:
        part = _Part(path)
        frames.extend(part.chunks())
        torn += part.torn
        open_requests += part.never_completed
    rows = pd.concat(frames, ignore_index=True) if frames else frame("ledger", [])
    duplicates = sorted(rows.loc[rows["request_id"].duplicated(), "request_id"].unique())
    if duplicates:
        raise EvidenceError(f"{folder}: {len(duplicates)} request ids occur twice, such as {duplicates[0]}")
    rows = rows.sort_values("sent_ts", kind="stable", ignore_index=True)
    return Ledger(rows=rows, torn_lines=torn, never_completed=open_requests)


class _Part:
    """One journal, read once in constant memory but for the requests that are open at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.torn = 0
        self.never_completed = 0

    def chunks(self) -> Iterator[pd.DataFrame]:
        for rows in itertools.batched(self._rows(), CHUNK_ROWS, strict=False):
            yield frame("ledger", rows)

    def _rows(self) -> Iterator[dict[str, Any]]:
        pending: dict[str, dict[str, Any]] = {}
        for number, line in self._lines():
            kind = line.pop("kind")
            request = line["request_id"]
            if kind == "invoked" and request not in pending:
                pending[request] = line
            elif kind == "completed" and request in pending:
                yield {**pending.pop(request), **line}
            else:
                raise EvidenceError(f"{self._path}:{number}: {kind} does not fit request {request}")
        self.never_completed = len(pending)
        for row in pending.values():
            yield {**row, "outcome": UNKNOWN, "error": NEVER_COMPLETED}

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    self.torn += 1
                    return
                try:
                    value = json.loads(line)
                    known = value["kind"] in {"invoked", "completed"} and isinstance(value["request_id"], str)
                except (ValueError, TypeError, KeyError) as error:
                    raise EvidenceError(f"{self._path}:{number}: is not a line of a journal: {error}") from error
                if not known:
                    raise EvidenceError(f"{self._path}:{number}: is not a line of a journal")
                yield number, value


class LedgerFollower:
    """Counts the requests that have been sent while the journals grow, reading each byte once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offsets: dict[Path, int] = {}
        self._sent = 0

    def sent(self) -> int:
        """Requests on record by now."""
        for path in self.folder.glob(PART_PATTERN):
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]  # the rest is a line in the making
            # A quote inside a payload is escaped, so the prefix occurs at the start of a line only.
            self._sent += whole.count(INVOKED_PREFIX)
            self._offsets[path] = self._offsets.get(path, 0) + len(whole)
        return self._sent
