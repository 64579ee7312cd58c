"""A run that breaks before its load."""

import io
import json
import socket
from pathlib import Path

import pytest
from rich.console import Console

from dlqlab.contracts.lookup import LATEST
from dlqlab.contracts.scenario import Scenario
from dlqlab.errors import UsageError
from dlqlab.run.runner import Runner


def test_run_that_never_started_is_not_the_latest(tmp_path: Path) -> None:
    """Its folder says why it broke; ``runs/latest`` stays with the run before it."""
    (tmp_path / LATEST).symlink_to("the-run-before")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        runner = Runner(
            scenario=Scenario(name="small"),
            console=Console(file=io.StringIO()),
            port=taken.getsockname()[1],
            runs_root=tmp_path,
            state_root=tmp_path / "state",
        )
        with pytest.raises(UsageError, match="is taken by"):
            runner.gather()
    manifest = json.loads(runner.run.manifest_path.read_text())

    assert ("start", False, None) == (manifest["broken"]["phase"], manifest["finished"], manifest["load_started_ts"])
    assert "the-run-before" == (tmp_path / LATEST).readlink().name
