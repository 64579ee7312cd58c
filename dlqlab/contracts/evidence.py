"""The evidence of one run in memory: what the manifest says and every table that could be read.

A table that is missing or unreadable is kept with its reason: the checks that need it answer unknown, the others are
not held up by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dlqlab.contracts.alarms import Alarms, read_alarms
from dlqlab.contracts.cell_samples import whole
from dlqlab.contracts.end_state import EndState, Played, read_end_state, read_references
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.states import States, read_states
from dlqlab.contracts.tables import TABLES
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError

NOT_THERE = "is not there"
BAD_LINES = "bad_lines.jsonl"
"""Log lines that say they are events and break the schema, one JSON object a line; the file is absent without any."""
OTHER_LINES = "other_lines.jsonl"
"""Prints and tracebacks, as far as they are kept, in the same form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """Manifest and tables of one run. ``unreadable`` maps the name of a table to why it is not in ``tables``, and
    ``recording``, ``end``, ``alarms`` and ``states`` to why there is none although something was kept.
    """

    manifest: Manifest
    tables: Mapping[str, pd.DataFrame]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    bad_lines: tuple[str, ...] = ()
    topology: Topology | None = None  # what the pipeline consists of; None where the run does not say
    recording: Recording | None = None  # what the emulator recorded; None where nothing was, or it cannot be read
    states: States | None = None  # of the tasks, where their owner says they stand; None where nobody looked
    alarms: Alarms | None = None  # CloudWatch's alarms; None where nobody looked
    end: EndState | None = None  # what is left in tables, buckets and queues; None where nobody looked
    references: tuple[Played, ...] = ()  # plays of the same tasks that this one is held against
    raw_parts: tuple[str, ...] = ()  # what was written while the run went on, before it became tables

    def table(self, name: str) -> pd.DataFrame:
        """One table.

        Raises:
            EvidenceError: it could not be read.
        """
        if name not in self.tables:
            reason = self.unreadable.get(name, "was not collected")
            raise EvidenceError(f"table {name} {reason}" if reason == NOT_THERE else f"table {name}: {reason}")
        return self.tables[name]


def load_evidence(run: RunDir) -> RunEvidence:
    """Everything that a run directory holds; samples of several cells are added up.

    Raises:
        EvidenceError: the manifest is missing or cannot be used.
    """
    manifest = run.read_manifest()
    tables: dict[str, pd.DataFrame] = {}
    unreadable: dict[str, str] = {}
    for name in TABLES:
        try:
            tables[name] = whole(name, run.read(name))
        except EvidenceError as error:
            unreadable[name] = str(error) if run.has(name) else NOT_THERE
    recording = _kept("recording", read_recording, run, unreadable)
    alarms = _kept("alarms", read_alarms, run, unreadable)
    states = _kept("states", read_states, run, unreadable)
    end = _kept("end", read_end_state, run, unreadable)
    references = _kept("end", read_references, run, unreadable) or ()
    bad_lines = _lines(run.path / BAD_LINES)
    return RunEvidence(
        manifest=manifest,
        tables=tables,
        unreadable=unreadable,
        bad_lines=bad_lines,
        topology=run.read_topology(),
        recording=recording,
        states=states,
        alarms=alarms,
        end=end,
        references=references,
        raw_parts=_raw_parts(run),
    )


def _kept[T](name: str, read: Callable[[RunDir], T | None], run: RunDir, unreadable: dict[str, str]) -> T | None:
    """What a file of the run holds; None where it is not there, or cannot be read, which is noted under the name."""
    try:
        return read(run)
    except EvidenceError as error:
        unreadable[name] = str(error)
    return None


def _raw_parts(run: RunDir) -> tuple[str, ...]:
    """Files of JSON lines, and the clients' journals with their number."""
    journals = len(list(run.ledger_parts.glob("*.jsonl")))
    ledger = (f"{run.ledger_parts.name}/ ({journals})",) if journals else ()
    return (*ledger, *sorted(path.name for path in run.path.glob("*.jsonl") if path.name != BAD_LINES))


def _lines(path: Path) -> tuple[str, ...]:
    if not path.exists():
        return ()
    try:
        return tuple(line for line in path.read_text().splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: cannot be read: {error}") from error
