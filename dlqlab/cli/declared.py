"""Commands are declared apart from what they do: help and wrong usage cost the import of nothing but the options.

A module of this package declares options and help; the module of the same name in ``dlqlab.cli.actions`` has a function
of the command's name, which is imported when the command runs.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

ACTIONS = "dlqlab.cli.actions"


def command(declared: Callable[[], None]) -> Callable[..., None]:
    """The callback of a command: calls its action with the options by name and ends with its exit code."""

    @wraps(declared)
    def run(**given: Any) -> None:
        importlib.import_module("dlqlab.cli.console").end_with(action_of(declared), given)

    return run


def action_of(declared: Callable[..., object]) -> tuple[str, str]:
    """Module and name of the function that does what the command says."""
    return f"{ACTIONS}.{declared.__module__.rpartition('.')[2]}", declared.__name__
