"""Every message belongs to the task that it is of, or to none that anybody would have to guess."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.recorded import ActorKind, Kind
from dlqlab.lineage.tasks import Happened, Tasks, tasks_of


def sent(message_id: str, *parents: str, **more: Any) -> Happened:
    return Happened(kind=Kind.SENT, message_id=message_id, parent_ids=list(parents) or None, **more)


def parents_of(rows: Sequence[Happened], message_id: str, *, is_declared: bool = True) -> Sequence[str] | None:
    tasks = Tasks(is_declared=is_declared)
    return {row.message_id: tasks.told(row).parent_ids for row in rows}[message_id]


TWO = [sent("a", key="t-1", trace_id="A"), sent("b", key="t-2", trace_id="B"), sent("c", key="t-1", trace_id="C")]


@pytest.mark.parametrize(
    ("child", "parents"),
    [
        ({"key": "t-2"}, ["b"]),
        ({"key": "t-1"}, ["a", "c"]),
        ({"key": "t-9"}, ["a", "b", "c"]),
        ({}, ["a", "b", "c"]),
        ({"trace_id": "B", "given_trace_id": "A"}, ["b"]),
        ({"trace_id": "C", "given_trace_id": "A", "key": "t-1"}, ["c"]),
        ({"trace_id": "A", "given_trace_id": "A"}, ["a", "b", "c"]),
        ({"trace_id": "A", "given_trace_id": "A", "key": "t-2"}, ["b"]),
        ({"trace_id": "B", "given_trace_id": None}, ["a", "b", "c"]),
        ({"trace_id": "Z", "given_trace_id": "A"}, ["a", "b", "c"]),
    ],
)
def test_trace_header_or_key_tells_the_parents(child: dict[str, Any], parents: list[str]) -> None:
    """A header that the SDK passes on by itself, the invocation's own, tells nothing."""
    assert parents_of([*TWO, sent("child", "a", "b", "c", **child)], "child") == parents


def test_body_without_a_key_is_of_its_parents_task() -> None:
    rows = [*TWO, sent("child", "b"), sent("grandchild", "child"), sent("either", "a", "b"), sent("same", "a", "c")]

    found = tasks_of(rows, is_declared=True)

    assert (found["child"], found["grandchild"], found["either"], found["same"]) == ("t-2", "t-2", None, "t-1")


def test_dead_letter_and_redriven_message_stay_with_their_task() -> None:
    """With the same id in another queue, and with another id."""
    rows = [sent("a"), sent("a", "a"), sent("again", "a"), Happened(kind=Kind.DELETED, message_id="again")]

    assert tasks_of(rows, is_declared=False) == {"a": "a", "again": "a"}


def test_copies_of_one_publish_are_one_task() -> None:
    """SNS to two queues: one copy raw, one in an envelope; another content of the same request is another task."""
    by_sns = {"actor_kind": ActorKind.SERVICE, "actor": "sns arn:t", "request_id": "r1"}
    rows = [
        sent("raw", content="x", **by_sns),
        sent("wrapped", content="x", **by_sns),
        sent("c", content="y", **by_sns),
    ]

    assert tasks_of(rows, is_declared=False) == {"raw": "raw", "wrapped": "raw", "c": "c"}


def test_message_whose_sending_is_not_recorded() -> None:
    row = Happened(kind=Kind.RECEIVED, message_id="old")

    assert tasks_of([row], is_declared=False) == {"old": "old"}
    assert tasks_of([row], is_declared=True) == {"old": None}


@dataclass
class History:
    """Rows with what they stand for: the task and the parent of each message."""

    rows: list[Happened] = field(default_factory=list)
    task: dict[str, str] = field(default_factory=dict)
    parent: dict[str, str | None] = field(default_factory=dict)
    trace: dict[str, str | None] = field(default_factory=dict)


@st.composite
def histories(draw: st.DrawFn, batch_max: int = 4) -> History:
    """Clients send; functions are given batches, and send one or several messages on for each that they take."""
    made = History()
    for step in range(draw(st.integers(1, 12))):
        known = list(made.task)
        if not known or draw(st.booleans()):
            message_id = f"m{step}"
            made.task[message_id], made.parent[message_id] = f"key-{message_id}", None
            made.trace[message_id] = draw(st.sampled_from([None, f"trace-{message_id}"]))
            made.rows.append(sent(message_id, key=made.task[message_id], trace_id=made.trace[message_id]))
            continue
        batch = draw(st.lists(st.sampled_from(known), unique=True, min_size=1, max_size=batch_max))
        for number in range(draw(st.integers(1, 3))):
            parent, message_id = draw(st.sampled_from(batch)), f"m{step}.{number}"
            made.task[message_id], made.parent[message_id] = made.task[parent], parent
            own = next(filter(None, (made.trace[one] for one in batch)), f"trace-of-invocation-{step}")
            made.trace[message_id] = draw(st.sampled_from([None, own, made.trace[parent]]))
            made.rows.append(
                sent(
                    message_id,
                    *batch,
                    key=made.task[parent] if draw(st.booleans()) else None,
                    trace_id=made.trace[message_id],
                    given_trace_id=own,
                )
            )
    return made


@given(histories())
def test_nothing_is_guessed(history: History) -> None:
    """The parent is always among those that are left, and a task that is told is the right one."""
    tasks = Tasks(is_declared=True)
    for row in history.rows:
        parents, task = tasks.told(row)
        assert task in {None, history.task[row.message_id]}
        assert (history.parent[row.message_id] in parents) if parents else history.parent[row.message_id] is None


@given(histories())
def test_with_a_key_in_every_body_each_message_has_its_task(history: History) -> None:
    rows = [replace(row, key=history.task[row.message_id]) for row in history.rows]

    assert tasks_of(rows, is_declared=True) == history.task


@given(histories(batch_max=1))
def test_without_a_key_a_chain_is_named_by_its_first_message(history: History) -> None:
    """However far it fans out."""
    rows = [replace(row, key=None) for row in history.rows]

    assert tasks_of(rows, is_declared=False) == {
        message_id: task.removeprefix("key-") for message_id, task in history.task.items()
    }
