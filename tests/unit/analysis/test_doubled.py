"""Work that is sent on twice is known in batches, too, where dlqlab's keys stand in the bodies."""

from typing import Any

import pytest

from dlqlab.analysis.doubled import doubled
from dlqlab.analysis.flow import Flow
from dlqlab.contracts.topology import Function, Queue, Topology
from tests.support.flows import DEAD, Story
from tests.support.recordings import QUEUE, T0, recording

DEAD_LETTERED = Topology(
    name="shop",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=3),
        Queue(role="mails", name="mails"),
        Queue(role="dead", name="dead-letters"),
    ),
    functions=(Function(role="api", name="api"), Function(role="processor", name="processor")),
)
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


def sent_twice(*calls: dict[str, Any]) -> Flow:
    """An API whose answer from SQS is lost and that sends its task again; a function works on both messages."""
    story = Story()
    by = {"actor_kind": "invocation", "actor": "api", "request_id": "post", "body_sha256": "same"}
    for number, message_id in enumerate(("first", "second")):
        at = 0.1 * number
        story.sent(message_id, at, **by).tried(message_id, at + 1).deleted(message_id, at + 2)
    strike = {"kind": "call-answer-lost", "fault": "lost", "task_key": "t-1", "request_id": "post"}
    strike |= {"function": "api", "service": "sqs", "operation": "SendMessage", "resource": "tasks"}
    sends = [
        {"request_id": "post", "function": "api", "service": "sqs", "operation": "SendMessage", "resource": "tasks"}
        | more
        for more in ({"fault": "lost"}, {})
    ]
    return Flow(
        recording(
            messages=story.messages,
            invocations=[{"request_id": "post", "function": "api", "outcome": "ok"}, *story.invocations],
            calls=[*sends, *({"function": "processor", **call} for call in calls)],
            faults=[strike],
        )
    )


def update(request_id: str, text: str = "ADD total :amount", **more: Any) -> dict[str, Any]:
    call = {"operation": "UpdateItem", "resource": "bills", "item_key": "o-1", "update": text}
    return {"request_id": request_id, **call, **more}


READS = {"operation": "GetItem", "resource": "bills", "item_key": "o-1"}


@pytest.mark.parametrize(
    ("calls", "is_recognised"),
    [
        ((update("i1"), {"request_id": "i2", **READS}), True),
        ((update("i1"), update("i2", error_code="ConditionalCheckFailedException", status=400)), True),
        ((update("i1", "SET state = :done"), update("i2", "SET state = :done")), True),
        ((update("i1"), update("i2")), False),
        ((), False),
    ],
    ids=["second only reads", "second is refused", "the same again", "both add", "nothing is seen"],
)
def test_task_that_is_sent_twice(calls: tuple[dict[str, Any], ...], is_recognised: bool) -> None:
    """It is done twice unless the record shows that the second message changed nothing."""
    (found,) = doubled(sent_twice(*calls))

    assert (found.message_id, found.is_recognised) == ("t-1", is_recognised)
    assert found.what == "api made sqs:SendMessage tasks again when its answer was lost"


@pytest.mark.parametrize(
    ("calls", "mails", "queue", "is_recognised"),
    [
        ((update("i1"), update("i1", error_code="ConditionalCheckFailedException", status=400)), 0, MAILS, True),
        ((update("i1"), update("i1")), 0, MAILS, False),
        ((update("i1"),), 1, MAILS, True),
        ((update("i1"),), 2, MAILS, False),
        ((update("i1"),), 2, DEAD, True),
    ],
    ids=["second is refused", "both add", "one is sent on", "both are sent on", "both are buried"],
)
def test_both_messages_of_a_task_in_one_batch(
    calls: tuple[dict[str, Any], ...], mails: int, queue: str, *, is_recognised: bool
) -> None:
    """What their one invocation did is counted once."""
    apart = sent_twice(*calls)
    rows = [row for row in apart.recording.messages.to_pylist() if row["kind"] == "sent"]
    story = Story().received("first", 1).received("second", 1).invoked("first", "second", at=1)
    story.deleted("first", 2).deleted("second", 2)
    parents = {"parent_ids": ["first", "second"], "queue": queue}
    sent = [{**_mail(f"mail{number}", "i1", "mail", 1.2), **parents} for number in range(mails)]
    posted = [row for row in apart.recording.invocations.to_pylist() if row["request_id"] == "post"]
    found = doubled(
        Flow(
            recording(
                messages=sorted([*rows, *story.messages, *sent], key=lambda row: row["ts"]),
                invocations=[*posted, *story.invocations],
                calls=apart.recording.calls.to_pylist(),
                faults=apart.recording.faults.to_pylist(),
            ),
            DEAD_LETTERED,
        )
    )

    assert [one.is_recognised for one in found if one.message_id == "t-1"] == [is_recognised]


@pytest.mark.parametrize(("queue", "is_recognised"), [(MAILS, False), (DEAD, True)])
def test_second_message_that_is_sent_on_as_well(queue: str, is_recognised: bool) -> None:
    """To another queue it is done twice; to a dead-letter queue both are given up, as of a task that was refused."""
    flow = sent_twice({"request_id": "i1", **READS}, {"request_id": "i2", **READS})
    rows = flow.recording.messages.to_pylist()
    for number, parent in enumerate(("first", "second")):
        sender = {"actor_kind": "invocation", "actor": "processor", "request_id": f"i{number + 1}"}
        row = {"kind": "sent", "message_id": f"mail{number}", "queue": queue, "ts": T0 + 1.2 + number / 10, **sender}
        rows.append({**dict.fromkeys(rows[0]), **row, "parent_ids": [parent]})
    rows.sort(key=lambda row: row["ts"])
    found = doubled(
        Flow(
            recording(
                messages=rows,
                invocations=flow.recording.invocations.to_pylist(),
                calls=flow.recording.calls.to_pylist(),
                faults=flow.recording.faults.to_pylist(),
            ),
            DEAD_LETTERED,
        )
    )
    assert found[0].is_recognised is is_recognised


@pytest.mark.parametrize(
    ("update_text", "outcome", "is_recognised"),
    [("ADD total :amount", "ok", False), ("SET state = :done", "ok", True), (None, "ok", False), (None, "error", True)],
    ids=["both add", "the same again", "nothing is seen", "neither is done"],
)
def test_what_a_retry_sends_again_is_done_twice_or_recognised(
    update_text: str | None, outcome: str, *, is_recognised: bool
) -> None:
    """The first attempt sends a mail and crashes; the second sends it again."""
    story = Story().sent("m1")
    for at, ends in ((1, "crash"), (31, "ok")):
        story.received("m1", at).invoked("m1", at=at, outcome=ends, function="processor")
    story.deleted("m1", 32).queue = MAILS
    for number, request_id in enumerate(("i1", "i2")):
        mail, sender = f"mail{number}", {"actor_kind": "invocation", "request_id": request_id}
        story.sent(mail, 1.2 + 30 * number, parent_ids=["m1"], **sender)
        story.tried(mail, 40 + number, ok=outcome == "ok", function="mailer").deleted(mail, 41 + number)
    calls = [update(one, update_text, function="mailer") for one in ("i3", "i4")] if update_text else []
    (found,) = doubled(Flow(recording(messages=story.messages, invocations=story.invocations, calls=calls)))

    assert (found.message_id, found.what) == ("m1", "processor sent to mails in 2 attempts")
    assert found.is_recognised is is_recognised
