"""A run directory: one folder holds everything that is known about one run.

``manifest.json`` says what was run, ``topology.json`` what the pipeline consists of, the Parquet tables hold the
evidence (see ``tables``), ``verdict.json`` the judgement, ``report.ipynb``, ``report.html`` and ``tasks.html`` the
explanation. Raw files are complete before analysis starts; analysis writes only its own four.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dlqlab.contracts.lookup import LATEST, MANIFEST
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.tables import TABLES, conform
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.topology_file import from_json
from dlqlab.errors import EvidenceError, TopologyError


@dataclass(frozen=True, slots=True)
class RunDir:
    """The files of one run."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        return self.path / MANIFEST

    @property
    def topology_path(self) -> Path:
        return self.path / "topology.json"

    @property
    def verdict_path(self) -> Path:
        return self.path / "verdict.json"

    @property
    def notebook_path(self) -> Path:
        return self.path / "report.ipynb"

    @property
    def html_path(self) -> Path:
        return self.path / "report.html"

    @property
    def tasks_path(self) -> Path:
        """Page of single tasks, beside the report."""
        return self.path / "tasks.html"

    @property
    def ledger_parts(self) -> Path:
        """Folder of the JSON lines that the load generator writes while it runs."""
        return self.path / "ledger"

    @property
    def recording_path(self) -> Path:
        """Folder of what the emulator recorded; it is not there where nothing was: see ``recorded_run``."""
        return self.path / "recording"

    def table_path(self, table: str) -> Path:
        return self.path / f"{table}.parquet"

    def has(self, table: str) -> bool:
        return self.table_path(table).exists()

    def read(self, table: str) -> pd.DataFrame:
        """One table.

        Raises:
            EvidenceError: the file is missing or cannot be read.
        """
        path = self.table_path(table)
        try:
            return conform(table, pd.read_parquet(path))
        except FileNotFoundError as error:
            raise EvidenceError(f"{path}: is not there") from error
        except (OSError, ValueError, TypeError) as error:
            raise EvidenceError(f"{path}: cannot be read as table {table}: {_reason(error, path)}") from error

    def write(self, table: str, data: pd.DataFrame) -> None:
        """One table, atomically: a reader sees the old file or the whole new one."""
        path = self.table_path(table)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        conform(table, data).to_parquet(partial, index=False)
        partial.replace(path)

    def missing(self) -> tuple[str, ...]:
        """Tables that are not there."""
        return tuple(table for table in TABLES if not self.has(table))

    def read_manifest(self) -> Manifest:
        """The manifest.

        Raises:
            EvidenceError: the file is missing or is not a manifest; names the key.
        """
        return Manifest.from_json(read_json(self.manifest_path), source=str(self.manifest_path))

    def write_manifest(self, value: Manifest) -> None:
        write_json(self.manifest_path, value.to_json())

    def read_topology(self) -> Topology | None:
        """What the pipeline was declared to consist of; None where nobody wrote it down.

        Raises:
            EvidenceError: the file cannot be read.
        """
        return self._topology("declared")

    def read_deployed(self) -> Topology | None:
        """The pipeline as it was found deployed, with its settings; None where nobody looked.

        Raises:
            EvidenceError: the file cannot be read.
        """
        return self._topology("deployed")

    def _topology(self, which: str) -> Topology | None:
        if not self.topology_path.exists():
            return None
        try:
            found = read_json(self.topology_path)[which]
            return None if found is None else from_json(found, source=self.topology_path.name)
        except (KeyError, TopologyError) as error:
            raise EvidenceError(f"{self.topology_path}: cannot be read: {error}") from error

    def read_differences(self) -> list[str]:
        """In what the deployment was not what was declared, one sentence each; none where nobody wrote it down."""
        return list(read_json(self.topology_path)["differences"]) if self.topology_path.exists() else []

    def write_topology(
        self, declared: Topology, *, deployed: Topology | None = None, differences: Sequence[str] = ()
    ) -> None:
        """The pipeline as declared, as deployed where anybody looked, and how the two differ."""
        found = deployed.to_json() if deployed else None
        value = {"declared": declared.to_json(), "deployed": found, "differences": list(differences)}
        write_json(self.topology_path, value)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        EvidenceError: the file is missing or is not a JSON object.
    """
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: cannot be read: {_reason(error, path)}") from error
    if not isinstance(value, dict):
        raise EvidenceError(f"{path}: holds a {type(value).__name__}, not a JSON object")
    return value


def _reason(error: Exception, path: Path) -> str:
    """Why, without the path, which errors of the system and of Parquet repeat."""
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).replace(str(path), path.name)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON object to a file, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    partial.replace(path)


def point_latest(run: RunDir) -> None:
    """Make ``runs/latest`` point at this run."""
    link = run.path.parent / LATEST
    partial = run.path.parent / f".{LATEST}.{os.getpid()}"
    partial.unlink(missing_ok=True)
    partial.symlink_to(run.path.name)
    partial.replace(link)


def runs(root: Path) -> Iterator[RunDir]:
    """Every run directory under the folder, oldest first."""
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if not path.is_symlink() and (path / MANIFEST).exists():
            yield RunDir(path)
