"""Work that was refused for good and counts as done all the same, from histories of a few rows."""

from typing import Any

import pytest

from dlqlab.contracts.injection import Kind
from dlqlab.torture.matrix import Target
from dlqlab.torture.never_made import never_made
from tests.support.flows import Story, facts
from tests.support.recordings import T0

BILL = Target("processor", "dynamodb:PutItem", "bills")
RECEIPT = Target("processor", "sqs:SendMessage", "receipts")
CALL = {"function": "processor", "service": "dynamodb", "operation": "PutItem", "resource": "bills", "item_key": "1"}
SENT = {**CALL, "service": "sqs", "operation": "SendMessage", "resource": "http://h/1/receipts", "item_key": None}


def done() -> Story:
    return Story().sent("m1").tried("m1", 1).deleted("m1", 2)


def retried() -> Story:
    return Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31).tried("m1", 31).deleted("m1", 32)


def strike(kind: Kind = Kind.CALL_DENIED, **more: Any) -> dict[str, Any]:
    names = {name: CALL[name] for name in ("function", "service", "operation", "resource")}
    at = {"ts": T0 + 1.1, "request_id": "i1", "message_id": "m1", "task_key": "m1", "receive_count": 1}
    return {"fault": "refused", "kind": kind.value, **names, **at, **more}


def call(of: dict[str, Any] = CALL, *, at: float = 1.1, request: str = "i1", **more: Any) -> dict[str, Any]:
    return {**of, "request_id": request, "ts": T0 + at, **more}


REFUSED = call(fault="refused", error_code="AccessDeniedException", status=400)


def found(story: Story, *calls: dict[str, Any], struck: dict[str, Any] | None = None) -> set[str]:
    flow = facts(story, calls=[REFUSED, *calls], faults=[struck or strike()]).flow
    return {one.message_id for one in never_made(flow, (BILL, RECEIPT))}


def test_a_message_whose_call_was_refused_and_that_is_done_counts_as_done_without_it() -> None:
    assert found(done()) == {"m1"}


def test_what_the_function_does_at_any_message_is_nothing_in_the_place_of_the_call() -> None:
    assert found(done(), call(SENT, at=1.2)) == {"m1"}


def test_a_guard_that_was_written_before_the_work_hides_it_from_the_second_attempt() -> None:
    struck = strike(service="sqs", operation="SendMessage", resource="http://h/1/receipts")
    refused = call(SENT, fault="refused", error_code="AccessDenied")
    guard = call(at=31.1, request="i2", error_code="ConditionalCheckFailedException")

    assert found(retried(), refused, guard, struck=struck) == {"m1"}


@pytest.mark.parametrize(
    ("story", "then"),
    [
        (retried(), call(at=31.1, request="i2")),
        (done(), call(at=1.3)),
        (done(), call({**SENT, "resource": "http://h/1/later"}, at=1.3)),
        (done(), call({**CALL, "resource": "failures"}, at=1.3)),
    ],
    ids=["made again by the next attempt", "made again", "sent elsewhere", "written elsewhere"],
)
def test_what_was_done_again_or_otherwise_is_dealt_with(story: Story, then: dict[str, Any]) -> None:
    assert found(story, then) == set()


def test_the_same_call_for_a_mate_of_the_batch_is_not_that_for_the_message() -> None:
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1).invoked("m1", "m2", at=1)
    story.deleted("m1", 2).deleted("m2", 2)

    assert found(story, call(at=1.2, item_key="2")) == {"m1"}
    assert found(story, call(at=1.2, item_key="1")) == set()


@pytest.mark.parametrize(
    "struck",
    [
        strike(service="monitoring", operation="PutMetricData"),
        strike(operation="GetItem"),
        strike(service="sqs", operation="DeleteMessage"),
        strike(Kind.CALL_SLOW),
        strike(Kind.CALL_ANSWER_LOST),
    ],
    ids=["a metric", "a read", "a delete", "slow", "done"],
)
def test_calls_that_are_no_work_or_were_done_may_be_left_out(struck: dict[str, Any]) -> None:
    assert found(done(), struck=struck) == set()


def test_a_message_that_is_not_done_has_not_lost_it_yet() -> None:
    assert found(Story().sent("m1").tried("m1", 1, ok=False).back("m1", 31)) == set()
