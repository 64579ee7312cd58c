"""The evidence of one run in memory: what the manifest says and every table that could be read.

A table that is missing or unreadable is kept with its reason: the checks that need it answer unknown, the others are
not held up by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from dlqlab.contracts.cells import whole
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.contracts.tables import TABLES
from dlqlab.contracts.topology import Topology
from dlqlab.errors import EvidenceError, ScenarioError

NOT_THERE = "is not there"
BAD_LINES = "bad_lines.jsonl"
"""Log lines that say they are events and break the schema, one JSON object a line; the file is absent without any."""
OTHER_LINES = "other_lines.jsonl"
"""Prints and tracebacks, as far as they are kept, in the same form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryProbe:
    """How late the emulator alone delivers a message again, measured before the load."""

    n: int
    median_s: float
    p95_s: float
    backoff_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The facts of ``manifest.json`` that the judgement rests on; times in seconds since the epoch.

    A time that the run did not reach is None. ``run_started_ts`` is what outages count from. ``raw`` is the whole file.
    ``functions_run_id`` is what the functions logged as their run: of a load by hand that is not the run's own name.
    """

    run_id: str
    scenario: Scenario
    functions_run_id: str = ""
    target: str = "local"
    simulated: bool = False
    finished: bool = False
    drained: bool = False
    run_started_ts: float | None = None
    load_started_ts: float | None = None
    load_ended_ts: float | None = None
    drain_ended_ts: float | None = None
    retry_probe: RetryProbe | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """Manifest and tables of one run. ``unreadable`` maps the name of a table to why it is not in ``tables``."""

    manifest: Manifest
    tables: Mapping[str, pd.DataFrame]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    bad_lines: tuple[str, ...] = ()
    topology: Topology | None = None  # what the pipeline consists of; None where the run does not say
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


def parse_manifest(value: Mapping[str, Any]) -> Manifest:
    """The facts of a manifest; keys that are not needed are ignored.

    Raises:
        EvidenceError: a needed key is missing or of a wrong type.
    """
    try:
        probe = value.get("retry_probe")
        return Manifest(
            run_id=str(value["run_id"]),
            scenario=from_dict(value["scenario"], source="manifest.json"),
            functions_run_id=str(value.get("functions_run_id") or value["run_id"]),
            target=str(value.get("target", "local")),
            simulated=bool(value.get("simulated", False)),
            finished=value["finished"] is True,
            drained=value["drained"] is True,
            run_started_ts=None if value.get("run_started_ts") is None else _time(value, "run_started_ts"),
            load_started_ts=_time(value, "load_started_ts"),
            load_ended_ts=_time(value, "load_ended_ts"),
            drain_ended_ts=_time(value, "drain_ended_ts"),
            retry_probe=None if probe is None else _probe(probe),
            raw=dict(value),
        )
    except (KeyError, TypeError, ValueError, ScenarioError) as error:
        raise EvidenceError(f"manifest.json: {type(error).__name__}: {error}") from error


def load_evidence(run: RunDir) -> RunEvidence:
    """Everything that a run directory holds; samples of several cells are added up.

    Raises:
        EvidenceError: the manifest is missing or lacks what every judgement needs.
    """
    manifest = parse_manifest(run.read_manifest())
    tables: dict[str, pd.DataFrame] = {}
    unreadable: dict[str, str] = {}
    for name in TABLES:
        try:
            tables[name] = whole(name, run.read(name))
        except EvidenceError as error:
            unreadable[name] = str(error) if run.has(name) else NOT_THERE
    bad_lines = _lines(run.path / BAD_LINES)
    return RunEvidence(
        manifest=manifest,
        tables=tables,
        unreadable=unreadable,
        bad_lines=bad_lines,
        topology=run.read_topology(),
        raw_parts=_raw_parts(run),
    )


def _raw_parts(run: RunDir) -> tuple[str, ...]:
    """Files of JSON lines, and the clients' journals with their number."""
    journals = len(list(run.ledger_parts.glob("*.jsonl")))
    ledger = (f"{run.ledger_parts.name}/ ({journals})",) if journals else ()
    return (*ledger, *sorted(path.name for path in run.path.glob("*.jsonl") if path.name != BAD_LINES))


def _time(value: Mapping[str, Any], key: str) -> float | None:
    moment = value[key]
    return None if moment is None else float(moment)


def _probe(value: Mapping[str, Any]) -> RetryProbe:
    return RetryProbe(
        n=int(value["n"]),
        median_s=float(value["median_s"]),
        p95_s=float(value["p95_s"]),
        backoff_s=int(value["backoff_s"]),
    )


def _lines(path: Path) -> tuple[str, ...]:
    if not path.exists():
        return ()
    try:
        return tuple(line for line in path.read_text().splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: cannot be read: {error}") from error
