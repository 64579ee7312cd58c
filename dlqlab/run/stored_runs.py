"""Finding a finished run by its name or folder."""

from pathlib import Path

from dlqlab import paths
from dlqlab.contracts import manifest
from dlqlab.contracts.rundir import LATEST, RunDir
from dlqlab.errors import UsageError


def find_run(name: str, root: Path = paths.RUNS) -> RunDir:
    """The run of that name under ``runs/``, or of that folder.

    Raises:
        UsageError: there is none.
    """
    for path in (root / name, Path(name)):
        if (path / manifest.NAME).exists():
            return RunDir(path.resolve())
    if name == LATEST:
        raise UsageError(f"{paths.shown(root)}/ holds no run yet: dlqlab run makes one; or name a run's folder")
    there = f"give a name under {paths.shown(root)}/ or a folder that holds a {manifest.NAME}"
    raise UsageError(f"no run {name!r}: {there}")
