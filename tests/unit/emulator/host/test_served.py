"""The statements about what is served lead to pages and tests that are there."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlqlab.cli import main
from dlqlab.emulator.host import fidelity_card
from dlqlab.emulator.host.served import SERVED, Served
from dlqlab.paths import ROOT


@pytest.mark.parametrize("one", SERVED, ids=lambda one: one.name)
def test_statement_is_tried_by_tests_and_told_on_a_page(one: Served) -> None:
    """So that nobody has to take its word for it."""
    for test in one.tried_by:
        path, name = test.split("::")
        assert f"def {name}(" in (ROOT / path).read_text(), test
    assert one.tried_by
    assert (ROOT / one.page.partition("#")[0]).is_file()


def test_card_says_each_with_what_it_goes_by() -> None:
    """Before what is not as on AWS; no name twice."""
    entries = fidelity_card.statements()

    assert [one.name for one in SERVED] == [entry["name"] for entry in entries if entry["ok"]]
    assert all(one.source in str(entry["statement"]) for one, entry in zip(SERVED, entries, strict=False))
    assert len({entry["name"] for entry in entries}) == len(entries)


def test_card_is_printed_where_no_emulator_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds of every emulator, as lines or as JSON."""
    monkeypatch.setenv("DLQLAB_HOME", str(tmp_path))
    lines = CliRunner().invoke(main, ["emulator", "card"])
    entries = json.loads(CliRunner().invoke(main, ["emulator", "card", "--json"]).output)

    assert (lines.exit_code, entries) == (0, fidelity_card.statements())
    assert "✓ FIFO mappings: the batches of a message group one at a time" in lines.output
    assert "≠ EventBridge: an event that cannot be delivered is a dead letter at once" in lines.output
