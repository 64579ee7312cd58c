"""``dlqlab emulator pins`` says all that differs, and takes new fingerprints when told so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlqlab.cli import main
from dlqlab.emulator import pins


@pytest.fixture
def two_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[pins.Pin]]:
    """A copy of the table of an older LocalStack, in which two functions were others."""
    table = pins.table()
    changed = [replace(pin, fingerprint="0" * 12) for pin in table.pins[:2]]
    monkeypatch.setattr(pins, "TABLE", tmp_path / "pins.toml")
    pins.TABLE.write_text(pins.Table("4.0.0", {}, (*changed, *table.pins[2:4])).text())
    pins.table.cache_clear()
    yield changed
    pins.table.cache_clear()


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["emulator", "pins", *arguments])


def test_no_difference_is_one_line_with_the_count() -> None:
    """Exit code 0."""
    result = _invoke()

    assert 0 == result.exit_code
    assert (
        f"LocalStack {pins.localstack_version()}: all {len(pins.table().pins)} pins are as they were\n" == result.output
    )


def test_all_differences_are_printed_with_what_to_read_again(two_changed: list[pins.Pin]) -> None:
    """Exit code 1, and nothing is written."""
    before = pins.TABLE.read_text()
    result = _invoke()

    assert 1 == result.exit_code
    assert f"LocalStack is {pins.installed_version()}, fingerprints are of 4.0.0" in result.output
    for pin in two_changed:
        assert f"{pin.name.replace(':', '.')} has changed" in result.output
        assert f"read again {', '.join(pin.used_by)}\n" in result.output
    assert before == pins.TABLE.read_text()


def test_written_table_has_no_difference(two_changed: list[pins.Pin]) -> None:
    """What was read again is printed once more with it."""
    result = _invoke("--write")

    assert 0 == result.exit_code
    assert all(f"read again {', '.join(pin.used_by)}\n" in result.output for pin in two_changed)
    assert 0 == _invoke().exit_code
    assert pins.installed_version() == pins.localstack_version()


@pytest.mark.usefixtures("two_changed")
def test_a_row_that_is_gone_is_not_written_away() -> None:
    """The row has to be taken out, or given its new name, by whoever relies on it."""
    with pins.TABLE.open("a") as file:
        file.write('"localstack.utils.strings:no_such" = { fingerprint = "000000000000", used_by = ["startup"] }\n')
    pins.table.cache_clear()
    result = _invoke("--write")

    assert 1 == result.exit_code
    assert "localstack.utils.strings.no_such is gone: read again startup" in result.output
    assert 1 == _invoke().exit_code
