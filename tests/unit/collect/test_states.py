"""The states of tasks: which items are a task's, and when the wait for them ends."""

from collections.abc import Collection, Mapping

from dlqlab.collect.states import settled, states_of
from dlqlab.contracts.done import Done
from dlqlab.contracts.end_state import Item, values_of
from dlqlab.errors import EvidenceError

DONE = Done(table="orders", values=("done",))


def item(key: str, **values: object) -> Item:
    return Item(key=key, values=dict(values_of(values)))


def test_item_is_a_tasks_by_its_key_a_part_of_it_or_an_attribute() -> None:
    items = [item("order#t-1", status="done"), item("t-2/7", status="new"), item("x", order="t-3", status="done")]
    assert states_of(items, DONE, ["t-1", "t-2", "t-3"]) == {"t-1": "done", "t-2": "new"}
    by_attribute = Done(table="orders", key="order", values=("done",))
    assert states_of(items, by_attribute, ["t-1", "t-2", "t-3"]) == {"t-3": "done"}


def test_state_may_lie_deeper_and_be_no_text() -> None:
    items = [item("t-1", order={"state": 3}), item("t-2", order={"state": True})]
    assert states_of(items, Done(table="o", status="order.state", values=("3",)), ["t-1", "t-2"]) == {
        "t-1": "3",
        "t-2": "true",
    }


def test_of_several_items_one_that_has_ended_counts() -> None:
    items = [item("t-1/1", status="done"), item("t-1/2", status="new"), item("t-1/3", total=2)]
    assert states_of(items, DONE, ["t-1"]) == {"t-1": "done"}


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def waited(*looks: Mapping[str, str], deadline_s: float = 60.0) -> tuple[Mapping[str, str], float]:
    """What was found at last, and how long that took; the last look stays."""
    clock, left = Clock(), list(looks)

    def look(_keys: Collection[str]) -> Mapping[str, str]:
        return left.pop(0) if len(left) > 1 else left[0]

    found = settled(look, ["t-1"], DONE, deadline_s, settle_s=5.0, clock=clock, sleep=clock.sleep)
    return found.states, clock.now_s


def test_wait_ends_as_soon_as_all_tasks_have_ended() -> None:
    assert waited({}, {"t-1": "new"}, {"t-1": "done"}) == ({"t-1": "done"}, 2.0)


def test_wait_ends_when_nothing_changes_any_more() -> None:
    assert waited({"t-1": "new"}, {"t-1": "working"}) == ({"t-1": "working"}, 6.0)
    assert waited({"t-1": "new"}, deadline_s=3.0) == ({"t-1": "new"}, 3.0)


def test_table_that_cannot_be_read_is_said() -> None:
    def look(_keys: Collection[str]) -> Mapping[str, str]:
        raise EvidenceError("table orders: refused")

    assert settled(look, ["t-1"], DONE, 1.0).unread == "table orders: refused"
