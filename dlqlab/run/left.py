"""What a run that broke leaves behind: its samples as tables, and a note that says where they lie and what they are."""

from collections.abc import Iterator
from contextlib import contextmanager

from dlqlab.collect.collect import SAMPLES
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError
from dlqlab.load.ledger import read_ledger
from dlqlab.paths import shown
from dlqlab.wording import count

_ROWS = {
    "ledger": ("request", "requests"),
    "queues": ("queue sample", "queue samples"),
    "host": ("sample of processes", "samples of processes"),
}
"""Tables whose sources lie in the run directory while the load lasts, and what one row and several are."""


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
    for table, what in _ROWS.items():
        try:
            rows = SAMPLES[table](run.path) if table in SAMPLES else read_ledger(run.ledger_parts).rows
            run.write(table, rows)
        except (EvidenceError, OSError):
            continue  # not begun yet, or the disk is full: raw files stay, and the report says which table is missing
        parts.append(f"{table} ({count(len(rows), *what)})")
    path = shown(run.path)
    held = f"evidence: {path} holds {', '.join(parts) or 'nothing yet'}"
    if not run.manifest_path.exists():
        return f"{held}; dlqlab collect {path} makes a run of it"
    return f"{held}; dlqlab report {path} judges it: unknown, never valid"
