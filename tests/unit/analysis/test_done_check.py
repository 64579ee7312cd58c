"""Whether every accepted task came to an end: by its state, by its arrival, or as a dead letter."""

import json
from collections.abc import Mapping
from dataclasses import replace

from dlqlab.analysis.judge import judge
from dlqlab.contracts.done import Done
from dlqlab.contracts.states import States
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, evidence, ledger

TASKS = ("t-1-00000000", "t-1-00000001", "t-1-00000002")
PIPELINE = Topology(
    name="orders",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=1),
        Queue(role="dead", name="dead-letters"),
        Queue(role="shipped", name="shipped"),
    ),
)
BY_TABLE = Done(table="orders", values=("done", "failed"))


def judged(story: Story, done: Done, states: States | None = None, *, drained: bool = True) -> Check:
    """Three accepted tasks, whose messages are m0, m1 and m2."""
    bodies = []
    for n, task in enumerate(TASKS):
        body = json.dumps({"id": task})
        said = {"body_bytes": len(body), "is_redacted": False, "is_cut": False}
        bodies.append({"body_sha256": f"h{n}", "body": body, **said})
    requests = ledger(*((task, f"r{task}", "acknowledged") for task in TASKS), ("t-1-00000009", "r9", "rejected"))
    run = evidence(story, None, PIPELINE, requests=requests, bodies=bodies)
    run = replace(run, manifest=replace(run.manifest, done=done, drained=drained), states=states)
    return next(check for check in judge(run).checks if check.name == "done")


def story() -> Story:
    """Two messages are worked off, the last one is dead-lettered."""
    told = Story()
    for n in range(3):
        told.sent(f"m{n}", body_sha256=f"h{n}")
    for n in range(2):
        told.tried(f"m{n}", 1).deleted(f"m{n}", 2)
    return told.tried("m2", 1, ok=False).back("m2", 31).moved("m2", 31)


def states(**named: str) -> States:
    return States(states={TASKS[int(n.removeprefix("t"))]: state for n, state in named.items()})


def against(found: Check) -> Mapping[str, tuple[str, ...]]:
    return found.against


def test_tasks_in_a_final_state_and_dead_letters_have_ended() -> None:
    found = judged(story(), BY_TABLE, states(t0="done", t1="failed", t2="pending"))
    assert found.status is Status.VALID
    assert (found.members["done"], found.members["dead_lettered"]) == (TASKS[:2], TASKS[2:])
    assert found.statement == "3 tasks accepted, 2 done; 1 dead-lettered"


def test_task_that_stays_in_the_middle_is_named() -> None:
    found = judged(story(), BY_TABLE, states(t0="pending", t2="failed"))
    assert found.status is Status.INVALID
    assert against(found) == {"not_done": (TASKS[0],), "without_a_state": (TASKS[1],)}


def test_task_that_had_ended_before_the_load_proves_nothing() -> None:
    """The emulator still has an earlier run with the same keys."""
    before = replace(states(t0="done", t1="done", t2="failed"), ended_before=TASKS[:1])
    found = judged(story(), BY_TABLE, before)
    assert found.status is Status.UNKNOWN
    assert against(found) == {"ended_before": TASKS[:1]}


def test_before_the_queues_are_empty_nothing_is_said() -> None:
    assert judged(story(), BY_TABLE, states(t0="pending"), drained=False).status is Status.UNKNOWN


def test_states_that_could_not_be_read_are_unknown() -> None:
    found = judged(story(), BY_TABLE, States(unread="table orders: refused"))
    assert found.status is Status.UNKNOWN
    assert "the state of the tasks is not known: table orders: refused" in found.statement


def test_message_has_to_arrive_in_the_queue() -> None:
    """Worked off in one queue, sent on to another by the task's key; one never came."""
    told = story()
    told.queue = told.queue.replace("tasks", "shipped")
    told.sent("s0", 3, body_sha256="h0")
    found = judged(told, Done(queue="ship"))
    assert found.status is Status.INVALID
    assert against(found) == {"not_arrived": (TASKS[1],)}
    assert (found.members["done"], found.members["dead_lettered"]) == (TASKS[:1], TASKS[2:])


def test_nobody_asked() -> None:
    run = evidence(story(), None, PIPELINE)
    assert "done" not in {check.name for check in judge(run).checks}
