"""The manifest: one type, written and read by its keys; what cannot be read is named."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from dlqlab import __version__
from dlqlab.contracts import manifest
from dlqlab.contracts.done import Done
from dlqlab.contracts.injection import Fault, Kind, Plan
from dlqlab.contracts.manifest import (
    Broken,
    CardEntry,
    Collected,
    DrainReport,
    EmulatorSettings,
    Git,
    Latency,
    LatencyProbe,
    LoadReport,
    Manifest,
    Provenance,
    RetryProbe,
    SimulationFacts,
)
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.errors import EvidenceError
from taskrules.retry import RetryPolicy
from tests.support.histories import simulate
from tests.support.recorded import ROOT

WHOLE = Manifest(
    run_id="r1",
    scenario=Scenario(name="small", seed=9, load=Load(tasks=30), retry=RetryPolicy(max_retries=1)),
    specimen="orders",
    effects=("dynamodb:PutItem bills",),
    volatile=("updatedBy",),
    done=Done(table="orders", values=("done",)),
    promise=Promise(attempts=3, backoff_s=(2.0, 4.0)),
    injection=Plan(faults=(Fault(kind=Kind.KILL, rate=0.5, receives=(1,)),), seed=7),
    functions_run_id="by-hand",
    target="http://127.0.0.1:1",
    simulated=True,
    by_hand=True,
    finished=True,
    drained=True,
    broken=Broken(phase="load", reason="interrupted"),
    started_ts=1.0,
    run_started_ts=2.0,
    injected_ts=2.5,
    load_started_ts=3.0,
    load_ended_ts=4.0,
    drain_ended_ts=5.0,
    ended_ts=6.0,
    phases={"load": 1.5},
    load=LoadReport(planned=None, sent=3, late_mean_s=0.1, seed=2, hosts=("h",), workers=("w",), settings_known=False),
    drain=DrainReport(waited_s=2.5, reason="drained"),
    collected=Collected(rows={"ledger": 3}, logs_settled=True, foreign_items=0),
    junk_message_ids=("m",),
    redact_fields=("card",),
    partial_batch_responses=True,
    retry_probe=RetryProbe(n=20, median_s=0.15, p95_s=0.31, backoff_s=1, when="after the load"),
    latency_probe=LatencyProbe(after=Latency(api_ms=9.0, processor_ms=4.0)),
    emulator=EmulatorSettings(patches=("p",), ports=(4000, 4001)),
    not_measured={"host": "nobody looked"},
    fidelity=(CardEntry(name="emf", ok=None, statement="not known", measured={"n": 1}),),
    simulation=SimulationFacts(
        seed=1, tasks=9, sampled=3, took_s=0.5, parameters=[{"name": "x"}], calibration={"a": 1}
    ),
    cells=2,
    cores=4,
    provenance=Provenance(
        versions={"dlqlab": __version__}, git=Git(sha="0" * 40, dirty=True), command=("dlqlab", "run")
    ),
)
WRITTEN = simulate(Scenario(name="small", load=Load(tasks=30))).manifest


def test_every_field_survives_the_file(tmp_path: Path) -> None:
    """What a writer says is what a reader gets: each field is given here as something else than its default."""
    default = Manifest(run_id="", scenario=Scenario(name="x"))
    run = RunDir(tmp_path)
    run.write_manifest(WHOLE)

    assert [] == [one.name for one in fields(Manifest) if getattr(WHOLE, one.name) == getattr(default, one.name)]
    assert WHOLE == run.read_manifest()
    assert {"seed": 9, "command": ["dlqlab", "run"]}.items() <= json.loads(run.manifest_path.read_text()).items()


@pytest.mark.parametrize("name", ["one_retry", "two_retries"])
def test_manifest_of_an_earlier_version_is_read(name: str) -> None:
    """A recorded run lacks what was not written then, and says all that it did."""
    run = RunDir(ROOT / name)
    read, raw = run.read_manifest(), json.loads(run.manifest_path.read_text())

    assert {} == read.not_measured
    assert read.run_started_ts is None
    assert raw["collected"]["rows"] == (read.collected.rows if read.collected else None)
    assert [entry["statement"] for entry in raw["fidelity"]] == [entry.statement for entry in read.fidelity]


@pytest.mark.parametrize("key", manifest.ALWAYS_WRITTEN)
def test_needed_key_that_is_missing_is_named(key: str) -> None:
    """With the file that lacks it."""
    value = {name: item for name, item in WRITTEN.items() if name != key}

    with pytest.raises(EvidenceError, match=rf"^here/manifest\.json: {key} is missing$"):
        Manifest.from_json(value, source="here/manifest.json")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retry_probe": {"n": 3}}, "retry_probe.median_s is missing"),
        ({"load_started_ts": "noon"}, "load_started_ts is 'noon': give a number"),
        ({"drained": 1}, "drained is 1: give true or false"),
        ({"cores": True}, "cores is True: give a whole number"),
        ({"command": "dlqlab run"}, "command is 'dlqlab run': give a list"),
        ({"fidelity": [{"name": "x", "ok": "yes", "statement": ""}]}, "fidelity[0].ok is 'yes': give true or false"),
        (
            {"collected": {"rows": {"ledger": "3"}, "logs_settled": True, "foreign_items": 0}},
            "collected.rows.ledger is",
        ),
        ({"scenario": {"name": "x", "speed": 1}}, "scenario: speed is not known"),
        ({"scenario": 7}, "scenario is 7: give a table"),
        ({"weather": "rain"}, "weather is not known"),
        ({"load": {"planned": 1, "sent": 1, "lost": 1}}, "load.lost is not known"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_key_that_cannot_be_used_is_named(changes: dict[str, Any], said: str) -> None:
    """One line with the file, the key and its value; never a guess, and nothing is passed over."""
    with pytest.raises(EvidenceError) as refused:
        Manifest.from_json({**WRITTEN, **changes})

    assert str(refused.value).startswith(f"manifest.json: {said}"), refused.value
    assert "\n" not in str(refused.value)


def test_manifest_of_another_version_says_whose_it_is() -> None:
    """Who is refused learns that another version wrote it."""
    with pytest.raises(EvidenceError, match=rf"weather is not known \(written by dlqlab 9\.9; this is {__version__}\)"):
        Manifest.from_json({**WRITTEN, "weather": "rain", "versions": {"dlqlab": "9.9"}})


def test_provenance_is_that_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions of what could change a result, and the command without the folder of the program."""
    said = {"rev-parse": "0" * 40, "status": " M README.md"}  # what git would say: a unit test starts no process
    monkeypatch.setattr(manifest, "_git", lambda *arguments: said[arguments[0]])
    made_by = Provenance.now()

    assert {"dlqlab", "python", "system", *manifest.PACKAGES} == set(made_by.versions)
    assert "dlqlab" == made_by.command[0]
    assert made_by.git == Git(sha="0" * 40, dirty=True)


def test_run_ids_sort_by_their_time() -> None:
    """A time in UTC, then the name."""
    assert manifest.run_id("small").endswith("Z-small")
    assert len("2026-01-31T10-00-00Z-small") == len(manifest.run_id("small"))
