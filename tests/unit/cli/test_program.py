"""The program as a whole: its help, and what wrong usage ends in."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from dlqlab import paths
from dlqlab.cli import main

COMMANDS = sorted(main.commands)


def test_help_lists_every_command_once() -> None:
    """No command hides from --help, whatever module it is in."""
    result = CliRunner().invoke(main, ["--help"], terminal_width=120)
    first_words = [line.split()[0] for line in result.output.splitlines() if line.startswith("  ") and line.strip()]
    assert 0 == result.exit_code
    assert [1] * len(COMMANDS) == [first_words.count(command) for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    """--help of each command says what it does."""
    result = CliRunner().invoke(main, [command, "--help"])
    assert 0 == result.exit_code
    assert f"Usage: main {command}" in result.output
    assert main.commands[command].help


def test_unknown_command_is_wrong_usage() -> None:
    """Exit code 3, so that a script can tell it from a verdict."""
    assert 3 == CliRunner().invoke(main, ["no-such-command"]).exit_code


def test_project_that_is_a_file_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the variable and the value, before anything is done."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "ROOT", tmp_path / "file")
    result = CliRunner().invoke(main, ["scenarios"])

    assert 3 == result.exit_code
    assert f"DLQLAB_HOME is {tmp_path / 'file'}, which is no folder" in result.stderr
