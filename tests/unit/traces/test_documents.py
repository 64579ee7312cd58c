"""Segment documents of X-Ray: what stands below what, faults, errors and throttles."""

from itertools import chain
from typing import Any

import pytest

from dlqlab.traces.documents import Document, documents_of
from dlqlab.traces.recorded import spans
from tests.support.recordings import QUEUE, T0, recording

ROOT = "1-6b0b29af-392687750b9865922f2016bf"
Row = dict[str, Any]


def made(**invocation: Any) -> list[Document]:
    """A message of a client, given to a function that ends so and calls DynamoDB once."""
    row: Row = {
        "request_id": "i",
        "started_ts": T0 + 1.1,
        "ended_ts": T0 + 1.5,
        "duration_s": 0.3,
        "source": "mapping",
        "source_arn": QUEUE,
        "message_ids": ["m"],
        "failed_ids": [],
        "outcome": "ok",
        "trace_id": ROOT,
    }
    call: Row = {
        "ts": T0 + 1.3,
        "request_id": "i",
        "function": "processor",
        "operation": "PutItem",
        "resource": "items",
    }
    found = recording(
        messages=[
            {"kind": "sent", "message_id": "m", "trace_id": ROOT},
            {"kind": "received", "message_id": "m", "ts": T0 + 1, "receive_count": 1},
        ],
        invocations=[row | invocation],
        calls=[call | {"status": 400, "error_code": "ConditionalCheckFailedException"}],
    )
    return documents_of(list(chain.from_iterable(spans(found))))


def test_a_message_is_a_segment_and_its_function_two_below_its_delivery() -> None:
    queue, of_lambda, function = made(init_s=0.05)

    assert ["AWS::SQS::Queue", "AWS::Lambda", "AWS::Lambda::Function"] == [
        one["origin"] for one in (queue, of_lambda, function)
    ]
    (delivery,) = queue["subsegments"]
    assert (delivery["id"], of_lambda["id"]) == (of_lambda["parent_id"], function["parent_id"])
    assert ("tasks", {"message_id": "m"}, T0, T0 + 1.5) == (
        queue["name"],
        queue["annotations"],
        queue["start_time"],
        queue["end_time"],
    )
    call, init = sorted(function["subsegments"], key=lambda part: str(part["name"]))
    assert ("Initialization", {"operation": "PutItem", "table_name": "items"}) == (init["name"], call["aws"])
    assert (True, None) == (call["error"], call.get("fault"))
    assert {ROOT} == {one["trace_id"] for one in (queue, of_lambda, function)}


@pytest.mark.parametrize(
    ("ended", "flags"),
    [
        ({"outcome": "ok"}, {}),
        ({"outcome": "error", "error_type": "KeyError", "error_message": "'x'"}, {"fault": True}),
        ({"outcome": "timeout"}, {"fault": True}),
        ({"outcome": "throttled"}, {"error": True, "throttle": True}),
    ],
    ids=lambda value: value.get("outcome") if isinstance(value, dict) else None,
)
def test_how_an_invocation_ended_is_a_flag(ended: Row, flags: Document) -> None:
    """Lambda's segment and the function's have it; a throttled one has no function's segment."""
    found = [one for one in made(**ended) if one["origin"] != "AWS::SQS::Queue"]

    assert (1 if ended["outcome"] == "throttled" else 2) == len(found)
    assert all(flags == {name: one[name] for name in ("fault", "error", "throttle") if name in one} for one in found)
    causes = [one["cause"]["exceptions"][0]["type"] for one in found if "cause" in one]
    assert (["KeyError"] if "error_type" in ended else []) == causes


def test_what_had_not_ended_is_in_progress() -> None:
    found = made(outcome=None, ended_ts=None)

    assert [True] * 3 == [one["in_progress"] for one in found]
    assert not any("end_time" in one for one in found)


def test_segment_of_a_caller_has_an_id_of_its_own() -> None:
    """Its subsegment is the call; below this one stands what the call led to."""
    call = {"request_id": "c", "actor_kind": "client", "service": "lambda", "operation": "Invoke", "trace_id": ROOT}
    invocation = {"request_id": "i", "client_request_id": "c", "started_ts": T0 + 0.0001, "trace_id": ROOT}
    found = documents_of(list(chain.from_iterable(spans(recording(invocations=[invocation], calls=[call])))))

    caller, of_lambda = found[:2]
    (called,) = caller["subsegments"]
    assert caller["id"] != called["id"] == of_lambda["parent_id"]
