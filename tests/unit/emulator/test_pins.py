"""What is relied on in LocalStack and its libraries stands in one table, which agrees with what is installed."""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlqlab.emulator import pins
from dlqlab.emulator.patches import PATCHES
from dlqlab.emulator.pins import Difference, Pin, Table
from dlqlab.paths import ROOT
from tests.unit.emulator import ties

SOURCE = """
import functools


def plain():
    return 1


class Box:
    @functools.cache
    @staticmethod
    def held(
        one,
    ):
        return one

    async def empty(self): ...
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library of one file, ``pinned_sample.inner``, and a table of its own with a row for each of its names."""
    folder = tmp_path / "pinned_sample"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    file = folder / "inner.py"
    file.write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pins, "TABLE", tmp_path / "pins.toml")
    rows = tuple(Pin(f"pinned_sample.inner:{name}", "?", ("sample",)) for name in ("plain", "Box", "Box.held"))
    pins.TABLE.write_text(Table("0", {}, rows).text())
    _forget()
    yield file
    _forget()


def _forget() -> None:
    """What is read once and kept while a process lives."""
    for cached in (pins.table, pins._digest, pins._definitions, pins._folders_of):
        cached.cache_clear()
    pins._compared.clear()


def _names(found: list[Difference]) -> list[str]:
    return [difference.pin.name.partition(":")[2] for difference in found]


# -- the table itself


def test_what_is_installed_is_what_the_table_says() -> None:
    """The command ``dlqlab emulator pins`` shows what to read again."""
    assert [] == [str(difference) for difference in pins.differences()]
    assert pins.installed_version() == pins.localstack_version()


def test_fingerprints_hold_for_each_file_as_a_whole() -> None:
    """A file that has changed elsewhere makes starts slower, until dlqlab emulator pins --write."""
    assert {pin.module for pin in pins.table().pins} == pins.table().files.keys()
    assert [] == [module for module, digest in pins.table().files.items() if digest != pins._digest(module)]


def test_the_file_is_as_it_is_written() -> None:
    """Sorted, one row a line."""
    assert pins.TABLE.read_text() == pins.table().text()


def test_the_version_is_the_one_that_the_package_depends_on() -> None:
    """Another version of LocalStack is the pin there, the lock, and this table."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert f"localstack-core[runtime]=={pins.localstack_version()}" in project["dependencies"]


def test_every_tie_of_every_module_is_in_the_table() -> None:
    """Functions and classes that it imports, uses by their module, or replaces."""
    missing = []
    for path in ties.files():
        module = ties.module_of(path)
        mine = {pin.name for pin in pins.table().pins if module in pin.used_by}
        known = mine | {name.replace(":", ".").rpartition(".")[2] for name in mine}
        missing += [(module, written) for written, names in ties.needed(path).items() if not names & known]

    assert [] == missing


def test_every_module_that_takes_objects_of_a_library_relies_on_something() -> None:
    """A store or a constant has no source of its own: what makes or reads it has."""
    users = {user for pin in pins.table().pins for user in pin.used_by}

    assert set() == {ties.module_of(path) for path in ties.files() if ties.takes_from_inside(path)} - users


def test_no_row_is_left_over() -> None:
    """Who relies on it is there and names its library."""
    sources = {ties.module_of(path): path.read_text() for path in ties.files()}
    changing = {f"{patch.folder}.{patch.name}" for patch in PATCHES}  # these may rely on what a neighbour imports
    left = [
        (pin.name, user)
        for pin in pins.table().pins
        for user in pin.used_by
        if user not in sources or (user not in changing and pin.module.split(".")[0] not in sources[user])
    ]

    assert [] == left
    assert [] == [pin.name for pin in pins.table().pins if not pin.used_by]


# -- how it is compared


def test_all_differences_are_found_at_once_and_nothing_is_imported(installed: Path) -> None:
    """A row whose source is another, and one whose name is gone."""
    pins.write()
    installed.write_text(SOURCE.replace("return 1", "return 2").replace("def held", "def hold"))
    _forget()

    assert ["Box", "Box.held", "plain"] == _names(pins.differences())
    assert ["pinned_sample.inner.Box.held is gone"] == [
        str(found) for found in pins.differences() if found.found is None
    ]
    assert "pinned_sample" not in sys.modules


def test_a_change_elsewhere_in_the_file_is_none(installed: Path) -> None:
    """Rows are compared where the file as a whole is another."""
    pins.write()
    assert [] == pins.differences()
    installed.write_text(f"# a comment\n{SOURCE}\n\ndef more(): ...\n")
    _forget()

    assert [] == pins.differences()


def test_decorators_and_long_signatures_are_part_of_a_function(installed: Path) -> None:
    """From the first decorator to the last line."""
    pins.write()
    installed.write_text(SOURCE.replace("@functools.cache", "@functools.lru_cache(1)"))
    _forget()

    assert ["Box", "Box.held"] == _names(pins.differences())


def test_written_table_keeps_who_relies_on_what_and_rows_that_are_gone(installed: Path) -> None:
    """Only fingerprints and the version are taken."""
    pins.write()
    installed.write_text(SOURCE.replace("def plain", "def other"))
    _forget()
    before = {pin.name: pin for pin in pins.table().pins}
    pins.write()

    assert pins.installed_version() == pins.localstack_version()
    assert before == {pin.name: pin for pin in pins.table().pins}
    assert ["plain"] == _names(pins.differences())


def test_a_start_compares_the_rows_of_what_it_has_loaded_once(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of a patch that is left out."""
    pins.write()
    installed.write_text(SOURCE.replace("return 1", "return 2"))
    _forget()
    assert [] == pins.unlike_loaded()
    monkeypatch.setitem(sys.modules, "dlqlab.emulator.sample", pins)  # any module does: only its name counts

    assert ["plain"] == _names(pins.unlike_loaded())
    assert [] == pins.unlike_loaded()
