"""Work that is sent on twice is known in batches, too, where dlqlab's keys stand in the bodies."""

from typing import Any

import pytest

from dlqlab.analysis.flow import Flow
from dlqlab.torture.doubled import doubled
from tests.support.flows import Story
from tests.support.recordings import QUEUE, T0, recording

MAILS = QUEUE.replace("tasks", "mails")
KEYS = {"m1": "t-1-00000001", "m2": "t-1-00000002"}


def batch_tried_twice(keys: dict[str, str]) -> Flow:
    """Two messages in two batches, each of which sends both of them on; the first ends in a crash."""
    story = Story()
    for message_id in KEYS:
        story.sent(message_id, body_sha256=message_id)
    for at, outcome in ((1.0, "crash"), (31.0, "ok")):
        for message_id in KEYS:
            story.received(message_id, at)
        story.invoked(*KEYS, at=at, outcome=outcome)
        for message_id in KEYS:
            story.back(message_id, at + 30) if outcome == "crash" else story.deleted(message_id, at + 1)
    mails = [_mail(f"{request}-{one}", request, one, at) for request, at in (("i1", 1.2), ("i2", 31.2)) for one in KEYS]
    rows = sorted([*story.messages, *mails], key=lambda row: row["ts"])
    bodies = [{"body_sha256": one, "body": f'{{"id": "{keys.get(one, "other")}"}}', "body_bytes": 9} for one in KEYS]
    return Flow(recording(messages=rows, invocations=story.invocations, bodies=bodies))


def _mail(message_id: str, request_id: str, parent: str, at: float) -> dict[str, Any]:
    sender = {"actor_kind": "invocation", "actor": "processor", "request_id": request_id}
    more = {"receive_count": 0, "body_sha256": parent, "parent_ids": [*KEYS]}
    return {"kind": "sent", "message_id": message_id, "ts": T0 + at, "queue": MAILS, **sender, **more}


def test_messages_of_a_batch_that_are_sent_on_twice() -> None:
    """Each is known by the key that its message and what came of it have."""
    found = {one.message_id: one.what for one in doubled(batch_tried_twice(KEYS))}

    assert dict.fromkeys(KEYS, "processor sent to mails in 2 attempts") == found


@pytest.mark.parametrize("keys", [{}, {"m1": KEYS["m1"], "m2": KEYS["m1"]}])
def test_without_keys_of_their_own_nobody_is_named(keys: dict[str, str]) -> None:
    """Which of the batch was sent on cannot be told."""
    assert () == doubled(batch_tried_twice(keys))
