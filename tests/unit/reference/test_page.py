"""docs/configuration.md is what the code says."""

import pytest

from dlqlab.reference.commands import commands, options, usage
from dlqlab.reference.page import PAGE, page
from dlqlab.reference.settings import function_settings, load_settings, scenario_settings
from dlqlab.reference.tables import table, unit_of


def test_committed_page_is_the_generated_one() -> None:
    """After a change of a setting, an option or a price: make docs."""
    assert page() == PAGE.read_text()


@pytest.mark.parametrize(
    ("name", "unit"), [("rate_per_s", "1/s"), ("base_s", "s"), ("ARCHIVE_DAYS", "days"), ("users", "")]
)
def test_units_are_in_the_names(name: str, unit: str) -> None:
    """The longest known end of a name says its unit."""
    assert unit == unit_of(name)


def test_ranges_are_those_of_the_code() -> None:
    """What the page says may be given is what the code says when it refuses."""
    load = {setting.name: setting for setting in scenario_settings()["load"]}
    functions = {setting.name: setting for setting in function_settings()}

    assert ("`8`", "1 to 1000") == (load["users"].default, load["users"].allowed)
    assert ("`14`", "days") == (functions["ARCHIVE_DAYS"].default, functions["ARCHIVE_DAYS"].unit)
    assert "a whole number of 1 to 3650" == functions["ARCHIVE_DAYS"].allowed
    assert {"seed", "run_id", "ledger_dir", "allow_remote"} == {setting.name for setting in load_settings()}


def test_every_command_is_there_with_its_arguments_and_options() -> None:
    """Also those of a group; flags have no default."""
    found = dict(commands())

    assert "dlqlab dlq redrive [OPTIONS] [ID]..." == usage("dlqlab dlq redrive", found["dlqlab dlq redrive"])
    assert ("`--keep`", "", "", "Leave the emulator running afterwards.") in list(options(found["dlqlab run"].params))
    assert ("`--rate`", "`10`", "over 0 to 1000", "A second.") in list(options(found["dlqlab dlq redrive"].params))


def test_cells_cannot_break_a_table() -> None:
    """A vertical line in a text does not begin a new cell."""
    assert "| a\\|b |" == table(["x"], [["a|b"]]).splitlines()[-1]
