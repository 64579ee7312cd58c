"""Finding scenarios by name or file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlqlab import paths
from dlqlab.contracts.scenario import Scenario, from_dict, load_scenario
from dlqlab.errors import UsageError


def find(name: str, *, seed: int | None = None, load: Mapping[str, Any] | None = None) -> Scenario:
    """The scenario of that name or file, with another seed or other load settings where given.

    Raises:
        UsageError: there is no such scenario.
        ScenarioError: it, or a setting given, cannot be used.
    """
    files = _files()
    path = Path(name) if name.endswith(".toml") else files.get(name)
    if path is None or not path.exists():
        raise UsageError(f"no scenario {name!r}: there are {', '.join(files)}; or give a TOML file")
    found = load_scenario(path)
    if seed is None and not load:
        return found
    plain = found.to_dict()
    plain["seed"] = plain["seed"] if seed is None else seed
    plain["load"] |= dict(load or {})
    return from_dict(plain, source="the command line")


def known() -> Iterator[Scenario]:
    """All scenarios that have a name here."""
    return map(load_scenario, _files().values())


def _files() -> Mapping[str, Path]:
    """The files of the scenarios by name, in order; a project's own come before the specimen's."""
    folders = (paths.SCENARIOS, paths.OWN_SCENARIOS)
    return dict(sorted({path.stem: path for folder in folders for path in folder.glob("*.toml")}.items()))
