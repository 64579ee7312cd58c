"""Settings of the load generator process, handed over as one environment variable."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dlqlab.contracts.cells import ALONE, Cell
from dlqlab.contracts.hosts import is_loopback
from dlqlab.contracts.scenario import Load, from_dict
from dlqlab.errors import UsageError
from dlqlab.load.messages import EntrySettings

ENVIRONMENT_VARIABLE = "DLQLAB_LOAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """The load of a scenario and where its journal goes.

    ``allow_remote`` lifts the loopback rule; it is for a target that the user has confirmed. ``cell`` says which of the
    load's tasks are to be sent here: all of them unless the run is split. ``entry`` is where they go in; None for
    the task system's route.
    """

    load: Load
    seed: int
    run_id: str
    ledger_dir: Path
    allow_remote: bool = False
    cell: Cell = ALONE
    entry: EntrySettings | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, by_hand_id: str) -> "LoadSettings":
        """The settings in DLQLAB_LOAD; whatever it leaves out has the default of a scenario.

        ``by_hand_id`` is the run id where none is given; the ledger goes to ``runs/<run id>/ledger`` then.

        Raises:
            UsageError: the variable is not a JSON object, or a value is unknown, of a wrong type or out of range.
        """
        text = environ.get(ENVIRONMENT_VARIABLE, "{}")
        try:
            given = json.loads(text)
        except ValueError as error:
            raise UsageError(f"{ENVIRONMENT_VARIABLE} is not JSON: {error}") from error
        if not isinstance(given, dict):
            raise UsageError(f"{ENVIRONMENT_VARIABLE} holds a {type(given).__name__}: give a JSON object")
        run_id = _take(given, "run_id", by_hand_id)
        ledger_dir = _take(given, "ledger_dir", f"runs/{run_id}/ledger")
        allow_remote = _take(given, "allow_remote", default=False)
        number, of = (_take(given, name, default) for name, default in (("cell", 0), ("cells", 1)))
        if not 0 <= number < of:
            raise UsageError(f"{ENVIRONMENT_VARIABLE}: cell is {number} of {of}: give 0 to cells - 1")
        entry = given.pop("entry", None)
        seed = given.pop("seed", 1)
        scenario = from_dict({"name": run_id, "seed": seed, "load": given}, source=ENVIRONMENT_VARIABLE)
        return cls(
            load=scenario.load,
            seed=seed,
            run_id=run_id,
            ledger_dir=Path(ledger_dir),
            allow_remote=allow_remote,
            cell=Cell(number, of),
            entry=EntrySettings.from_plain(entry) if entry else None,
        )

    def to_env(self) -> dict[str, str]:
        """The environment variable that ``from_env`` reads back."""
        return {ENVIRONMENT_VARIABLE: json.dumps(self.to_json())}

    def to_json(self) -> dict[str, Any]:
        """Plain values, those of the load among the others."""
        return {
            **dataclasses.asdict(self.load),
            "seed": self.seed,
            "run_id": self.run_id,
            "ledger_dir": str(self.ledger_dir),
            "allow_remote": self.allow_remote,
            "cell": self.cell.number,
            "cells": self.cell.of,
        } | ({} if self.entry is None else {"entry": dataclasses.asdict(self.entry)})


def check_host(url: str | None, *, allow_remote: bool) -> None:
    """Refuse every target but this machine, by its written address: no name is looked up but ``localhost``.

    Raises:
        UsageError: the URL is missing, not HTTP, or not of 127.0.0.0/8, ::1 or localhost.
    """
    parts = urlsplit(url or "")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"host is {url!r}: give an http or https URL")
    if not allow_remote and not is_loopback(parts.hostname):
        raise UsageError(f"host is {url!r}: load goes to this machine only (127.0.0.0/8, ::1, localhost)")


def _take[T: (str, bool, int)](given: dict[str, object], name: str, default: T) -> T:
    value = given.pop(name, default)
    if not isinstance(value, type(default)):
        raise UsageError(f"{ENVIRONMENT_VARIABLE}: {name} is {value!r}: give a {type(default).__name__}")
    return value
