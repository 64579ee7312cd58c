"""What a run that broke leaves behind: its samples as tables, and a note that says where they lie and what they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd

from dlqlab.collect.host import read_host
from dlqlab.collect.queues import read_queues
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError
from dlqlab.load.ledger import read_ledger
from dlqlab.paths import shown
from dlqlab.wording import count

_SOURCES: dict[str, tuple[str, Callable[[RunDir], pd.DataFrame]]] = {
    "ledger": ("request", lambda run: read_ledger(run.ledger_parts).rows),
    "queues": ("queue sample", lambda run: read_queues(run.path)),
    "host": ("sample of processes", lambda run: read_host(run.path)),
}
"""Tables whose sources lie in the run directory while the load lasts: what a row is, and how they are read."""


@contextmanager
def leaving_evidence(run: RunDir) -> Iterator[None]:
    """Whatever breaks the block, also Ctrl-C: what was written is kept as tables, and the error says what there is."""
    try:
        yield
    except BaseException as error:
        error.add_note(keep(run))
        raise


def keep(run: RunDir) -> str:
    """Make tables of what was written so far, and say what the run directory holds."""
    parts = ["manifest"] if run.manifest_path.exists() else []
    for table, (what, read) in _SOURCES.items():
        try:
            rows = read(run)
            run.write(table, rows)
        except (EvidenceError, OSError):
            continue  # not begun yet, or the disk is full: raw files stay, and the report says which table is missing
        parts.append(f"{table} ({_rows(len(rows), what)})")
    path = shown(run.path)
    held = f"evidence: {path} holds {', '.join(parts) or 'nothing yet'}"
    if not run.manifest_path.exists():
        return f"{held}; dlqlab collect {path} makes a run of it"
    return f"{held}; dlqlab report {path} judges it: unknown, never valid"


def _rows(n: int, what: str) -> str:
    return count(n, what, "samples of processes" if what == "sample of processes" else None)
