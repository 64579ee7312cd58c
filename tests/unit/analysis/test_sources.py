"""What two sources say about one thing: each contradiction is named, and makes the verdict unknown."""

from typing import Any

import pytest

from dlqlab.analysis.checks.sources import COMPARISONS, sources_check
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.judge import judge
from dlqlab.contracts.verdict import Check, Status
from tests.support.rows import (
    Rows,
    acked,
    completed,
    depth,
    empty_queues,
    event,
    evidence,
    failed,
    item,
    letter,
    started,
    succeeded,
)
from tests.support.simulation import PROCESSOR, task_id


def collected(**rows: int) -> dict[str, Any]:
    """What the collection noted when it had written so many rows."""
    return {"rows": rows, "logs_settled": True, "foreign_items": 0}


INVOKED = (("invocations", {"function": PROCESSOR, "request_id": "known", "status": "ok"}),)
CONTRADICTIONS: dict[str, tuple[tuple[Rows, ...], dict[str, Any], str]] = {
    "still_queued": (
        (completed(1), empty_queues(0, 9), depth("tasks", 10.0, visible=2, hidden=1)),
        {},
        "tasks: 2 visible, 1 in flight, 0 delayed",
    ),
    "cut_tables": ((completed(1),), {"collected": collected(tasks=2)}, "tasks: 2 rows collected, 1 there"),
    "unlike_load": (
        (completed(1),),
        {"load": {"planned": 2, "sent": 2}},
        "2 requests by the load generator's count, 1 in the ledger",
    ),
    "unlike_table": (
        ((*started(1), *succeeded(1), *item(1, "RETRYING")),),
        {},
        f"{task_id(1)} (succeeded by the log, RETRYING by the table)",
    ),
    "more_attempts": (
        ((*started(1), *failed(1), *started(1, 2, at=3.0), *succeeded(1, 2, at=3.1), *item(1, "COMPLETED")),),
        {},
        f"{task_id(1)} (2 attempts in the log, 1 in the table)",
    ),
    "unknown_invocations": (
        ((*started(1, request_id="other"), *succeeded(1), *item(1, "COMPLETED")), INVOKED),
        {},
        "other",
    ),
    "wrong_clock": (
        ((*started(1), *succeeded(1), *item(1, "COMPLETED"), *event("attempt.skipped", 1, stored_ts=0.0)),),
        {},
        f"{task_id(1)} (attempt.skipped stored -",
    ),
}
"""By the set: what contradicts itself, the manifest's part of it, and how the member begins."""


def check(*facts: Rows, **manifest: Any) -> Check:
    return sources_check(Facts(evidence(acked(1), *facts, **manifest)))


def test_every_comparison_has_a_contradiction_here() -> None:
    assert set(COMPARISONS) == set(CONTRADICTIONS)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_named_and_unknown(name: str) -> None:
    """Only its own set has members, and the statement says what contradicts what."""
    facts, manifest, member = CONTRADICTIONS[name]
    found = check(*facts, **manifest)

    assert Status.UNKNOWN is found.status
    assert [name] == [other for other, members in found.members.items() if members]
    assert found.members[name][0].startswith(member)
    assert COMPARISONS[name].claim in found.statement


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_never_a_valid_verdict(name: str) -> None:
    facts, manifest, _ = CONTRADICTIONS[name]

    assert Status.VALID is not judge(evidence(acked(1), *facts, **manifest)).status


def test_sources_that_agree_are_valid() -> None:
    found = check(
        completed(1), INVOKED, empty_queues(0, 9), load={"planned": 1, "sent": 1}, collected=collected(tasks=1)
    )

    assert Status.VALID is found.status
    assert "7 comparisons of two sources each, no contradiction" == found.statement


def test_a_dead_letter_that_the_table_does_not_know_is_named() -> None:
    """The log buried it; the table still waits for a retry."""
    found = check(letter(1), item(1, "RETRYING"))

    assert (f"{task_id(1)} (dead-lettered by the log, RETRYING by the table)",) == found.members["unlike_table"]


def test_requests_outside_of_the_loads_time_are_named() -> None:
    found = check(completed(1), acked(2, at=60.0))

    assert ("1 request outside of the load's time",) == found.members["unlike_load"]


def test_messages_in_the_last_samples_leave_the_fates_open() -> None:
    """A run that says drained is not believed against its own samples: an open task is in flight, not lost."""
    run = evidence(acked(1), item(1, "RETRYING"), depth("tasks", 10.0, hidden=1), depth("dead-letters", 10.0))
    checks = {check.name: check for check in judge(run).checks}

    assert (task_id(1),) == checks["conservation"].members["in_flight"]
    assert Status.UNKNOWN is checks["conservation"].status
    assert "1 message left" in checks["recovery"].statement or "no task reached" in checks["recovery"].statement
    assert Status.UNKNOWN is checks["recovery"].status


def test_samples_of_several_cells_are_summed_up() -> None:
    """Fewer rows than were collected are no contradiction there, and still are in other tables."""
    found = check(completed(1), empty_queues(0, 9), cells=2, collected=collected(queues=40, tasks=2))

    assert ("tasks: 2 rows collected, 1 there",) == found.members["cut_tables"]


def test_a_sampled_simulation_has_fewer_requests_than_its_load() -> None:
    """Its tables say so; that is no contradiction."""
    simulation = {"seed": 0, "sampled": 1, "tasks": 2, "took_s": 0.1}
    found = check(completed(1), load={"planned": 2, "sent": 2}, simulation=simulation)

    assert () == found.members["unlike_load"]
