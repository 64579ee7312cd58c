"""Commands about another pipeline than the task system: what they refuse before anything is asked of a target."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlqlab import paths
from dlqlab.cli.program import main

ORDERS = str(paths.ROOT / "examples" / "orders")
NOBODY = ("--target", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy", *NOBODY, "--specimen", ORDERS, "default"], "orders takes no scenario .*: leave out default"),
        (["collect", *NOBODY, "--specimen", ORDERS, "a-run"], "orders takes no scenario: leave out RUN"),
        (
            ["collect", *NOBODY, "--specimen", ORDERS, "--scenario", "default"],
            "orders takes no scenario: leave out RUN",
        ),
        (["lint", "--specimen", ORDERS], "--specimen are about a stack: give --stack, too"),
    ],
)
def test_what_a_pipeline_without_scenarios_cannot_have_is_refused(arguments: list[str], message: str) -> None:
    """Wrong usage names the pipeline and what to leave out."""
    result = CliRunner().invoke(main, arguments)

    assert 3 == result.exit_code
    assert re.search(message, " ".join(result.stderr.split()))


def test_folder_without_a_topology_is_refused(tmp_path: Path) -> None:
    """The file that is missing is named."""
    result = CliRunner().invoke(main, ["destroy", *NOBODY, "--specimen", str(tmp_path)])

    assert 3 == result.exit_code
    assert "topology.toml: cannot be read" in " ".join(result.stderr.split())
