"""The sizes that the bill is reckoned with are those of the app's own lines and items."""

import json
from collections import defaultdict

import pytest

from dlqlab.costs import usage
from tests.functional.app.world import World

PAYLOAD = "x" * 198  # 200 bytes as JSON
IDS_BYTES = 90
"""By so many the ids of run, message, request and trace are shorter in the in-memory pipeline than on AWS."""
EVENTS = {
    "task.accepted": usage.ACCEPTED_BYTES,
    "attempt.started": usage.STARTED_BYTES,
    "attempt.failed": usage.ENDED_BYTES,
    "attempt.succeeded": usage.ENDED_BYTES,
    "task.dead_lettered": usage.DEAD_LETTERED_BYTES + 200,
}


@pytest.fixture(scope="module")
def world() -> World:
    """Forty tasks at a failure rate of one half, all to their end."""
    made = World(faults={"failure_rate": 0.5})
    for number in range(40):
        made.submit({"taskId": f"t-1-{number:08d}", "payload": PAYLOAD})
    made.drain()
    return made


@pytest.mark.parametrize("name", list(EVENTS))
def test_line_is_as_long_as_reckoned(world: World, name: str) -> None:
    """Within a quarter of the mean line of the event, ids and CloudWatch's overhead added."""
    sizes = defaultdict(list)
    for line in world.lines:
        sizes[json.loads(line).get("event")].append(len(line))
    mean = sum(sizes[name]) / len(sizes[name]) + IDS_BYTES + usage.LINE_BYTES

    assert mean == pytest.approx(EVENTS[name], rel=0.25)
