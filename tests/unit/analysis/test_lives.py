"""The life of one task, from recordings of each kind of life."""

import json
from typing import Any

import pytest

from dlqlab.analysis.keys import find
from dlqlab.analysis.life_parts import Fate
from dlqlab.analysis.lives import Life, lives
from dlqlab.analysis.recorded_rows import Rows
from dlqlab.contracts.recording import Recording
from tests.support.flows import Story
from tests.support.lives import API, BATCH, DEAD, body, completed, dead_lettered, message, ran, request, submitted
from tests.support.recordings import T0, recording


def all_lives(record: Recording, key: str) -> list[Life]:
    rows = Rows(record)
    return lives(rows, find(rows, key))


def life_of(record: Recording, key: str) -> Life:
    found = all_lives(record, key)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("key", ["t-1", "m1", API, "r1", "p1"])
def test_completed_task_is_found_by_each_of_its_keys(key: str) -> None:
    """A task id, a message id, a request id of the API's or processor's invocation, the client's request id."""
    life = life_of(completed(), key)

    assert [each.call.request_id for each in life.requests] == ["r1"]
    assert [[attempt.request_id for attempt in each.attempts] for each in life.requests] == [[API]]
    assert [call.operation for call in life.requests[0].attempts[0].calls] == ["PutItem"]
    [stay] = life.stays
    assert (stay.queue, stay.sender, stay.left) == ("tasks", "api", "deleted")
    [delivery] = stay.deliveries
    assert delivery.fate is Fate.DONE
    assert delivery.waited_s == pytest.approx(0.5)
    [attempt] = delivery.attempts
    assert (attempt.request_id, attempt.init_s) == ("p1", 0.1)
    assert [call.operation for call in attempt.calls] == ["UpdateItem"]
    assert life.notes == ()
    assert life.ended_ts - life.started_ts == pytest.approx(0.91)


def test_faults_from_outside_are_named_where_they_struck() -> None:
    """At the invocation, and at the receive whose delete was dropped."""
    story = Story().sent("m1").tried("m1", at=1, fault="slow")
    story._row("not_deleted", "m1", 2, {"fault": "dropped"})
    record = recording(messages=story.messages, invocations=story.invocations)
    [delivery] = life_of(record, "m1").stays[0].deliveries

    assert (delivery.fault, [each.fault for each in delivery.attempts]) == ("dropped", ["slow"])
    assert delivery.reason == "the function was done with it, and its delete was dropped by fault dropped"


def test_dead_lettered_task_has_each_receive_and_the_stay_in_the_dead_letter_queue() -> None:
    """Failed, untried, untried, moved; the stay in the dead-letter queue is known to come from the first."""
    tasks, dead = life_of(dead_lettered(), "m1").stays

    assert [(each.fate, each.reason) for each in tasks.deliveries] == [
        (Fate.FAILED, "the function failed: ValueError: on purpose"),
        (Fate.NOT_TRIED, "no environment was free"),
        (Fate.NOT_TRIED, "no environment was free"),
    ]
    assert [(each.seconds, each.by) for each in tasks.deliveries[0].hidden] == [(2.0, "processor")]
    assert (tasks.left, dead.link, dead.left) == ("moved", "moved from tasks", "deleted")
    assert [each.function for each in dead.deliveries[0].attempts] == ["monitor"]


def test_redriven_message_is_followed_from_the_old_one_and_back() -> None:
    """A move task sends another message in its place; both ids lead to the same life."""
    record = recording(
        messages=[
            message("redriven", 5.0, queue=DEAD, actor_kind="service", actor="redrive task-9"),
            message("sent", 5.0, "m2", actor_kind="service", actor="redrive task-9", parent_ids=["m1"]),
        ]
    )

    for key in ("m1", "m2"):
        life = life_of(record, key)
        assert {stay.message_id: stay.link for stay in life.stays} == {
            "m1": "",
            "m2": "sent in place of m1 by redrive task task-9",
        }
        assert life.notes == ("how message m1 entered its queue is not in the record",)


def test_message_sent_anew_under_the_same_trace_belongs_to_the_task() -> None:
    """A redrive by hand has no parent in the record: the trace id that the message carries tells."""
    record = recording(
        messages=[
            message("sent", 0.0, trace_id="1-a", request_id="r1"),
            message("sent", 9.0, "m2", trace_id="1-a", request_id="r2", actor="redriver/1 x"),
        ]
    )

    assert life_of(record, "m1").stays[1].link == "sent by a client (redriver/1) under the same trace id"


def test_trace_over_many_tasks_is_not_taken_for_one() -> None:
    """What carries one trace id by the dozen is told and left out."""
    record = recording(
        messages=[message("sent", n, f"m{n}", trace_id="1-a", request_id=f"r{n}") for n in range(30)],
    )

    life = life_of(record, "m3")

    assert [stay.message_id for stay in life.stays] == ["m3"]
    assert life.notes == ("29 other messages carry its trace id: they are not taken for its own",)
    assert len(all_lives(record, "1-a")) == 30


def test_duplicate_of_the_same_request_is_shown_with_it() -> None:
    """The same body sent twice by one invocation: both messages are the task's, whichever is asked for."""
    record = recording(messages=[submitted(), submitted(message_id="m2", at=0.01)], bodies=[body()])

    assert [stay.link for stay in life_of(record, "m1").stays] == [
        "",
        "sent by the same request of api, with the same body",
    ]


def fan_out(child_body: str = "other") -> Recording:
    """An invocation that had two messages sends one: of which of the two, its parents do not tell."""
    child = message(
        "sent", 1.0, "m3", actor_kind="invocation", actor="processor", request_id="p1", parent_ids=["m1", "m2"]
    )
    return recording(
        messages=[*BATCH, {**child, "body_sha256": f"hash-{child_body}"}],
        invocations=[ran(0.5, "p1", ["m1", "m2"])],
        bodies=[body("t-1"), body("t-2"), body("other")],
    )


def test_several_possible_parents_are_said_and_not_guessed() -> None:
    life = life_of(fan_out(), "m1")

    assert [stay.message_id for stay in life.stays] == ["m1"]
    [note] = life.notes
    assert note == (
        "message m3 in tasks was sent by invocation p1 of processor and comes from one of 2 messages that it had: "
        "the record cannot tell from which"
    )


def test_key_in_the_bodies_tells_the_parent() -> None:
    """The one of the possible parents whose body has the key too."""
    life = life_of(fan_out("t-1"), "t-1")

    assert {stay.message_id: stay.link for stay in life.stays} == {
        "m1": "",
        "m3": "sent by processor while it had m1 and 1 others without the key",
    }
    assert life.notes == ()


def test_calls_of_a_batch_are_shown_with_the_message_that_they_are_about() -> None:
    """By the item's key and the body; calls about no item are everybody's."""
    calls = [
        {"ts": T0 + 0.6, "request_id": "p1", "operation": "UpdateItem", "item_key": '{"taskId": {"S": "t-1"}}'},
        {"ts": T0 + 0.7, "request_id": "p1", "operation": "PutItem", "item_key": '{"archiveId": {"S": "t-2#1"}}'},
        {"ts": T0 + 0.8, "request_id": "p1", "operation": "GetQueueUrl", "service": "sqs"},
    ]
    record = recording(
        messages=[*BATCH, message("received", 0.4, receive_count=1), message("received", 0.4, "m2", receive_count=1)],
        invocations=[ran(0.5, "p1", ["m1", "m2"])],
        calls=calls,
        bodies=[body("t-1"), body("t-2")],
    )

    shown = {key: life_of(record, key).stays[0].deliveries[0].attempts[0] for key in ("m1", "m2")}

    assert {key: [call.operation for call in each.calls] for key, each in shown.items()} == {
        "m1": ["UpdateItem", "GetQueueUrl"],
        "m2": ["PutItem", "GetQueueUrl"],
    }
    assert {key: each.calls_of_mates for key, each in shown.items()} == {"m1": 1, "m2": 1}


def test_request_id_of_a_batch_names_several_tasks() -> None:
    found = all_lives(fan_out(), "p1")

    assert [[stay.message_id for stay in life.stays] for life in found] == [["m1"], ["m2"]]


def test_value_that_several_tasks_share_is_no_key_of_one() -> None:
    """Also where its field is called an id."""
    record = recording(messages=BATCH, bodies=[body("t-1", runId="x"), body("t-2", runId="x")])

    assert len(all_lives(record, "x")) == 2


def test_value_inside_an_envelope_is_found() -> None:
    """SNS wraps the body as text into JSON."""
    inner = json.dumps({"Message": json.dumps({"orderId": 17})})
    record = recording(
        messages=[message("sent", 0, body_sha256="h")], bodies=[{"body_sha256": "h", "body": inner, "body_bytes": 9}]
    )
    rows = Rows(record)

    assert find(rows, "17").how == ("it is in the body of 1 message, as Message.orderId",)


def test_unknown_key_is_not_found() -> None:
    assert not find(Rows(completed()), "t-").how
    assert not find(Rows(recording()), "t-1").how


def test_second_request_for_the_same_task_is_a_part_of_its_life() -> None:
    """It sent no message; the item that it asked for tells."""
    first, second = request(), request(client_id="r2", request_id="api-2", at=5.0)
    record = recording(
        messages=[submitted()],
        invocations=[*first["invocations"], *second["invocations"]],
        calls=[*first["calls"], *second["calls"]],
        bodies=[body()],
    )

    assert [each.call.request_id for each in life_of(record, "t-1").requests] == ["r1", "r2"]


def test_readers_are_counted_and_not_shown() -> None:
    reading = {"actor_kind": "client", "request_id": "r9", "operation": "GetItem"}
    record = recording(
        messages=[submitted()], calls=[{**reading, "item_key": '{"taskId": {"S": "t-1"}}'}], bodies=[body()]
    )

    life = life_of(record, "t-1")

    assert life.requests == ()
    assert life.notes == ("1 request of clients only read it, and is not shown",)


def test_ledger_finds_a_task_whose_messages_nobody_can_read() -> None:
    """Bodies were not kept: the clients' request ids lead to the message."""
    record = recording(messages=[submitted()], invocations=request()["invocations"], calls=request()["calls"][:1])
    rows = Rows(record)
    found = find(rows, "t-1", {"t-1": ["r1"]})

    [life] = lives(rows, found)

    assert found.how == ("the clients' ledger has it in 1 request",)
    assert [stay.message_id for stay in life.stays] == ["m1"]
    assert [each.call.request_id for each in life.requests] == ["r1"]


@pytest.mark.parametrize(
    ("after", "fate", "reason"),
    [
        ([], Fate.OPEN, "the mapping has it"),
        (
            [message("returned", 1.0, receive_count=0)],
            Fate.NOT_TRIED,
            "its mapping put it back, and the receive does not count",
        ),
        ([message("returned", 1.0, receive_count=1)], Fate.NOT_TRIED, "no invocation of it is recorded"),
        ([message("filtered", 1.0, receive_count=1)], Fate.NOT_TRIED, "no filter of its mapping matches it"),
    ],
)
def test_receive_by_a_mapping_without_an_invocation(after: list[dict[str, Any]], fate: Fate, reason: str) -> None:
    record = recording(messages=[submitted(), message("received", 0.5, receive_count=1), *after])

    [delivery] = life_of(record, "m1").stays[0].deliveries

    assert (delivery.fate, delivery.reason) == (fate, reason)


def test_client_that_receives_and_does_not_delete() -> None:
    record = recording(
        messages=[
            submitted(),
            message("received", 0.5, receive_count=1, actor_kind="client", actor="Boto3/1.4 more"),
            message("returned", 30.5, receive_count=1),
        ]
    )

    [delivery] = life_of(record, "m1").stays[0].deliveries

    assert delivery.reason == "a client (Boto3/1.4) received it and did not delete it"
    assert delivery.fate is Fate.NOT_TRIED


def test_late_delete_that_still_won_is_told() -> None:
    record = recording(
        messages=[
            submitted(),
            message("received", 0.5, receive_count=1),
            message("returned", 1.0, receive_count=1),
            message("deleted", 1.5, receive_count=1),
        ],
        invocations=[ran(0.55, "p1")],
    )

    assert life_of(record, "m1").stays[0].left_late


def test_message_that_nobody_received_is_still_there() -> None:
    [stay] = life_of(recording(messages=[submitted()]), "m1").stays

    assert (stay.deliveries, stay.left) == ((), None)


def test_item_that_all_tasks_share_is_no_key_of_one() -> None:
    """A counter that every invocation adds to: its hundreds of calls are not a task's life."""
    key = '{"name": {"S": "total"}}'
    record = recording(
        messages=[submitted("total", "m1")],
        invocations=[ran(n, f"p{n}", [f"m{n}"]) for n in range(600)],
        calls=[
            {"request_id": f"p{n}", "operation": "UpdateItem", "item_key": key, "resource": "t"} for n in range(600)
        ],
        bodies=[body("total")],
    )
    found = find(Rows(record), "total")

    assert (found.is_task, found.request_ids, found.message_ids) == (False, (), ("m1",))
    assert found.how[-1] == "600 requests and invocations asked for these items: they are not taken for one task's"


def test_task_key_of_the_record_finds_all_messages_of_the_task() -> None:
    """Also where the bodies do not have it as it is asked for, or are not there."""
    messages = [submitted() | {"task_key": "t-1"}, submitted("other", "m2", 1.0, "other") | {"task_key": "t-1"}]
    rows = Rows(recording(messages=messages))

    found = find(rows, "t-1")

    assert found.how == ("it is the task key of 2 messages",)
    assert [[stay.message_id for stay in life.stays] for life in lives(rows, found)] == [["m1", "m2"]]


def test_what_a_service_delivers_for_an_invocation_is_told_so() -> None:
    """Its calls are not those of the invocation."""
    copy = {"actor_kind": "service", "actor": "sns arn:aws:sns:eu-central-1:0:paid", "request_id": "p1"}
    record = recording(
        messages=[
            submitted(),
            message("received", 0.4, receive_count=1),
            message("sent", 1.0, "m2", parent_ids=["m1"], **copy),
        ],
        invocations=[ran(0.5, "p1")],
        calls=[
            {"ts": T0 + 0.6, "request_id": "p1", "operation": "Publish", "service": "sns"},
            {**copy, "ts": T0 + 1.0, "operation": "SendMessage", "service": "sqs"},
        ],
    )

    first, second = life_of(record, "m1").stays

    assert second.link == "sent by sns paid for an invocation that had m1"
    assert [call.operation for call in first.deliveries[0].attempts[0].calls] == ["Publish"]
