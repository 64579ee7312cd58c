"""Ledgers of loads that were started by hand: finding them, putting them together, and what they say of themselves."""

import dataclasses
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from dlqlab.contracts.manifest import LoadReport
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.contracts.scenario import Load
from dlqlab.errors import UsageError
from dlqlab.load.journal import PART_PATTERN, SETTINGS_SUFFIX, SUMMARY_SUFFIX
from dlqlab.load.ledger import read_ledger

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AGO = re.compile(rf"(\d+)\s*([{''.join(_UNITS_S)}])")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandLoad:
    """What a load by hand was; None where its ledger does not say. Times are seconds since the epoch.

    ``open_workers`` have said what they would send and not that they have ended: they still run, or they died.
    """

    started_ts: float
    ended_ts: float
    sent: int
    planned: int | None
    late_mean_s: float | None
    seed: int | None
    load: Load | None
    hosts: tuple[str, ...]
    workers: tuple[str, ...]
    open_workers: tuple[str, ...]

    def report(self) -> LoadReport:
        """What the manifest says of it."""
        return LoadReport(
            planned=self.planned,
            sent=self.sent,
            late_mean_s=self.late_mean_s,
            seed=self.seed,
            hosts=self.hosts,
            workers=self.workers,
            settings_known=self.load is not None,
        )


def moment(text: str, *, clock: Callable[[], float] = time.time) -> float:
    """``10m``, ``2h`` ago, or an ISO 8601 time (UTC where it does not say), as seconds since the epoch.

    Raises:
        UsageError: it is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return clock() - int(ago[1]) * _UNITS_S[ago[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text}: give a time such as 2026-01-31T10:00, or 30s, 10m, 2h, 1d ago") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def uncollected(root: Path) -> list[RunDir]:
    """Folders that hold a ledger and no manifest, oldest first by the time of their first part."""
    found = [
        RunDir(path)
        for path in (root.iterdir() if root.is_dir() else ())
        if not path.is_symlink() and not (path / "manifest.json").exists() and _parts(path / "ledger")
    ]
    return sorted(found, key=lambda run: started_ts(run.ledger_parts))


def started_ts(ledger_parts: Path) -> float:
    """When the first worker began, or wrote its first line."""
    settings = [read_json(path) for path in ledger_parts.glob(f"*{SETTINGS_SUFFIX}")]
    times = [float(found["started_ts"]) for found in settings]
    return min(times or [path.stat().st_ctime for path in _parts(ledger_parts)])


def put_together(run: RunDir, folders: Iterable[Path]) -> None:
    """Copy the files of other ledgers, such as those of workers on other machines, into the run's ledger.

    Raises:
        UsageError: a folder holds no ledger, or a file of the same name that differs.
    """
    run.ledger_parts.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        if not _parts(folder):
            raise UsageError(f"{folder}: holds no ledger ({PART_PATTERN} files)")
        for path in sorted(folder.glob("*.json*")):
            copy = run.ledger_parts / path.name
            if not copy.exists():
                shutil.copyfile(path, copy)
            elif copy.read_bytes() != path.read_bytes():
                raise UsageError(f"{path} and {copy} differ: two loads cannot have one name")


def read_load(ledger_parts: Path) -> HandLoad:
    """What the ledger and the files beside it say.

    Raises:
        EvidenceError: the ledger cannot be read.
        UsageError: nothing was sent.
    """
    rows = read_ledger(ledger_parts).rows
    if rows.empty:
        raise UsageError(f"{ledger_parts}: nothing was sent, there is nothing to collect")
    settings = _beside(ledger_parts, SETTINGS_SUFFIX)
    summaries = _beside(ledger_parts, SUMMARY_SUFFIX)
    sent = sum(int(found["sent"]) for found in summaries.values())
    planned = [int(found["planned"]) for found in summaries.values()]
    late_s = sum(found["late_mean_s"] * found["sent"] for found in summaries.values())
    open_workers = tuple(sorted(set(settings) - set(summaries)))
    whole = bool(summaries) and not open_workers
    return HandLoad(
        started_ts=min([float(rows["sent_ts"].min()), *(found["started_ts"] for found in settings.values())]),
        ended_ts=max([_last_ts(rows), *(found["ended_ts"] for found in summaries.values())]),
        sent=len(rows),
        planned=sum(planned) if whole else None,
        late_mean_s=round(late_s / sent, 6) if whole and sent else None,
        seed=_only([found["seed"] for found in settings.values()]),
        load=_load(list(settings.values()), len(rows)),
        hosts=tuple(sorted({found["host"] for found in settings.values() if found["host"]})),
        workers=tuple(sorted(rows["worker"].dropna().unique())),
        open_workers=open_workers,
    )


def junk_path(run: RunDir) -> Path:
    """Where ``dlqlab load`` notes the junk that it sent."""
    return run.path / "junk.json"


def junk_ids(run: RunDir) -> tuple[str, ...]:
    """Ids of the junk messages of a load; none where nobody noted any: Locust by hand sends none, asked for or not.

    Raises:
        EvidenceError: the note cannot be read.
    """
    return tuple(read_json(junk_path(run))["message_ids"]) if junk_path(run).exists() else ()


def silent_s(ledger_parts: Path, *, clock: Callable[[], float] = time.time) -> float:
    """How long ago the last line was written."""
    return clock() - max(path.stat().st_mtime for path in _parts(ledger_parts))


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(PART_PATTERN))


def _beside(folder: Path, suffix: str) -> Mapping[str, dict[str, Any]]:
    return {path.name.removesuffix(suffix): read_json(path) for path in sorted(folder.glob(f"*{suffix}"))}


def _last_ts(rows: pd.DataFrame) -> float:
    return float(rows[["sent_ts", "done_ts"]].max().max())


def _only(values: Sequence[Any]) -> Any:
    """The value that all have; None where they differ or there is none."""
    return values[0] if values and all(value == values[0] for value in values) else None


def _load(settings: Sequence[Mapping[str, Any]], sent: int) -> Load | None:
    """What all workers were asked to send; several runs, as from the web UI, send as many tasks as they sent."""
    known = {field.name for field in dataclasses.fields(Load)}
    asked = _only([{name: value for name, value in found.items() if name in known} for found in settings])
    return None if asked is None else Load(**(asked | {"tasks": max(asked["tasks"], sent)}))
