"""Finding scenarios by name or file."""

from collections.abc import Iterator, Mapping
from typing import Any

from dlqlab.contracts.lookup import scenario_files, scenario_path
from dlqlab.contracts.scenario import Scenario, from_dict, load_scenario


def find(name: str, *, seed: int | None = None, load: Mapping[str, Any] | None = None) -> Scenario:
    """The scenario of that name or file, with another seed or other load settings where given.

    Raises:
        UsageError: there is no such scenario.
        ScenarioError: it, or a setting given, cannot be used.
    """
    found = load_scenario(scenario_path(name))
    if seed is None and not load:
        return found
    plain = found.to_dict()
    plain["seed"] = plain["seed"] if seed is None else seed
    plain["load"] |= dict(load or {})
    return from_dict(plain, source="the command line")


def known() -> Iterator[Scenario]:
    """All scenarios that have a name here."""
    return map(load_scenario, scenario_files().values())
