"""Scenarios and runs by name: where they lie. Imports nothing that takes time, so that a wrong name is told at once."""

from collections.abc import Mapping
from pathlib import Path

from dlqlab import paths
from dlqlab.errors import UsageError

MANIFEST = "manifest.json"
"""What makes a folder a run directory."""
LATEST = "latest"


def scenario_path(name: str) -> Path:
    """The file of the scenario of that name, or that file.

    Raises:
        UsageError: there is no such scenario; names those that there are.
    """
    files = scenario_files()
    path = Path(name) if name.endswith(".toml") else files.get(name)
    if path is None or not path.exists():
        raise UsageError(f"no scenario {name!r}: there are {', '.join(files)}; or give a TOML file")
    return path


def scenario_files() -> Mapping[str, Path]:
    """The files of the scenarios by name, in order; a project's own come before the specimen's."""
    folders = (paths.SCENARIOS, paths.OWN_SCENARIOS)
    return dict(sorted({path.stem: path for folder in folders for path in folder.glob("*.toml")}.items()))


def run_path(name: str, root: Path = paths.RUNS) -> Path:
    """The folder of the run of that name under ``runs/``, or that folder.

    Raises:
        UsageError: there is none.
    """
    for path in (root / name, Path(name)):
        if _is_run(path):
            return path.resolve()
    if name == LATEST:
        raise UsageError(f"{paths.shown(root)}/ holds no run yet: dlqlab run makes one; or name a run's folder")
    there = f"give a name under {paths.shown(root)}/ or a folder that holds a {MANIFEST}"
    raise UsageError(f"no run {name!r}: {there}")


def _is_run(path: Path) -> bool:
    try:
        return (path / MANIFEST).exists()
    except (OSError, ValueError):  # what is too long for a name, such as a query, is none
        return False


_TEMPLATES = (".yaml", ".yml", ".json", ".template")


def template_path(name: str) -> Path | None:
    """The file or folder of a template that a name means; None where it means a scenario."""
    path = Path(name)
    if path.suffix in _TEMPLATES or (path.is_dir() and name not in scenario_files()):
        return path
    return None
