"""The options of every command, read from the command line's own definition."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from dlqlab import paths
from dlqlab.cli import main
from dlqlab.cli.targets import TARGET_METAVAR, TARGET_NAMES
from dlqlab.reference.tables import code


def commands(group: click.Group = main, prefix: str = "dlqlab") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, in alphabetical order."""
    for name, found in sorted(group.commands.items()):
        if isinstance(found, click.Group):
            yield from commands(found, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", found


def usage(name: str, found: click.Command) -> str:
    """The command line, such as ``dlqlab run [OPTIONS] [SCENARIO]``."""
    with click.Context(found, info_name=name) as context:
        return " ".join([name, *found.collect_usage_pieces(context)])


def own(found: click.Command) -> tuple[list[click.Parameter], list[click.Parameter]]:
    """Parameters of its own, and those of many commands that say where the pipeline is."""
    is_targeted = any(isinstance(one, click.Option) and one.metavar == TARGET_METAVAR for one in found.params)
    shared = [one for one in found.params if is_targeted and one.name in TARGET_NAMES]
    return [one for one in found.params if one not in shared], shared


def options(parameters: Iterable[click.Parameter]) -> Iterator[tuple[str, str, str, str]]:
    """Name, default, what may be given, meaning of each option."""
    for parameter in parameters:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            names = ", ".join(code(name) for name in (*parameter.opts, *parameter.secondary_opts))
            yield names, _default(parameter), _allowed(parameter), _sentence(parameter.help)


def _default(option: click.Option) -> str:
    default = option.show_default if isinstance(option.show_default, str) else option.default
    if option.is_flag or default is None or isinstance(default, str | int | float | Path) is False:
        return ""
    if isinstance(default, Path):
        return code(default.relative_to(paths.ROOT))
    return code(default)


def _allowed(option: click.Option) -> str:
    kind: Any = option.type
    if option.is_flag:
        return ""
    if isinstance(kind, click.Choice):
        return ", ".join(code(choice) for choice in kind.choices)
    if isinstance(kind, click.IntRange | click.FloatRange):
        return _span(kind)
    return (option.metavar or kind.name).lower()


def _span(kind: Any) -> str:
    low = "" if kind.min is None else f"{'over ' if kind.min_open else ''}{kind.min}"
    if kind.max is None:
        return f"{low} or more"
    return f"{low} to {kind.max}"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())
