"""Finding a finished run by its name or folder."""

from pathlib import Path

from dlqlab import paths
from dlqlab.contracts.lookup import run_path
from dlqlab.contracts.rundir import RunDir


def find_run(name: str, root: Path = paths.RUNS) -> RunDir:
    """The run of that name under ``runs/``, or of that folder.

    Raises:
        UsageError: there is none.
    """
    return RunDir(run_path(name, root))
