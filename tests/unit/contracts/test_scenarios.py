"""Scenarios by name: the specimen's, and a project's own."""

from pathlib import Path

import pytest

from dlqlab import paths
from dlqlab.contracts.scenarios import find, known
from dlqlab.errors import UsageError


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a project's own scenarios, which is not there yet."""
    monkeypatch.setattr(paths, "OWN_SCENARIOS", tmp_path / "scenarios")
    return tmp_path / "scenarios"


def test_own_scenario_comes_before_the_specimens(own: Path) -> None:
    """By its name, in the list too; the others stay what they are."""
    before = {scenario.name: scenario.description for scenario in known()}
    own.mkdir()
    (own / "default.toml").write_text('description = "mine"')
    (own / "another.toml").write_text('description = "also mine"')

    assert "mine" == find("default").description
    assert before | {"default": "mine", "another": "also mine"} == {
        scenario.name: scenario.description for scenario in known()
    }


def test_file_wins_over_names(own: Path, tmp_path: Path) -> None:
    """What ends in .toml is a file, wherever it lies."""
    own.mkdir()
    (tmp_path / "mine.toml").write_text('description = "a file"')

    assert "a file" == find(str(tmp_path / "mine.toml")).description


@pytest.mark.parametrize("name", ["nope", "nope.toml"])
def test_unknown_scenario_lists_the_known_ones(own: Path, name: str) -> None:
    """With those of the project."""
    own.mkdir()
    (own / "another.toml").write_text("")
    with pytest.raises(
        UsageError, match=f"no scenario '{name}': there are another, api-crash, .*; or give a TOML file"
    ):
        find(name)
