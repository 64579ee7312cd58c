"""The program as a whole: its help, what its commands do, and what wrong usage ends in."""

import errno
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dlqlab import paths
from dlqlab.cli import main
from dlqlab.cli.declared import action_of
from dlqlab.cli.targets import TARGET_METAVAR, TARGET_NAMES
from dlqlab.cli.world_options import WorldOptions
from dlqlab.emulator.core.loopback import LOOPBACK
from dlqlab.emulator.host.lifecycle import DEFAULT_PORT

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


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "{root}/runs"),
            "{root}/runs: Permission denied: runs and st",
        ),
        (OSError(errno.EROFS, "Read-only file system", "{root}/.dlqlab"), "or name such a folder by DLQLAB_HOME"),
        (OSError(errno.ENOSPC, "No space left on device"), "dlqlab: No space left on device"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/elsewhere/x"),
            "dlqlab: /elsewhere/x: Permission denied\n",
        ),
    ],
    ids=["no permission", "read-only", "full", "elsewhere"],
)
def test_folder_that_takes_no_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: OSError, said: str
) -> None:
    """The place, why, and what to do about it; never a traceback."""

    def refuse(*_given: object, **_more: object) -> None:
        filename = str(refused.filename).format(root=tmp_path) if refused.filename else None
        raise type(refused)(refused.errno, refused.strerror, filename)

    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr("dlqlab.cli.actions.run.run", refuse)
    result = CliRunner().invoke(main, ["run"])

    assert 4 == result.exit_code
    assert said.format(root=tmp_path) in result.stderr
    assert "Traceback" not in result.stderr


def test_other_error_of_the_system_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is not shown as the user's."""
    monkeypatch.setattr("dlqlab.cli.actions.run.run", lambda **_: open("/proc/none"))  # noqa: PTH123, SIM115  (it fails)

    assert isinstance(CliRunner().invoke(main, ["run"]).exception, FileNotFoundError)


def _commands(group: click.Group = main) -> Iterator[click.Command]:
    for found in group.commands.values():
        if isinstance(found, click.Group):
            yield from _commands(found)
        else:
            yield found


def test_no_sentence_of_the_help_is_cut() -> None:
    """In a terminal of 80 columns each command's line is whole, in the program's help and in a group's."""
    groups = [[name] for name, command in main.commands.items() if isinstance(command, click.Group)]
    helps = [CliRunner().invoke(main, [*group, "--help"], terminal_width=80).output for group in ([], *groups)]
    short = [command.short_help for command in (*main.commands.values(), *_commands())]

    assert all(short)
    assert [] == [text for text in short if f" {text}\n" not in "".join(helps)]
    assert "..." not in "".join(helps).replace("[ARGS]...", "")


def _names(command: click.Command) -> set[str]:
    """What a command's action is called with: its options, and in place of shared ones what they say together."""
    names = {str(one.name) for one in command.params if one.expose_value}
    if any(isinstance(one, click.Option) and one.metavar == TARGET_METAVAR for one in command.params):
        names = names - set(TARGET_NAMES) | {"where"}
    shared = set(WorldOptions.__dataclass_fields__)
    return names - shared | {"options"} if shared <= names else names


@pytest.mark.parametrize("command", list(_commands()), ids=lambda command: command.name)
def test_each_command_has_its_action(command: click.Command) -> None:
    """A function that takes what the command's options give."""
    assert command.callback is not None
    module, name = action_of(inspect.unwrap(command.callback))
    action = getattr(importlib.import_module(module), name)

    assert inspect.signature(action).bind(**dict.fromkeys(_names(command)))


def test_help_tells_the_port_and_the_address_that_are_used() -> None:
    """The numbers in the options' texts are the emulator's own."""
    up, run = (CliRunner().invoke(main, [name, "--help"], terminal_width=200).output for name in ("up", "run"))

    assert f"default: {DEFAULT_PORT}, if no emulator" in up
    assert f"else {DEFAULT_PORT}." in run
    assert f"[default: {LOOPBACK}]" in up
