"""Entries of batches that were refused, and that the sending function did not notice."""

from typing import Any

import pytest

from dlqlab.analysis.judge import MESSAGE_CHECKS
from dlqlab.contracts.verdict import Check, Status
from tests.support.flows import Story, facts
from tests.support.recordings import T0

BATCH = {"service": "sqs", "operation": "SendMessageBatch", "resource": "next", "function": "processor"}


def call(request_id: str, at: float, **more: Any) -> dict[str, Any]:
    return {"request_id": request_id, "ts": T0 + at, **BATCH, **more}


def checked(*calls: dict[str, Any], **attempt: Any) -> Check:
    """One message whose function makes these calls."""
    story = Story().sent("m1").received("m1", 1).invoked("m1", at=1, **attempt).deleted("m1", 2)
    return MESSAGE_CHECKS["messages"](facts(story, calls=list(calls)))


REFUSED = call("i1", 1.1, error_code="InvalidParameterValue")


def test_entry_that_was_refused_and_not_sent_again_is_lost() -> None:
    found = checked(REFUSED)
    assert (found.status, found.members["refused_in_a_batch"]) == (Status.INVALID, ("m1",))


@pytest.mark.parametrize(
    ("calls", "attempt"),
    [
        ((call("i1", 1.1),), {}),
        ((REFUSED, call("i1", 1.2)), {}),
        ((REFUSED, call("i1", 1.2, operation="SendMessage")), {}),
        ((REFUSED,), {"outcome": "error"}),
        ((REFUSED,), {"reports_failures": True, "failed": ["m1"], "named_ids": ["m1"]}),
        ((call("i1", 1.1, error_code="RequestThrottled", status=400),), {}),
    ],
    ids=["all taken", "sent again", "sent again alone", "raises", "names its message", "refused as a whole"],
)
def test_entry_that_is_sent_again_or_told_of_is_not_lost(
    calls: tuple[dict[str, Any], ...], attempt: dict[str, Any]
) -> None:
    assert checked(*calls, **attempt).members["refused_in_a_batch"] == ()


FAILED = call("i1", 1.1, operation="SendMessage", status=400, error_code="AWS.SimpleQueueService.NonExistentQueue")
BILLED = {"service": "dynamodb", "operation": "PutItem", "resource": "bills"}


@pytest.mark.parametrize(
    "calls",
    [(FAILED,), (call("i1", 1.0) | BILLED, FAILED), (FAILED, call("i1", 1.2, operation="ReceiveMessage"))],
    ids=["alone", "after another write", "and reads"],
)
def test_write_that_failed_and_was_not_told_of_is_swallowed(calls: tuple[dict[str, Any], ...]) -> None:
    found = checked(*calls)
    assert (found.status, found.members["swallowed"]) == (Status.INVALID, ("m1",))


@pytest.mark.parametrize(
    ("calls", "attempt"),
    [
        ((FAILED, call("i1", 1.2, operation="SendMessage")), {}),
        ((FAILED, call("i1", 1.2) | BILLED), {}),
        ((FAILED,), {"outcome": "error"}),
        ((FAILED,), {"reports_failures": True, "failed": ["m1"], "named_ids": ["m1"]}),
        ((call("i1", 1.1, status=400, error_code="ConditionalCheckFailedException") | BILLED,), {}),
        ((call("i1", 1.1, operation="GetQueueUrl", status=400, error_code="QueueDoesNotExist"),), {}),
    ],
    ids=["tried again", "something else instead", "raises", "names its message", "done before", "no write"],
)
def test_write_that_is_made_good_or_told_of_is_not_swallowed(
    calls: tuple[dict[str, Any], ...], attempt: dict[str, Any]
) -> None:
    assert checked(*calls, **attempt).members["swallowed"] == ()


@pytest.mark.parametrize("later", [{"resource": "elsewhere"}, {"request_id": "other"}, {"error_code": "InternalError"}])
def test_what_is_sent_later_may_be_something_else(later: dict[str, Any]) -> None:
    assert checked(REFUSED, call("i1", 1.2) | later).members["refused_in_a_batch"] == ("m1",)


def test_several_messages_are_named_by_their_invocation() -> None:
    story = Story().sent("m1").sent("m2").received("m1", 1).received("m2", 1)
    story.invoked("m1", "m2", at=1).deleted("m1", 2).deleted("m2", 2)
    found = MESSAGE_CHECKS["messages"](facts(story, calls=[REFUSED]))
    assert found.members["refused_in_a_batch"] == ("i1",)
