"""The verdict on what a play leaves behind, from the evidence of a run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dlqlab.analysis.judge import judge
from dlqlab.contracts.end_state import (
    EndState,
    Item,
    Played,
    read_end_state,
    read_references,
    values_of,
    write_end_state,
    write_references,
)
from dlqlab.contracts.evidence import RunEvidence
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, evidence, ledger

TASKS = ("t-1-00000000", "t-1-00000001")
PLACE = "dynamodb orders"


def end(*tasks: str, unread: Sequence[str] = (), **values: str) -> EndState:
    items = tuple(Item(key=task, values=dict(values_of({"id": task, "status": "done", **values}))) for task in tasks)
    return EndState(places={PLACE: items}, unread=tuple(unread))


def reference(name: str, left: EndState, *, drained: bool = True) -> Played:
    return Played(run_id=name, drained=drained, accepted=TASKS, end=left)


def run(left: EndState, first: Played, second: Played) -> RunEvidence:
    story = Story().sent("m1").tried("m1", 1).deleted("m1", 2)
    requests = ledger(*((task, f"r{task}", "acknowledged") for task in TASKS))
    topology = Topology(name="orders", queues=(Queue(role="tasks", name="tasks"),))
    return replace(evidence(story, None, topology, requests=requests), end=left, references=(first, second))


def judged(evidence_: RunEvidence) -> Check:
    return next(check for check in judge(evidence_).checks if check.name == "same_end")


def test_same_end_is_valid() -> None:
    found = judged(run(end(*TASKS), reference("a", end(*TASKS)), reference("b", end(*TASKS))))
    assert (found.status, found.n) == (Status.VALID, 2)
    assert "2 as in both reference plays, 0 not" in found.statement


def test_difference_is_named_with_task_and_value() -> None:
    one, other = TASKS
    found = judged(run(end(one, status="failed"), reference("a", end(*TASKS)), reference("b", end(*TASKS))))

    assert found.status is Status.INVALID
    assert {"changed": (f"{PLACE}/{one}",), "missing": (f"{PLACE}/{other}",)} == found.against
    assert f'{PLACE}/{one}: status "failed", "done" in the reference plays' in found.statement
    assert [each["tasks"] for each in found.details["differences"]] == [[one], [other]]


def test_play_that_did_not_come_to_rest_proves_nothing_and_a_difference_still_counts() -> None:
    restless = reference("a", end(*TASKS), drained=False)
    found = judged(run(end(*TASKS), restless, reference("b", end(*TASKS))))
    assert found.status is Status.UNKNOWN
    assert "the queues of a were not empty at its end" in found.statement

    unread = reference("a", end(*TASKS, unread=["s3: refused"]))
    assert judged(run(end(*TASKS), unread, reference("b", end(*TASKS)))).status is Status.UNKNOWN
    assert judged(run(end(TASKS[0]), unread, reference("b", end(*TASKS)))).status is Status.INVALID


def test_nothing_left_proves_nothing() -> None:
    assert judged(run(EndState(), reference("a", EndState()), reference("b", EndState()))).status is Status.UNKNOWN


def test_run_that_was_played_alone_is_not_asked() -> None:
    alone = replace(run(end(*TASKS), reference("a", end()), reference("b", end())), references=())
    assert "same_end" not in {check.name for check in judge(alone).checks}


def test_kept_in_the_run_directory(tmp_path: Path) -> None:
    made = RunDir(tmp_path)
    assert (read_end_state(made), read_references(made)) == (None, ())
    plays = [reference("a", end(*TASKS)), reference("b", end(TASKS[0], unread=["x"]), drained=False)]

    write_end_state(made, plays[1].end)
    write_references(made, plays)

    assert read_end_state(made) == plays[1].end
    assert list(read_references(made)) == plays
