"""The page about the language: what it says is so."""

import re

import pytest

from dlqlab import paths
from dlqlab.insights import MalformedQueryError, compile_query
from dlqlab.insights.aggregates import NAMES
from dlqlab.insights.functions import FUNCTIONS

PAGE = (paths.DOCS / "logs.md").read_text()
LANGUAGE = PAGE.partition("## The language")[2].partition("## What is refused")[0]
REFUSED = PAGE.partition("## What is refused")[2].partition("## What a run directory keeps")[0]
_TEXT = re.compile(r"```text\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


def _queries() -> list[str]:
    shown = [line for block in _TEXT.findall(PAGE) for line in block.splitlines()]
    commands = [_CODE.findall(line.split(" | ")[0])[0] for line in LANGUAGE.splitlines() if line.startswith("| `")]
    events = (paths.DOCS / "log-events.md").read_text().partition("## Questions about dead letters")[2]
    asked = [line.strip() for line in events.splitlines() if line.startswith("    ")]
    return [*shown, *asked, *(command for command in commands if " " in command and "..." not in command)]


@pytest.mark.parametrize("query", _queries())
def test_the_pages_queries_are_understood(query: str) -> None:
    """Every query that is shown, for the emulator as for AWS."""
    assert query == compile_query(query, now_s=0).text


def test_the_page_names_every_function() -> None:
    """And none that is not there."""
    functions = LANGUAGE.partition("**Functions**")[2].partition("Operators")[0]
    figures = LANGUAGE.partition("**Figures**")[2].partition("in any expression")[0]
    named = {name.lower() for name in _CODE.findall(functions)}

    assert {*FUNCTIONS, "now", "bin", "datefloor", "dateceil"} == named
    assert NAMES == {name.lower() for name in _CODE.findall(figures)} - {"stats"}


@pytest.mark.parametrize("command", ["pattern", "diff", "anomaly", "unmask", "lookup", "join", "unnest", "filterIndex",
                                     "addtotals", "SOURCE"])  # fmt: skip
def test_what_the_page_says_is_refused_is(command: str) -> None:
    assert f"`{command}`" in REFUSED
    with pytest.raises(MalformedQueryError, match=f"the command {command} of CloudWatch is not supported here"):
        compile_query(command, now_s=0)
