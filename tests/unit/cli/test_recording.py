"""The switches of the flight recorder, and what functions may reach."""

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlqlab.cli import main
from dlqlab.contracts.recorded import RECORDER
from dlqlab.emulator import settings
from dlqlab.emulator.host import fidelity_card, lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.patches import ALL, by_default
from dlqlab.errors import UsageError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, str]]:
    """Patches and setting of bodies of each emulator that a command would have started."""
    for name in (settings.RECORDER, settings.RECORDED_BODIES):
        monkeypatch.setenv(name, "")  # restored afterwards, whatever a command makes of it
        monkeypatch.delenv(name)
    found: list[tuple[Any, str]] = []

    def start(port: int, **options: Any) -> Emulator:
        environ = settings.environment(host="127.0.0.1", port=port, state=tmp_path, patches=options["patches"])
        found.append((options["patches"], environ[settings.RECORDED_BODIES]))
        return Emulator(port=port, pid=1, created_ts=time.time(), state=str(tmp_path), patches=options["patches"])

    monkeypatch.setattr(lifecycle, "start", start)
    monkeypatch.setattr(lifecycle, "find_all", list)
    return found


def test_up_records_unless_it_is_told_not_to(started: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option holds for its own; what a command sets reaches the processes that it starts."""
    for options in ((), ("--no-bodies",), ("--no-recorder",)):
        for name in (settings.RECORDER, settings.RECORDED_BODIES):
            monkeypatch.delenv(name, raising=False)
        done = CliRunner().invoke(main, ["up", "--port", "auto", *options])
        assert 0 == done.exit_code, done.output
    without = tuple(name for name in ALL if name != RECORDER)

    assert [(ALL, settings.BODIES_REDACTED), (ALL, settings.NO_BODIES), (without, settings.BODIES_REDACTED)] == started
    assert settings.OFF == os.environ[settings.RECORDER]


def test_setting_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with the values that there are."""
    monkeypatch.setenv(settings.RECORDER, "no")
    with pytest.raises(UsageError, match="DLQLAB_RECORDER is no: give on or off"):
        by_default()
    monkeypatch.setenv(settings.RECORDED_BODIES, "all")
    with pytest.raises(UsageError, match="DLQLAB_RECORDED_BODIES is all: give redacted or none"):
        settings.environment(host="127.0.0.1", port=1, state=Path(), patches=())


def test_card_says_whether_a_run_was_recorded(tmp_path: Path) -> None:
    """As it says it of every patch."""
    recorded = Emulator(port=1, pid=1, created_ts=0.0, state=str(tmp_path), patches=ALL)
    entries = [
        {entry["name"]: entry for entry in fidelity_card.card(emulator)}[f"patch {RECORDER}"]
        for emulator in (recorded, dataclasses.replace(recorded, patches=()))
    ]

    assert [True, False] == [entry["ok"] for entry in entries]
    assert str(entries[1]["statement"]).startswith("off: The emulator writes down what happens to every message")


def test_up_lets_functions_reach_what_it_is_told(
    started: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside what the shell allows; what is no address is refused before anything starts."""
    monkeypatch.setenv(settings.ALLOW_NETWORK, "a.example.com:1")
    options = ["--allow-network", "b.example.com:443", "--allow-network", "*.c.example.com:*"]
    done = CliRunner().invoke(main, ["up", "--port", "auto", *options])

    assert 0 == done.exit_code, done.output
    assert os.environ[settings.ALLOW_NETWORK] == "a.example.com:1,b.example.com:443,*.c.example.com:*"
    refused = CliRunner().invoke(main, ["up", "--port", "auto", "--allow-network", "https://d.example.com"])
    assert refused.exit_code != 0
    assert "is 'https://d.example.com': give \"HOST:PORT\"" in refused.output
    assert len(started) == 1


def test_what_is_only_done_if_asked_for(started: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM, latency and quotas each add their patch; what makes no sense is refused before anything starts."""
    for name in (settings.ENFORCE_IAM, settings.LATENCY, settings.LIMITS):
        monkeypatch.setenv(name, "")  # restored afterwards
        monkeypatch.delenv(name)
    for wrong in (("--latency", "none.toml"), ("--limits", "aws,speed=1"), ("--limits", "gcp")):
        refused = CliRunner().invoke(main, ["up", "--port", "auto", *wrong])
        assert refused.exit_code != 0
        assert wrong[1] in refused.output
    asked = ["--enforce-iam", "--latency", "aws", "--limits", "aws,api_per_s=5"]
    done = CliRunner().invoke(main, ["up", "--port", "auto", *asked])
    [(names, _)] = started

    assert 0 == done.exit_code, done.output
    assert {"enforce_iam", "aws_latency", "aws_limits"} == set(names) - set(ALL)
