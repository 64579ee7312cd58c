"""docs/configuration.md, all of it from the code."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlqlab import paths
from dlqlab.costs.prices import load_prices
from dlqlab.emulator import settings as emulator
from dlqlab.reference.commands import commands, options, own, usage
from dlqlab.reference.settings import function_settings, load_settings, scenario_settings
from dlqlab.reference.tables import code, table

PAGE = paths.DOCS / "configuration.md"
_COLUMNS = ("Setting", "Default", "Unit", "Give", "Meaning")
_INTRODUCTION = """\
# Configuration

Every setting, its default, unit and range. This page is written from the code by `make docs`; a test holds it to that.
Ranges are in the words of the error that refuses what lies outside.

Precedence: an option of the command line, then the scenario's file, then the default.

`DLQLAB_HOME=FOLDER` in the shell names the project, whose `runs/` and `.dlqlab/` are meant. The default is the
checkout, or the current directory where dlqlab is installed without one ([installing](install.md))."""


def page() -> str:
    """The whole page."""
    sections = (_scenario, _load_process, _functions, _template, _commands, _emulator, _prices)
    return "\n\n".join([_INTRODUCTION, *("\n\n".join(section()) for section in sections)]) + "\n"


def _scenario() -> Iterator[str]:
    yield "## Scenario files"
    yield "`scenarios/<name>.toml` gives what differs from the defaults; an unknown key is an error."
    for section, found in scenario_settings().items():
        yield f"### `[{section}]`" if section else "### Top level"
        yield table(_COLUMNS, (setting.row for setting in found))


def _load_process() -> Iterator[str]:
    yield "## `DLQLAB_LOAD`: the load generator by hand"
    yield (
        "A JSON object with any setting of `[load]` and of these ([load](load.md)). With a master and workers the "
        "master's counts; only `ledger_dir` and `allow_remote` are each process's own."
    )
    yield table(_COLUMNS, (setting.row for setting in load_settings()))


def _functions() -> Iterator[str]:
    yield "## Variables of the functions"
    yield "Set by Chalice from `app/.chalice/config.json`, and by `dlqlab deploy` and `dlqlab run` from the scenario."
    yield table(_COLUMNS, (setting.row for setting in function_settings()))


def _template() -> Iterator[str]:
    yield "## Parameters of the stack"
    yield (
        "Of `app/resources.yaml`. `dlqlab deploy` gives the first three; the others are for "
        "`aws cloudformation deploy --parameter-overrides`."
    )
    rows = (
        (code(name), code(given.get("Default", "")), _span(given), given.get("Description", ""))
        for name, given in _parameters(paths.APP / "resources.yaml").items()
    )
    yield table(("Parameter", "Default", "Give", "Meaning"), rows)


def _commands() -> Iterator[str]:
    yield "## Options of the commands"
    yield "`dlqlab COMMAND --help` shows the same. Exit codes: 0 valid, 1 invalid, 2 unknown, 3 wrong usage, 4 broke."
    columns = ("Option", "Default", "Give", "Meaning")
    known = dict(commands())
    yield "### Where the pipeline is"
    yield "Options of every command about a pipeline; `--confirm` of those that change something or send load."
    yield table(columns, options(own(known["dlqlab deploy"])[1]))
    for name, found in known.items():
        yield f"### `{usage(name, found)}`"
        mine, shared = own(found)
        if rows := list(options(mine)):
            yield table(columns, rows)
        if shared:
            names = ", ".join(code(one.opts[0]) for one in shared)
            yield f"And [where the pipeline is](#where-the-pipeline-is): {names}."


def _emulator() -> Iterator[str]:
    yield "## Settings of the emulator"
    yield (
        "What LocalStack is started with; reasons stand in `dlqlab/emulator/settings.py`. Patches are switched by "
        f"`dlqlab up --without-patch NAME`, DynamoDB calls by "
        f"`{emulator.DYNAMODB}={emulator.DYNAMODB_FAST}` (the default) or `{emulator.DYNAMODB_MOTO}` in the shell, the "
        f"file system of functions by `{emulator.FUNCTION_FILES}={emulator.FILES_OF_LAMBDA}` (the default: Lambda's, "
        f"where the system allows it) or `{emulator.FILES_OF_MACHINE}`, the flight recorder by "
        f"`{emulator.RECORDER}={emulator.ON}` (the default) or `{emulator.OFF}`, the bodies that it keeps by "
        f"`{emulator.RECORDED_BODIES}={emulator.BODIES_REDACTED}` (the default) or `{emulator.NO_BODIES}`, "
        f"resources of templates that cannot be made by `{emulator.PRETENDED}={emulator.REFUSED}` (the default) or "
        f"`{emulator.ALLOWED}`."
    )
    found = emulator.environment(host="127.0.0.1", port=4566, state=Path("STATE"), patches=("...",))
    yield table(("Variable", "Value"), ((code(name), code(value)) for name, value in found.items()))


def _prices() -> Iterator[str]:
    prices = load_prices()
    yield "## Price table"
    yield (
        f"`dlqlab/costs/prices.toml`, or a file of the same keys by `--prices`. Prices for {prices.region}, noted on "
        f"{prices.noted}; sources stand in the file. `noted` is a date, `usd` 0 or more, `per` over 0."
    )
    rows = (
        (code(f"prices.{name}"), f"{price.usd:g} {prices.currency}", f"{price.per:,.0f} {price.unit}", price.service)
        for name, price in prices.prices.items()
    )
    yield table(("Key", "Price", "For", "Service"), rows)


def _parameters(path: Path) -> dict[str, dict[str, Any]]:
    """The parameters of a template; CloudFormation's own tags (!Ref, ...) are not looked into."""
    yaml: Any = importlib.import_module("yaml")  # comes with the emulator, without types
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda _loader, tag, _node: tag)
    found: dict[str, dict[str, Any]] = yaml.load(path.read_text(), loader)["Parameters"]
    return found


def _span(given: dict[str, Any]) -> str:
    if "AllowedValues" in given:
        return ", ".join(str(value) for value in given["AllowedValues"])
    if "MinValue" in given:
        return f"{given['MinValue']} to {given['MaxValue']}" if "MaxValue" in given else f"{given['MinValue']} or more"
    return json.dumps(given["AllowedPattern"]) if "AllowedPattern" in given else ""
