"""Names of scenarios and runs as the command line takes them: a wrong one is refused before anything is imported."""

from collections.abc import Callable
from typing import Any

import click

from dlqlab.contracts.lookup import run_path, scenario_path, template_path
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


def _scenario_or_template(name: str) -> None:
    if template_path(name) is None:
        scenario_path(name)


SCENARIO = ExistingName("scenario", scenario_path)
SCENARIO_OR_TEMPLATE = ExistingName("scenario or template", _scenario_or_template)
RUN = ExistingName("run", run_path)
