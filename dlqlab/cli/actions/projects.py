"""The project file that a command is about."""

from pathlib import Path

from dlqlab.contracts.project import FILE, find_project
from dlqlab.errors import UsageError


def project_here() -> Path:
    """The file in this folder or above it.

    Raises:
        UsageError: there is none.
    """
    file = find_project(Path.cwd())
    if file is None:
        raise UsageError(f"there is no {FILE} here or above: dlqlab adopt writes one")
    return file
