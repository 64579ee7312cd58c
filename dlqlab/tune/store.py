"""Sweeps on disk.

<folder>/ sweep.json         scenario, world with its prices, seeds, refused combinations, choice
          settings.parquet   one row for each setting
          results.parquet    one row for each setting and seed
          growth.parquet     the chosen setting at multiples of the rate
          storm.parquet      seconds of the chosen setting and of the one with the highest storm
<root>/latest -> the newest one
"""

import json
import time
from pathlib import Path
from typing import Final

import pandas as pd

from dlqlab.contracts.scenario import from_dict
from dlqlab.errors import UsageError
from dlqlab.tune.pareto import Choice
from dlqlab.tune.sweep import Sweep
from dlqlab.tune.variations import Refusal

TABLES: Final = ("settings", "results", "growth", "storm")
LATEST: Final = "latest"


def folder_for(given: Path | None, root: Path) -> Path:
    """The folder that is given, or a new one under the root; nothing is made yet.

    Raises:
        UsageError: there is something in it, or it is not a folder.
    """
    folder = given or root / time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{folder}: is not empty: give another folder (--out)")
    except OSError as error:
        raise UsageError(f"{folder}: cannot be used: {error.strerror}; give another folder (--out)") from error
    return folder


def save(sweep: Sweep, folder: Path, root: Path) -> None:
    """Write a sweep to its folder; of one under the root, ``latest`` leads to it from then on.

    Raises:
        UsageError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made: {error.strerror}") from error
    for name in TABLES:
        getattr(sweep, name).to_parquet(folder / f"{name}.parquet")
    # Last: a folder without it is not a sweep.
    (folder / "sweep.json").write_text(json.dumps(sweep.to_json(), indent=2) + "\n", encoding="utf-8")
    if folder.parent == root:
        latest = root / LATEST
        latest.unlink(missing_ok=True)
        latest.symlink_to(folder.name)


def load(folder: Path) -> Sweep:
    """The sweep of a folder.

    Raises:
        UsageError: it is none.
    """
    try:
        described = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
        tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: is not a sweep: {error}; make one with dlqlab tune") from error
    choice = described["choice"]
    return Sweep(
        scenario=from_dict(described["scenario"], source=str(folder)),
        world=described["world"],
        seeds=tuple(described["seeds"]),
        varied=tuple(described["varied"]),
        refusals=tuple(Refusal(values=one["values"], reason=one["reason"]) for one in described["refusals"]),
        choice=None if choice is None else Choice(**choice | {"reasons": tuple(choice["reasons"])}),
        settings=tables["settings"],
        results=tables["results"],
        growth=tables["growth"],
        storm=tables["storm"],
    )
