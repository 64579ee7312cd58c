"""Chalice as a program: what it says when it fails, and that it ends with its caller."""

from pathlib import Path

import pytest

from dlqlab.deploy import chalice
from dlqlab.deploy.target import Target, url_target
from dlqlab.errors import DeployError

UNUSED_PORT = 9  # nobody serves "discard" here: whoever calls is refused


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return url_target(f"http://127.0.0.1:{UNUSED_PORT}", state_root=tmp_path)


def test_failure_carries_what_chalice_printed(target: Target) -> None:
    """A project without an app is named in the error, with the exit code."""
    target.project_dir.mkdir(parents=True)
    with (
        pytest.raises(DeployError, match=r"chalice deploy failed \(exit code 2\)"),
        chalice._start(target, "deploy", "--stage", target.stage) as program,
    ):
        chalice._finish(program, "deploy")


def test_program_ends_with_the_block_that_needed_it(target: Target) -> None:
    """A caller that fails before Chalice's turn leaves no Chalice waiting."""
    target.project_dir.mkdir(parents=True)
    with pytest.raises(ZeroDivisionError), chalice._start(target, "deploy") as program:  # noqa: PT012  (the block itself is what fails)
        assert program.poll() is None
        raise ZeroDivisionError
    assert program.returncode is not None
