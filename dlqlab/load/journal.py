"""The journal of one load generator process: JSON lines, appended, two for each request.

``{"kind":"invoked", request_id, task_id, payload, worker, sent_ts}`` is with the operating system before the request
leaves; ``{"kind":"completed", request_id, done_ts, outcome, status_code, latency_ms, error}`` follows when the answer
or the error is there. A request without the second line has an unknown outcome. The columns are those of the LEDGER
table in ``dlqlab.contracts.tables``; ``payload`` is JSON in a string.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from dlqlab.contracts.outcomes import ACKNOWLEDGED, REFUSED, REJECTED, REPLAYED, UNKNOWN

INVOKED_PREFIX = b'{"kind":"invoked",'
"""How every line of a request that is about to leave begins: what a follower may count."""
JOURNAL_SUFFIX = ".jsonl"
PART_PATTERN = f"*{JOURNAL_SUFFIX}"
SETTINGS_SUFFIX = ".settings.json"
"""After a worker's name: what it was asked to send and where to, written before its first request."""
SUMMARY_SUFFIX = ".summary.json"
"""After a worker's name: what it did, written when its load has ended."""

OUTCOMES: Mapping[int, str] = {202: ACKNOWLEDGED, 200: REPLAYED, 503: REFUSED}


def outcome_of(status_code: int | None, accepted: frozenset[int] | None = None) -> str:
    """What an HTTP status says about the task.

    Every status that the API does not document, and every 5xx but 503, says nothing: the task may have been taken.
    ``accepted``: the statuses by which another API than the task system's takes it.
    """
    if status_code is None:
        return UNKNOWN
    if accepted is not None and status_code not in range(400, 500):
        return ACKNOWLEDGED if status_code in accepted else UNKNOWN
    if status_code in range(400, 500):
        return REJECTED
    return OUTCOMES.get(status_code, UNKNOWN)


def worker_name(index: int, pid: int, first: int) -> str:
    """The name of a process's journal: which worker, which process, the first task of its load."""
    # The random part: two loads, or two containers, may have the same numbers, and their ledgers be put together.
    return f"w{index}-{pid}-{first}-{secrets.token_hex(3)}"


def process_of(worker: str) -> int:
    """The process id in a journal's name."""
    return int(worker.split("-")[1])


class Journal:
    """Appends the lines of one process; each line is one write, so that a crash tears at most the last one."""

    def __init__(self, folder: Path, worker: str) -> None:
        """Start a new file.

        Raises:
            FileExistsError: there is a journal of this worker already.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.worker = worker
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(folder / f"{worker}{JOURNAL_SUFFIX}", flags, 0o644)
        self._requests = 0

    def invoked(self, *, task_id: str, payload_json: str, sent_ts: float) -> str:
        """Note that a request is about to leave; its id."""
        self._requests += 1
        request_id = f"{self.worker}-{self._requests:08d}"
        self._append(
            {
                "kind": "invoked",
                "request_id": request_id,
                "task_id": task_id,
                "payload": payload_json,
                "worker": self.worker,
                "sent_ts": sent_ts,
            }
        )
        return request_id

    def completed(
        self,
        request_id: str,
        *,
        done_ts: float,
        status_code: int | None,
        latency_ms: float,
        error: str | None,
        accepted: frozenset[int] | None = None,
    ) -> None:
        """Note the answer (``status_code``) or the error (None) of a request; ``accepted`` as in ``outcome_of``."""
        self._append(
            {
                "kind": "completed",
                "request_id": request_id,
                "done_ts": done_ts,
                "outcome": outcome_of(status_code, accepted),
                "status_code": status_code,
                "latency_ms": round(latency_ms, 3),
                "error": error,
            }
        )

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, line: Mapping[str, object]) -> None:
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._descriptor, data)
        if written != len(data):
            raise OSError(f"journal of {self.worker}: {written} of {len(data)} bytes written, is the disk full?")
