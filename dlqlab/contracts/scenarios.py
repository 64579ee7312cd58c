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
    path = Path(name) if name.endswith(".toml") else paths.SCENARIOS / f"{name}.toml"
    if not path.exists():
        names = ", ".join(scenario.stem for scenario in sorted(paths.SCENARIOS.glob("*.toml")))
        raise UsageError(f"no scenario {name!r}: there are {names}; or give a TOML file")
    found = load_scenario(path)
    if seed is None and not load:
        return found
    plain = found.to_dict()
    plain["seed"] = plain["seed"] if seed is None else seed
    plain["load"] |= dict(load or {})
    return from_dict(plain, source="the command line")


def known(root: Path = paths.SCENARIOS) -> Iterator[Scenario]:
    """All scenarios of the checkout by name."""
    for path in sorted(root.glob("*.toml")):
        yield load_scenario(path)
