"""The verdict over simulated runs: a sane one, and one for each planted defect."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pkgutil import ModuleInfo, iter_modules

import pytest

from dlqlab.analysis import checks
from dlqlab.analysis.checking import Checker, Judgement, check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.judge import CHECKS, judge
from dlqlab.contracts.scenario import Judge, Load, Pipeline, Scenario
from dlqlab.contracts.tables import TABLES, frame
from dlqlab.contracts.verdict import Check, NamedSet, SetKind, Status, Verdict
from taskrules.faults import FaultMode, FaultPlan
from taskrules.retry import Jitter, RetryPolicy
from tests.support import defects
from tests.support.histories import Simulated, simulate
from tests.support.rows import evidence

SCENARIO = Scenario(name="default")
BRIEF = Load(tasks=1000, duration_s=34.0)


@pytest.fixture(scope="module")
def sane() -> Simulated:
    """A run of the default scenario without a defect."""
    return simulate(SCENARIO)


@pytest.fixture(scope="module")
def brief() -> Simulated:
    """A run without a defect that has just data enough for every check to be valid."""
    return simulate(Scenario(name="brief", load=BRIEF))


@pytest.fixture(scope="module")
def verdict(sane: Simulated) -> Verdict:
    """The verdict of that run."""
    return judge(sane.evidence(is_recorded=True))


def find(verdict: Verdict, name: str) -> Check:
    return next(check for check in verdict.checks if check.name == name)


def not_valid(verdict: Verdict) -> dict[str, Status]:
    return {check.name: check.status for check in verdict.checks if check.status is not Status.VALID}


def test_sane_run_is_valid(verdict: Verdict) -> None:
    """Every check of a run without a defect is valid, in the order of importance."""
    assert dict.fromkeys(CHECKS, Status.VALID) == {check.name: check.status for check in verdict.checks}
    assert 0 == verdict.exit_code


def test_statements_of_a_sane_run(verdict: Verdict) -> None:
    """Each check says its numbers in one sentence."""
    statements = {check.name: check.statement for check in verdict.checks}

    assert {
        "finished": "the run came to its end, the queues drained and every source was read",
        "sources": "7 comparisons of two sources each, no contradiction",
        "conservation": "1,800 tasks acknowledged, 0 lost, 0 done twice",
        "oracle": "1,800 tasks as predicted: 1,753 completed, 47 dead-lettered",
        "effects": "1,753 tasks completed, each with one effect",
        "witness": "2,457 attempts, 1,753 effects and 1,847 messages as recorded",
        "failure_rate": "failure rate 28.7 % [26.9, 30.5] (95 %, n = 2,457 attempts) against 30 %",
        "retry_timing": "no retry early; late by 0.21 s at the median (n = 657), of which 0.15 s is the emulator's",
        "dlq_volume": "DLQ 2.6 % [2.0, 3.5] (95 %, n = 1,800 tasks), predicted 2.7 %",
        "records": "47 dead letters, each with its log line and its archive",
        "payloads": "1,800 tasks with the payload that was sent, wherever it is kept",
        "recovery": "backlog drained 6.5 s after the load; 60 tasks/s accepted, 80 attempts/s processed; completion in "
        "32 ms at the median, 6.30 s at p95; latency returned to its baseline: the API answers in 11.0 ms (before the "
        "load 9.0 ms), the processor returns in 4.5 ms (before the load 4.0 ms)",
    } == statements


def test_verdict_survives_json(verdict: Verdict) -> None:
    """What is stored is strict JSON and reads back as the same verdict."""
    stored = json.loads(json.dumps(verdict.to_json(), allow_nan=False))

    assert verdict.to_json() == Verdict.from_json(stored).to_json()


PLANTED: dict[str, tuple[Callable[[Simulated, str], Simulated], str, dict[str, Status], str, str]] = {
    "lost": (
        defects.lose,
        "COMPLETED",
        {
            "conservation": Status.INVALID,
            "oracle": Status.INVALID,
            "effects": Status.UNKNOWN,
            "dlq_volume": Status.UNKNOWN,
        },
        "conservation",
        "lost",
    ),
    "double effect": (
        defects.repeat_effect,
        "COMPLETED",
        {"conservation": Status.INVALID, "effects": Status.INVALID},
        "conservation",
        "duplicated",
    ),
    "zombie": (
        defects.bury_completed,
        "COMPLETED",
        {"conservation": Status.INVALID, "records": Status.INVALID},
        "conservation",
        "zombie",
    ),
    "early retry": (
        lambda run, task: defects.start_early(run, task, by_s=0.05),
        "FAILED",
        {"retry_timing": Status.INVALID},
        "retry_timing",
        "early",
    ),
    "no error message": (
        defects.drop_error_message,
        "FAILED",
        {"records": Status.INVALID},
        "records",
        "without_error_message",
    ),
    "other payload logged": (
        defects.log_other_payload,
        "FAILED",
        {"payloads": Status.INVALID},
        "payloads",
        "line_payload",
    ),
    "other payload stored": (
        defects.store_other_payload,
        "COMPLETED",
        {"payloads": Status.INVALID},
        "payloads",
        "item_payload",
    ),
    "other payload archived": (
        defects.archive_other_payload,
        "FAILED",
        {"payloads": Status.INVALID},
        "payloads",
        "archive_payload",
    ),
    "undrained": (
        defects.leave_in_flight,
        "FAILED",
        dict.fromkeys(("finished", "conservation", "oracle", "effects", "dlq_volume", "recovery"), Status.UNKNOWN),
        "conservation",
        "in_flight",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_defect_is_found_and_named(brief: Simulated, name: str) -> None:
    """Each defect makes exactly its checks answer otherwise, and the task is named in the set it belongs to."""
    plant, status, expected, check, members = PLANTED[name]
    task = defects.ids(brief, status)[3]
    verdict = judge(plant(brief, task).evidence())

    assert expected == not_valid(verdict)
    assert (task,) == find(verdict, check).members[members]
    assert check == "conservation" or task in find(verdict, check).statement


def test_samples_that_contradict_the_drain_are_named(brief: Simulated) -> None:
    """A run says that it drained; the last sample of its task queue shows a message."""
    verdict = judge(defects.leave_in_queue(brief, "").evidence())

    assert ("tasks: 1 visible, 0 in flight, 0 delayed",) == find(verdict, "sources").members["still_queued"]
    assert {"sources": Status.UNKNOWN, "conservation": Status.UNKNOWN, "recovery": Status.UNKNOWN} == not_valid(verdict)


def test_tolerance_of_an_early_retry(brief: Simulated) -> None:
    """Half a millisecond early is the rounding of time stamps, not a retry before its time."""
    task = defects.ids(brief, "FAILED")[0]
    verdict = judge(defects.start_early(brief, task, by_s=0.0005).evidence())

    assert {} == not_valid(verdict)


def test_33_percent_with_enough_data_is_invalid() -> None:
    """The app fails a third of the attempts where 30 % are declared, and the run is long enough to tell."""
    verdict = judge(
        simulate(SCENARIO, behaves_as=Scenario(name="worse", faults=FaultPlan(failure_rate=0.33))).evidence()
    )

    assert Status.INVALID is find(verdict, "failure_rate").status
    assert Status.INVALID is find(verdict, "oracle").status


def test_33_percent_against_a_target_of_30_is_invalid() -> None:
    """A rate that the plan declares and the target forbids is invalid however exactly the plan was followed."""
    scenario = Scenario(
        name="over target",
        faults=FaultPlan(failure_rate=0.33),
        judge=Judge(target_failure_rate=0.3),
        load=Load(tasks=4000, duration_s=100.0),
    )

    assert {"failure_rate": Status.INVALID} == not_valid(judge(simulate(scenario).evidence()))


def test_33_percent_without_enough_data_is_unknown() -> None:
    """A short run cannot tell 33 % from 30 %, and says how many tasks are missing."""
    scenario = Scenario(
        name="short",
        faults=FaultPlan(failure_rate=0.33),
        judge=Judge(target_failure_rate=0.3),
        load=Load(tasks=200),
    )
    verdict = judge(simulate(scenario).evidence())

    assert {"failure_rate": Status.UNKNOWN} == not_valid(verdict)
    assert "more tasks needed for ± 3 %" in find(verdict, "failure_rate").statement


SCENARIOS = {
    "sticky": Scenario(name="x", faults=FaultPlan(mode=FaultMode.PER_TASK)),
    "fault-free": Scenario(name="x", faults=FaultPlan(mode=FaultMode.NONE), load=BRIEF),
    "every fault": Scenario(
        name="x",
        faults=FaultPlan(
            failure_rate=0.2,
            permanent_rate=0.02,
            timeout_rate=0.02,
            crash_before_rate=0.02,
            crash_after_rate=0.02,
            slow_rate=0.05,
            slow_s=0.2,
        ),
        load=Load(tasks=1500, rate_per_s=5.0, duration_s=300.0, junk_messages=5),
        pipeline=Pipeline(function_timeout_s=2, visibility_timeout_s=12),
    ),
    "permanent suffix": Scenario(name="x", faults=FaultPlan(permanent_suffix="3"), load=BRIEF),
    "jitter and many retries": Scenario(
        name="x", retry=RetryPolicy(max_retries=5, base_s=1.0, jitter=Jitter.FULL), load=BRIEF
    ),
    "no retries": Scenario(name="x", retry=RetryPolicy(max_retries=0), load=BRIEF),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_pipeline_that_follows_its_plan_is_valid(name: str) -> None:
    """Whatever is declared: the oracle, the rates and the records agree with a pipeline that does just that."""
    verdict = judge(simulate(SCENARIOS[name]).evidence())

    assert {} == not_valid(verdict)


def test_empty_run_is_unknown() -> None:
    """Nothing submitted proves nothing: no check but the run's own end is valid."""
    verdict = judge(evidence())

    assert dict.fromkeys([name for name in CHECKS if name != "finished"], Status.UNKNOWN) == not_valid(verdict)
    assert 2 == verdict.exit_code


def test_unfinished_run_is_unknown(brief: Simulated) -> None:
    """A run that broke off is at best unknown, although its checks may hold."""
    verdict = judge(replace(brief, manifest=brief.manifest | {"finished": False}).evidence())

    assert ({"finished": Status.UNKNOWN}, Status.UNKNOWN) == (not_valid(verdict), verdict.status)


@pytest.mark.parametrize("table", TABLES)
def test_missing_table_leaves_the_other_checks_alone(brief: Simulated, table: str) -> None:
    """A table that cannot be read makes the checks that need it unknown, and only those."""
    needed_by = {
        "ledger": set(CHECKS) - {"finished"},
        "events": set(CHECKS) - {"finished", "effects", "sources"},
        "tasks": set(CHECKS) - {"finished", "sources"},
        "queues": {"recovery"},
    }
    run = brief.evidence(is_recorded=True)
    run = replace(
        run, tables={k: v for k, v in run.tables.items() if k != table}, unreadable={table: f"{table}: torn file"}
    )
    verdict = judge(run)

    expected = {"finished"} | needed_by.get(table, set())
    assert dict.fromkeys([name for name in CHECKS if name in expected], Status.UNKNOWN) == not_valid(verdict)


@pytest.mark.parametrize("module", list(iter_modules(checks.__path__)), ids=lambda module: module.name)
def test_each_module_of_checks_declares_the_check_of_its_name(module: ModuleInfo) -> None:
    """One file a check: it is found without being listed anywhere."""
    found = vars(import_module(f"{checks.__name__}.{module.name}")).values()
    declared = [value for value in found if isinstance(value, Checker)]

    assert [module.name] == [checker.name for checker in declared]
    assert CHECKS[module.name] is declared[0]


def test_checks_have_places_of_their_own() -> None:
    """Two checks in one place would be in no order."""
    assert len({checker.place for checker in CHECKS.values()}) == len(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_sets_of_a_check_are_distinct_and_told(name: str) -> None:
    """A set has one name and one sentence."""
    sets = CHECKS[name].sets

    assert len({one.name for one in sets}) == len(sets)
    assert [] == [one.name for one in sets if not (one.meaning[:1].isupper() and one.meaning.endswith("."))]


def test_members_of_a_set_that_is_not_declared_are_refused() -> None:
    """Nobody could say what they mean."""

    @check("odd", "Odd", place=1, sets=[NamedSet("known", SetKind.VIOLATION, "Known.")])
    def odd(_: Facts) -> Judgement:
        return Judgement(status=Status.INVALID, statement="1 wrong", members={"known": (), "other": ("t-1",)})

    with pytest.raises(ValueError, match="the check odd declares no set other"):
        odd(Facts(evidence()))


def test_broken_checker_hides_no_other(brief: Simulated) -> None:
    """A checker that raises is unknown with the error's text; the others answer as ever."""
    run = brief.evidence()
    broken = replace(run, tables={**run.tables, "events": run.tables["events"].drop(columns="backoff_s")})
    verdict = judge(broken)

    assert Status.VALID is find(verdict, "effects").status
    assert "the checker broke: KeyError: " in find(verdict, "retry_timing").statement


def test_lines_that_break_the_schema_are_unknown(brief: Simulated) -> None:
    """Evidence that could not be parsed is a gap that the verdict must show."""
    verdict = judge(replace(brief.evidence(), bad_lines=('{"event": "task.lost"}',)))

    assert {"finished": Status.UNKNOWN} == not_valid(verdict)
    assert "1 log line broke the schema" == find(verdict, "finished").statement


def test_table_without_rows_is_no_crash() -> None:
    """Tables that are all there and all empty break no checker."""
    run = replace(evidence(), tables={name: frame(name, []) for name in TABLES})

    assert [] == [check.statement for check in judge(run).checks if "broke" in check.statement]
