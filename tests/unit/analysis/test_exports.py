"""Comparison of two runs, and the verdict for other programs."""

import json
from xml.etree import ElementTree as ET

import pytest

from dlqlab.analysis.compare import Effect, compare
from dlqlab.analysis.summary import to_junit, to_markdown, worst
from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.contracts.verdict import Check, NamedSet, SetKind, Status, Verdict
from taskrules.faults import FaultPlan
from tests.support.histories import simulate
from tests.support.rows import evidence

VERDICT = Verdict(
    run_id="run|1",
    finished=True,
    checks=(
        Check(name="finished", title="Ended", status=Status.VALID, statement="fine", members={"lost": ("x",)}),
        Check(
            name="conservation",
            title="Nothing lost",
            status=Status.INVALID,
            statement="1 lost <b>& \x01 | `x`",
            members={"lost": ("t-1",), "attempted": ("t-1", "t-2")},
            sets=(NamedSet("attempted", SetKind.ACCOUNT, "Sent."), NamedSet("lost", SetKind.VIOLATION, "Gone.")),
        ),
        Check(name="oracle", title="Fates", status=Status.UNKNOWN, statement="not over"),
    ),
)


def effects(first: Scenario, second: Scenario) -> dict[str, Effect]:
    found = compare(simulate(first).evidence(), simulate(second, seed=8).evidence())
    return {effect.name: effect for effect in found}


def test_compare_tells_a_worse_run() -> None:
    """Half of the attempts fail instead of a fifth: rates and completion times differ beyond their intervals."""
    load = Load(tasks=400, rate_per_s=40.0)
    found = effects(
        Scenario(name="a", faults=FaultPlan(failure_rate=0.2), load=load),
        Scenario(name="b", seed=2, faults=FaultPlan(failure_rate=0.5), load=load),
    )

    assert {"failure_rate", "dlq_share"} <= {name for name, effect in found.items() if effect.distinguishable}
    assert not found["unanswered_share"].distinguishable
    assert found["failure_rate"].difference == pytest.approx(0.3, abs=0.08)


def test_compare_of_a_run_with_itself_is_nothing() -> None:
    """No difference, in an interval around zero, and strict JSON."""
    run = simulate(Scenario(name="a", load=Load(tasks=200))).evidence()
    found = compare(run, run)

    assert {0.0} == {effect.difference for effect in found}
    assert not any(effect.distinguishable for effect in found)
    assert json.dumps([effect.to_json() for effect in found], allow_nan=False)


def test_compare_without_data_says_so() -> None:
    """Measures that a run does not have are None, not zero."""
    found = compare(evidence(), evidence())

    assert {(None, None, None, False)} == {(e.first, e.difference, e.interval, e.distinguishable) for e in found}


def test_junit_counts_invalid_as_failure_and_unknown_as_error() -> None:
    """A server that reads JUnit shows both as not passed; characters that XML forbids are replaced."""
    root = ET.fromstring(to_junit(VERDICT))
    cases = {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}
    failure = root.find(".//failure")

    assert {"finished": ["system-out"], "conservation": ["failure"], "oracle": ["error"]} == cases
    assert ("3", "1", "1") == (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"])
    assert failure is not None
    assert ("1 lost <b>& \ufffd | `x`", "lost (1): t-1") == (failure.attrib["message"], failure.text)


def test_markdown_is_a_table_that_nothing_breaks_out_of() -> None:
    """One row a check, markup escaped, members of the failing sets below."""
    lines = [
        "## ❌ run\\|1: invalid",
        "",
        "| | Check | Statement |",
        "|---|---|---|",
        "| ✅ | Ended | fine |",
        "| ❌ | Nothing lost | 1 lost \\<b\\>& \x01 \\| \\`x\\` |",
        "| ❔ | Fates | not over |",
        "",
        "<details><summary>Nothing lost</summary>",
        "",
        "- lost (1): t-1",
        "",
        "</details>",
        "",
    ]
    assert lines == to_markdown(VERDICT).split("\n")


def test_worst_members_are_bounded() -> None:
    """Twenty of many are shown, all are stored."""
    members = tuple(f"t-{n}" for n in range(50))
    check = Check(name="c", title="c", status=Status.INVALID, statement="", members={"lost": members})

    assert {"lost": members[:20]} == worst(check)


@pytest.mark.parametrize("kind", SetKind)
def test_only_sets_that_speak_against_a_check_are_shown(kind: SetKind) -> None:
    """A violation and what leaves the answer open are reasons; book-keeping and what is normal are not."""
    sets = (NamedSet("some", kind, "Some tasks."),)
    check = Check(name="c", title="c", status=Status.INVALID, statement="", members={"some": ("t-1",)}, sets=sets)

    assert ({"some": ("t-1",)} if kind in (SetKind.VIOLATION, SetKind.OPEN) else {}) == worst(check)


def test_sets_without_a_meaning_are_shown() -> None:
    """A verdict that was stored without its sets' meanings hides no member."""
    stored = {key: value for key, value in VERDICT.checks[1].to_json().items() if key != "sets"}

    assert {"lost": ("t-1",), "attempted": ("t-1", "t-2")} == worst(Check.from_json(stored))
