"""A result is kept, read again and compared; a broken row becomes a file, a command and a test."""

import ast
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dlqlab.contracts.injection import Fault, Form, Kind, Plan
from dlqlab.contracts.verdict import Status
from dlqlab.errors import EvidenceError, UsageError
from dlqlab.run.injection import read_plan
from dlqlab.torture import result as results
from dlqlab.torture.harms import Harm
from dlqlab.torture.judged import Judged, Outcome
from dlqlab.torture.matrix import BASELINE, Matrix, Row
from dlqlab.torture.reproduction import command, number_of, struck_only, to_pytest, to_toml
from dlqlab.torture.result import Answer, Change, Result, answer, changes
from dlqlab.torture.run_matrix import Choice, cannot_shrink
from dlqlab.torture.shrink import Case
from dlqlab.torture.summary import to_junit

FAULT = Fault(kind=Kind.MALFORMED, name="bad-answer", receives=(1,), rate=0.2, form=Form.EMPTY_ID)
BASE = Answer(name=BASELINE, what="nothing is broken", outcome=Outcome.SURVIVED)
BROKEN = Answer(
    name="malformed",
    what="the answer is malformed",
    outcome=Outcome.BROKEN,
    faults=(FAULT,),
    tasks=60,
    strikes=3,
    harms=(Harm("named_in_vain", "Named, and deleted.", ("m1", "m2")),),
    tasks_of={"m1": "t-2-00000004", "m2": "t-2-00000011"},
    struck={FAULT.name: ("t-2-00000004",)},
    seed=2,
)


def result(*answers: Answer) -> Result:
    return Result(name="orders", started_ts=1.0, answers=(BASE, *answers))


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = result(BROKEN)

    results.write(written, tmp_path)

    assert results.read(tmp_path) == written


def test_a_file_that_is_no_result_is_refused(tmp_path: Path) -> None:
    (tmp_path / results.FILE).write_text('{"answers": [3]}')

    with pytest.raises(EvidenceError, match="is not a result"):
        results.read(tmp_path)


def test_the_last_result_is_the_latest_of_this_project(tmp_path: Path) -> None:
    assert results.last(tmp_path, "x") is None
    for name in ("2026-01-02T00-00-00Z-x-torture", "2026-01-01T00-00-00Z-x-torture", "2026-01-03T00-00-00Z-y-torture"):
        results.write(result(), tmp_path / name)

    found = results.last(tmp_path, "x")

    assert found is not None
    assert found.name == "2026-01-02T00-00-00Z-x-torture"


def test_rows_of_both_results_that_changed_are_told() -> None:
    mended = Answer(name="malformed", what="", outcome=Outcome.SURVIVED)
    new = Answer(name="kill", what="", outcome=Outcome.BROKEN)

    assert changes(result(BROKEN), result(mended, new)) == (Change("malformed", Outcome.BROKEN, Outcome.SURVIVED),)
    assert changes(result(BROKEN, new), result(BROKEN)) == ()


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.SURVIVED, Status.VALID),
        (Outcome.DEGRADED, Status.VALID),
        (Outcome.UNTOUCHED, Status.UNKNOWN),
        (Outcome.UNKNOWN, Status.UNKNOWN),
        (Outcome.BROKEN, Status.INVALID),
    ],
)
def test_the_status_is_that_of_the_worst_row(outcome: Outcome, status: Status) -> None:
    assert result(Answer(name="row", what="", outcome=outcome)).status is status


def test_junit_has_a_case_for_each_row_and_fails_where_something_broke() -> None:
    root = ET.fromstring(to_junit(result(BROKEN)))

    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {BASELINE, "malformed"}
    assert (root.get("failures"), cases["malformed"].find("failure") is not None) == ("1", True)


def test_the_file_of_a_row_is_read_as_the_same_plan(tmp_path: Path) -> None:
    call = Fault(kind=Kind.CALL_SLOW, operation="dynamodb:*", resource="bills", nth=(1, 2), attempts=1, delay_s=0.5)
    plan = Plan(faults=(FAULT, call), seed=7, tasks=(3, 17))
    file = tmp_path / "faults.toml"

    file.write_text(to_toml(plan, 'what it is\nand "why"'))

    assert read_plan(file, seed=1) == plan


def test_a_smaller_case_has_its_tasks_only_and_strikes_what_it_strikes_for_certain() -> None:
    other = replace(FAULT, name="other", whole_task=True)
    small = struck_only(Row("malformed", "", (other, FAULT)), Case((0, 3, 4), ((0, 1), (4, 1))), 9)
    (fault,) = small.faults

    assert (small.tasks, fault.name) == ((0, 3, 4), FAULT.name)
    assert (fault.keys, fault.rate, fault.receives) == (("t-9-00000000", "t-9-00000004"), 1.0, (1,))
    assert [number_of(key) for key in fault.keys] == [0, 4]
    assert number_of("0f6b8c1e-1111-2222-3333-123456789012") is None


def test_the_test_that_is_written_is_python_and_runs_the_command() -> None:
    text = to_pytest("call-failed+error", Plan(faults=(FAULT,), seed=3), tasks=2, reason="It was lost.")

    ast.parse(text)
    assert "def test_survives_call_failed_error" in text
    assert '"--tasks", "2"' in text
    assert command("f.toml", tasks=2) == "dlqlab torture --faults f.toml --tasks 2"


def test_what_is_also_so_without_faults_is_not_made_smaller() -> None:
    also = Answer(
        name="r", what="", outcome=Outcome.BROKEN, faults=(FAULT,), harms=BROKEN.harms, also_without=("named_in_vain",)
    )

    assert cannot_shrink(also) == "it is not broken by its faults"
    assert cannot_shrink(BROKEN) == ""
    outage = replace(BROKEN, faults=(Fault(kind=Kind.OUTAGE),))
    assert cannot_shrink(outage) == "an outage or a pause strikes whatever is under way, not chosen tasks"
    assert "{{key}}" in cannot_shrink(
        Answer(
            name="r", what="", outcome=Outcome.BROKEN, faults=(FAULT,), harms=BROKEN.harms, struck={FAULT.name: ("m1",)}
        )
    )


def test_rows_are_chosen_by_name_and_a_name_that_is_not_there_is_refused() -> None:
    every = Matrix((Row("error", ""), Row("error-always", ""), Row("kill", "")))

    assert [row.name for row in Choice(only=("error*",)).of(every).rows] == ["error", "error-always"]
    with pytest.raises(UsageError, match="there are error, error-always, kill"):
        Choice(only=("eror",)).of(every)


@pytest.mark.parametrize(
    ("usual", "harmed", "also"),
    [(1, 1, True), (1, 3, True), (1, 30, False), (0, 1, False), (20, 22, True), (60, 5, True)],
)
def test_what_the_baseline_shows_as_often_is_not_the_faults_doing(usual: int, harmed: int, *, also: bool) -> None:
    def harm(n: int) -> tuple[Harm, ...]:
        return (Harm("effect_twice", "Twice.", tuple(f"m{number}" for number in range(n))),) if n else ()

    baseline = Answer(name=BASELINE, what="", outcome=Outcome.BROKEN, tasks=60, harms=harm(usual))
    found = Judged(outcome=Outcome.BROKEN, breaks=harm(harmed), costs=(), strikes=9)

    row = answer(Row("kill", "", (FAULT,)), found, 60, baseline)

    assert (row.also_without == ("effect_twice",), row.is_the_faults_doing) == (also, not also)


def test_a_cost_of_a_broken_row_is_neither_its_reason_nor_made_small() -> None:
    cost = Harm("taken_along", "With its batch.", ("m9",), is_break=False)

    row = replace(BROKEN, harms=(*BROKEN.harms, cost), also_without=("named_in_vain",))

    assert row.reason == "Named, and deleted."
    assert not row.is_the_faults_doing
    assert cannot_shrink(row) == "it is not broken by its faults"
    assert replace(row, outcome=Outcome.DEGRADED, harms=(cost,)).reason == "With its batch."
