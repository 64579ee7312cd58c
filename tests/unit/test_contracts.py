"""Scenarios, tables, run directories and verdicts: bad input is named, good input survives a round trip."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dlqlab import paths
from dlqlab.contracts.manifest import Manifest
from dlqlab.contracts.rundir import RunDir, point_latest, runs
from dlqlab.contracts.scenario import Breaker, Scenario, from_dict, load_scenario
from dlqlab.contracts.tables import TABLES, frame
from dlqlab.contracts.verdict import EXIT_CODES, Check, Status, Verdict, merge
from dlqlab.errors import EvidenceError, ScenarioError
from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy


@pytest.mark.parametrize("path", sorted(paths.SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_scenario_of_the_checkout_survives_a_round_trip(path: Path) -> None:
    """Every scenario loads, has a description, and comes back from its plain form as it was."""
    scenario = load_scenario(path)

    assert scenario == from_dict(scenario.to_dict(), source="test")
    assert scenario.description


BAD_SCENARIOS: list[tuple[dict[str, Any], str]] = [
    ({"sed": 1}, r"sed is not known: settings here are name, description, seed"),
    ({"load": {"user": 1}}, r"load.user is not known"),
    ({"load": 3}, r"load is 3: give a table"),
    ({"load": {"users": True}}, r"load.users is True: give a int"),
    ({"load": {"users": 0}}, r"load.users is 0: give 1 to 1000"),
    ({"load": {"rate_per_s": float("nan")}}, r"load.rate_per_s is nan: give a finite number"),
    ({"load": {"rate_per_s": "60"}}, r"load.rate_per_s is '60': give a float"),
    ({"seed": -1}, r"seed is -1"),
    ({"faults": {"failure_rate": 30}}, r"faults.failure_rate is 30.0: give a ratio of 0 to 1"),
    ({"faults": {"failure_rate": 0.9, "permanent_rate": 0.2}}, r"faults..* is over 1"),
    ({"faults": {"mode": "sometimes"}}, r"faults.mode is 'sometimes': give one of per_attempt, per_task, none"),
    ({"retry": {"cap_s": 901}}, r"retry.cap_s is 901: give 0 to 900"),
    ({"retry": {"jitter": "some"}}, r"retry.jitter is 'some'"),
    ({"pipeline": {"batch_size": 11}}, r"pipeline.batch_window_s is 0: a batch_size over 10 needs a window"),
    ({"pipeline": {"visibility_timeout_s": 5}}, r"pipeline.visibility_timeout_s is 5: give function_timeout_s \(10\)"),
    ({"pipeline": {"max_concurrency": 1}}, r"pipeline.max_concurrency is 1: give 2 to 1000"),
    ({"judge": {"confidence": 95.0}}, r"judge.confidence is 95.0"),
]


@pytest.mark.parametrize(("data", "message"), BAD_SCENARIOS, ids=lambda value: str(value)[:40])
def test_bad_scenario_names_field_value_and_remedy(data: dict[str, Any], message: str) -> None:
    """Whatever is wrong with a scenario, the error says where, what and how to mend it."""
    with pytest.raises(ScenarioError, match=rf"bad.toml: {message}"):
        from_dict({"name": "bad", **data}, source="bad.toml")


def test_file_that_is_no_toml_is_an_error(tmp_path: Path) -> None:
    """A broken file is named with the parser's reason, a missing one with the system's."""
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = ")
    with pytest.raises(ScenarioError, match=r"broken.toml: is not TOML"):
        load_scenario(broken)
    with pytest.raises(ScenarioError, match=r"missing.toml: cannot be read: No such file"):
        load_scenario(tmp_path / "missing.toml")


def test_default_scenario_has_the_numbers_of_its_name() -> None:
    """30 % of attempts, 2 retries after 2 s and 4 s."""
    scenario = load_scenario(paths.SCENARIOS / "default.toml")

    assert (0.3, (2, 4), 3) == (
        scenario.faults.failure_rate,
        scenario.retry.schedule_s("any"),
        scenario.retry.max_attempts,
    )


@pytest.mark.parametrize("table", TABLES)
def test_empty_table_has_all_columns_and_types(table: str, tmp_path: Path) -> None:
    """A table without rows is written and read with its columns."""
    run = RunDir(tmp_path)
    run.write(table, frame(table, []))
    found = run.read(table)

    assert list(TABLES[table]) == list(found.columns)
    assert [column.dtype for column in TABLES[table].values()] == [str(dtype) for dtype in found.dtypes]


def test_unknown_column_is_refused() -> None:
    """A misspelt key must not vanish."""
    with pytest.raises(ValueError, match=r"table queues has no column \['visable'\]"):
        frame("queues", [{"visable": 1}])


def test_missing_or_broken_table_is_an_evidence_error(tmp_path: Path) -> None:
    """What cannot be read is named, with its path once."""
    run = RunDir(tmp_path)
    run.table_path("queues").write_bytes(b"PAR1 no")
    for table, said in (("queues", "cannot be read as table queues"), ("events", "is not there")):
        with pytest.raises(EvidenceError, match=rf"{table}.parquet: {said}") as caught:
            run.read(table)
        assert 1 == str(caught.value).count(str(tmp_path))
    with pytest.raises(EvidenceError, match=r"manifest.json: cannot be read: No such file or directory$"):
        run.read_manifest()
    assert set(TABLES) - {"queues"} == set(run.missing())


def test_latest_points_at_the_newest_run(tmp_path: Path) -> None:
    """The link moves on and is not listed as a run of its own."""
    for name in ("a", "b"):
        run = RunDir(tmp_path / name)
        run.write_manifest(Manifest(run_id=name, scenario=Scenario(name=name)))
        point_latest(run)

    assert "b" == (tmp_path / "latest").readlink().name
    assert ["a", "b"] == [run.path.name for run in runs(tmp_path)]


def test_partial_writes_leave_the_old_file(tmp_path: Path) -> None:
    """A frame that cannot be written does not damage the table that was there."""
    run = RunDir(tmp_path)
    run.write("queues", frame("queues", [{"visible": 1}]))
    with pytest.raises(ValueError, match="could not convert"):
        run.write("queues", pd.DataFrame({"ts": ["not a time"]}))

    assert [1] == run.read("queues")["visible"].tolist()


def _check(status: Status) -> Check:
    return Check(name="c", title="C", status=status, statement="s", interval=(0.1, 0.2), members={"lost": ("t-1",)})


@pytest.mark.parametrize(
    ("statuses", "finished", "expected"),
    [
        ([], True, Status.UNKNOWN),
        ([Status.VALID], True, Status.VALID),
        ([Status.VALID], False, Status.UNKNOWN),
        ([Status.VALID, Status.UNKNOWN], True, Status.UNKNOWN),
        ([Status.VALID, Status.UNKNOWN, Status.INVALID], True, Status.INVALID),
        ([Status.INVALID], False, Status.INVALID),
    ],
)
def test_verdict_merges_invalid_over_unknown_over_valid(
    statuses: list[Status], finished: bool, expected: Status
) -> None:
    """One invalid check makes the verdict invalid, an unfinished run is never valid, nothing checked is unknown."""
    verdict = Verdict(run_id="r", finished=finished, checks=tuple(map(_check, statuses)))

    assert (expected, EXIT_CODES[expected]) == (verdict.status, verdict.exit_code)
    assert verdict == Verdict.from_json(verdict.to_json())


def test_nothing_to_merge_is_unknown() -> None:
    """No answer is not a good answer."""
    assert Status.UNKNOWN is merge([])


@pytest.mark.parametrize(
    ("section", "policy"),
    [(FaultPlan, FaultPlan), (RetryPolicy, RetryPolicy), (Breaker, BreakerPolicy)],
    ids=lambda kind: kind.__name__,
)
def test_scenario_and_app_have_the_same_settings(section: type, policy: type) -> None:
    """A section of a scenario has the fields of the app's class with the same defaults; seed and switch stand apart."""
    here, there = (
        {field.name: field.default for field in dataclasses.fields(kind) if field.name not in {"seed", "enabled"}}
        for kind in (section, policy)
    )

    assert there == here


def test_defaults_are_a_valid_scenario() -> None:
    """A scenario needs no more than a name."""
    assert Scenario(name="x") == from_dict({"name": "x"}, source="test")
