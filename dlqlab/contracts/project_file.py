"""Where the project file is, and its content."""

from pathlib import Path

from dlqlab.contracts.project import FILE, Project, parse
from dlqlab.errors import ProjectError


def find_project(start: Path) -> Path | None:
    """The project file of a folder: its own or that of the nearest folder above, up to the root of its repository."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists():
            return None
    return None


def read_project(path: Path) -> Project:
    """The project of a file.

    Raises:
        ProjectError: the file cannot be read, is not TOML or no project.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path}: cannot be read: {error}") from error
    return parse(text, source=str(path))
