"""What dlqlab collect refuses, and what it says of figures that nobody measured."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from dlqlab.cli import main
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.target import Target, url_target
from dlqlab.errors import UsageError
from dlqlab.load.journal import SETTINGS_SUFFIX, Journal
from dlqlab.load.settings import LoadSettings
from dlqlab.run.collect_by_hand import HandCollector
from dlqlab.run.target_facts import host_parts, target_facts


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """An endpoint on this machine; nothing answers there."""
    return url_target("http://127.0.0.1:1", state_root=tmp_path)


def _load_under_way(folder: Path) -> RunDir:
    run = RunDir(folder)
    with Journal(run.ledger_parts, "w0") as journal:
        journal.invoked(task_id="t", payload_json="{}", sent_ts=100.0)
    settings = LoadSettings.from_env({}, by_hand_id="r").to_json() | {"host": None, "started_ts": 100.0}
    (run.ledger_parts / f"w0{SETTINGS_SUFFIX}").write_text(json.dumps(settings))
    return run


def test_load_that_still_runs_is_not_collected(tmp_path: Path, target: Target) -> None:
    """A worker that has not ended and wrote a moment ago is still sending."""
    run = _load_under_way(tmp_path / "load")

    with pytest.raises(UsageError, match="w0 still sends: collect again once the load has ended"):
        HandCollector(run, target, Console()).collect()
    assert not run.manifest_path.exists()


def test_run_of_dlqlab_is_not_collected_again(tmp_path: Path, target: Target) -> None:
    """The evidence of a run is complete and is not touched."""
    run = _load_under_way(tmp_path / "run")
    run.write_manifest(Manifest(run_id="run", scenario=Scenario(name="run")))

    with pytest.raises(UsageError, match="is a run that is collected already"):
        HandCollector(run, target, Console()).collect()


def test_endpoint_that_is_not_ours_has_unknowns(target: Target) -> None:
    """The manifest says which figures cannot be had, and only the harness's own processes are sampled."""
    facts = target_facts(target, None)

    assert (None, {"host", "emulator"}) == (facts.emulator, set(facts.not_measured))
    assert [None] * 3 == [entry.ok for entry in facts.fidelity]
    assert {"harness"} == set(host_parts(None))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--since", "10m", "x"), "RUN and --since are given"),
        (("--since", "never"), "give a time such as"),
        (("no-such-load",), "no load 'no-such-load'"),
        ((), "holds no ledger that is not collected"),
        (("--scenario", "no-such-scenario"), "no scenario 'no-such-scenario'"),
    ],
)
def test_wrong_usage_is_refused(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """Each with what to give instead, before anything is asked of the endpoint."""
    options = ("--target", "http://127.0.0.1:1", "--runs", str(tmp_path))
    done = CliRunner().invoke(main, ["collect", *options, *arguments])

    assert (3, True) == (done.exit_code, message in " ".join(done.output.split())), done.output
