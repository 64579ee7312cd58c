"""What is left in queues, from a record; values of DynamoDB as they are compared."""

import json

import pytest

from dlqlab.collect.end_state import collect_end_state, is_chosen, left_in_queues
from dlqlab.contracts.topology import Queue, Topology
from dlqlab.errors import EvidenceError
from tests.support.flows import Story
from tests.support.recordings import recording


def body(digest: str, **value: object) -> dict[str, object]:
    text = json.dumps(value)
    return {"body_sha256": digest, "body": text, "body_bytes": len(text), "is_redacted": False, "is_cut": False}


def test_messages_that_nobody_took_are_left_with_their_content() -> None:
    story = Story().sent("m1", body_sha256="a").sent("m2", body_sha256="b").sent("m3", body_sha256="b")
    story.tried("m1", 1).deleted("m1", 2).received("m3", 1).moved("m3", 40)
    story.messages[-1]["body_sha256"] = "b"
    found = left_in_queues(recording(messages=story.messages, bodies=[body("b", id="o-2")]), ["tasks", "dead-letters"])

    assert {"tasks": 1, "dead-letters": 1} == {queue: len(items) for queue, items in found.items()}
    assert [{"id": '"o-2"'}] == [item.values for item in found["tasks"]]


def test_body_that_was_not_kept_is_said() -> None:
    story = Story().sent("m1", body_sha256="a")
    with pytest.raises(EvidenceError, match="the body of message m1 in tasks was not kept"):
        left_in_queues(recording(messages=story.messages), ["tasks"])


def test_place_is_chosen_by_kind_and_part_of_its_name() -> None:
    assert is_chosen("dynamodb shop-Orders-1", ())
    assert is_chosen("dynamodb shop-Orders-1", ["s3 x", "dynamodb Orders"])
    assert not is_chosen("dynamodb shop-Orders-1", ["sqs Orders"])


class NothingThere:
    """An endpoint without tables and buckets."""

    def get_paginator(self, _operation: str) -> "NothingThere":
        return self

    def paginate(self) -> list[dict[str, list[str]]]:
        return [{"TableNames": []}]

    def list_buckets(self) -> dict[str, list[str]]:
        return {"Buckets": []}


def test_place_that_is_not_there_and_missing_record_are_said() -> None:
    topology = Topology(name="orders", queues=(Queue(role="tasks", name="tasks"),))
    found = collect_end_state(lambda _: NothingThere(), topology, None, chosen=["dynamodb bills"])

    assert found.unread == (
        "sqs: what is left in queues is not known: nothing was recorded",
        "effects.compare holds 'dynamodb bills': there is no such place; there are none",
    )
