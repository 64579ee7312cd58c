"""Runs of the real emulator, recorded for the tests of everything that follows a load."""

import shutil
from pathlib import Path

from dlqlab.contracts.rundir import RunDir

ROOT = Path(__file__).parents[1] / "recorded"
NAMES = ("two_retries", "one_retry")


def recorded(name: str, root: Path) -> RunDir:
    """A copy of the recording under ``root``, so that reports do not land in the checkout."""
    target = root / name
    shutil.copytree(ROOT / name, target)
    return RunDir(target)
