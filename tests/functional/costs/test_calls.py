"""The bill counts the calls that the app really makes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.app.world import World

TASKS = 30
WRITES = ("create", "mark_enqueued", "claim", "complete", "fail", "close")


def counted(counts: Counter[str], name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, counted under its name."""

    def inner(*args: Any, **kwargs: Any) -> Any:
        counts[name] += 1
        return call(*args, **kwargs)

    return inner


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Calls by name in a load of thirty tasks of which attempts fail half of the time; ``attempts`` beside them."""
    world, counts = World(faults={"failure_rate": 0.5}), Counter[str]()
    for place, names in ((world.store, (*WRITES, "get")), (world.archive, ("put",)), (world.tasks, ("send", "hide"))):
        for name in names:
            monkeypatch.setattr(place, name, counted(counts, name, getattr(place, name)))
    for number in range(TASKS):
        world.submit({"taskId": f"t-1-{number:08d}", "payload": "x"})
    world.drain()
    counts["attempts"] = len(world.events("attempt.started"))
    counts["failed"] = len(world.events("attempt.failed"))
    counts["dead"] = len(world.events("task.dead_lettered"))
    return counts


def test_task_is_written_twice_and_sent_once(calls: Counter[str]) -> None:
    """Created, and marked once its message is out."""
    assert (TASKS, TASKS, TASKS) == (calls["create"], calls["mark_enqueued"], calls["send"])


def test_attempt_is_written_twice(calls: Counter[str]) -> None:
    """Claimed, and ended by success or failure; a failed one is hidden for its backoff, the last one for none."""
    assert calls["attempts"] == calls["claim"]
    assert calls["attempts"] == calls["complete"] + calls["fail"]
    assert calls["failed"] == calls["hide"]


def test_dead_letter_is_read_archived_and_closed(calls: Counter[str]) -> None:
    """One read, one archived letter, one closed task."""
    assert calls["dead"] > 0
    assert (calls["dead"],) * 3 == (calls["get"], calls["put"], calls["close"])
