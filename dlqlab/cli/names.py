"""Names of scenarios and runs as the command line takes them: a wrong one is refused before anything is imported."""

from collections.abc import Callable
from typing import Any

import click

from dlqlab.contracts.lookup import run_path, scenario_path
from dlqlab.errors import UsageError


class ExistingName(click.ParamType[str]):
    """A name that a look-up knows; it stays as it was given."""

    def __init__(self, name: str, find: Callable[[str], object]) -> None:
        self.name = name
        self._find = find

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self._find(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return str(value)


SCENARIO = ExistingName("scenario", scenario_path)
RUN = ExistingName("run", run_path)
