"""Spans of small recordings: what is the child of what, what is linked, and what went wrong."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import pytest

from dlqlab.traces.deliveries import BATCH_ITEM_FAILURE
from dlqlab.traces.ids import xray_id
from dlqlab.traces.model import About, Span
from dlqlab.traces.recorded import spans
from tests.support.recordings import QUEUE, T0, recording

DLQ = QUEUE.replace(":tasks", ":letters")
API_ARN = "arn:aws:execute-api:eu-central-1:000000000000:abc/api/POST/tasks"
A, B = "1-6b0b29af-392687750b9865922f2016bf", "1-6b0b29b0-aaaaaaaaaaaaaaaaaaaaaaaa"
API = {"actor_kind": "invocation", "actor": "api"}
Row = dict[str, Any]


def made(*, messages: Iterable[Row] = (), invocations: Iterable[Row] = (), calls: Iterable[Row] = ()) -> list[Span]:
    return list(chain.from_iterable(spans(recording(messages=messages, invocations=invocations, calls=calls))))


def one(found: Iterable[Span], about: About, **named: object) -> Span:
    """The only span that is about this, with these attributes of attributes (dots as ``__``) or fields."""
    (span,) = (
        span
        for span in found
        if span.about == about
        and all(
            getattr(span, name, span.attributes.get(name.replace("__", "."))) == value for name, value in named.items()
        )
    )
    return span


def sent(message_id: str, at: float = 0.0, trace: str | None = A, queue: str = QUEUE, **more: Any) -> Row:
    row = {"kind": "sent", "message_id": message_id, "ts": T0 + at, "trace_id": trace, "queue": queue}
    return row | {"receive_count": 0, "body_bytes": 7} | more


def received(message_id: str, at: float, count: int = 1, queue: str = QUEUE) -> Row:
    row = {"kind": "received", "message_id": message_id, "ts": T0 + at, "queue": queue, "receive_count": count}
    return row | {"actor_kind": "mapping", "actor": "uuid", "visible_after_s": 60.0}


def ran(request_id: str, at: float, *message_ids: str, trace: str = A, **more: Any) -> Row:
    row = {"request_id": request_id, "started_ts": T0 + at, "ended_ts": T0 + at + 0.5, "duration_s": 0.4}
    mapped = {"source": "mapping", "source_arn": QUEUE, "message_ids": list(message_ids), "failed_ids": []}
    return row | {"outcome": "ok", "trace_id": trace, "environment": "e"} | (mapped if message_ids else {}) | more


def test_a_task_is_one_trace_from_the_request_to_its_processor() -> None:
    """The request, the API's function, its call of SQS, the message, its delivery, the processor and its call."""
    found = made(
        calls=[
            {
                "ts": T0,
                "duration_s": 0.3,
                "actor_kind": "client",
                "request_id": "client-1",
                "service": "execute-api",
                "operation": "POST",
                "resource": "/_aws/execute-api/abc/api/tasks",
                "status": 202,
            },
            {
                **API,
                "ts": T0 + 0.1,
                "request_id": "i1",
                "function": "api",
                "service": "sqs",
                "operation": "SendMessage",
            },
            {"ts": T0 + 1.1, "request_id": "i2", "function": "processor", "operation": "PutItem", "resource": "items"},
        ],
        messages=[sent("m", 0.1005, **API, request_id="i1"), received("m", 1.0)],
        invocations=[
            ran("i1", 0.05, function="api", source="api gateway", source_arn=API_ARN, client_request_id="client-1"),
            ran("i2", 1.01, "m", init_s=0.05),
        ],
    )

    by_id = {span.at.span_id: span for span in found}
    ways = {}
    for span in found:
        way, above = [span.name], span.parent_id
        while above is not None:
            way, above = [by_id[above].name, *way], by_id[above].parent_id
        ways[span.name] = way
    to_processor = ["POST /tasks", "api", "SQS.SendMessage", "send tasks", "process tasks", "processor"]
    assert [*to_processor, "DynamoDB.PutItem"] == ways["DynamoDB.PutItem"]
    assert [*to_processor, "init processor"] == ways["init processor"]
    assert {A} == {xray_id(span.at.trace_id) for span in found}
    assert (8, 8) == (len(found), len(by_id))


def test_attributes_are_those_of_the_semantic_conventions() -> None:
    """As "Instrumenting AWS Lambda" and "Semantic conventions for messaging spans" name them."""
    found = made(messages=[sent("m"), received("m", 1.0)], invocations=[ran("i", 1.1, "m", init_s=0.1)])

    message = {
        "messaging.system": "aws_sqs",
        "messaging.destination.name": "tasks",
        "messaging.message.id": "m",
    }
    send, process = one(found, About.SEND).attributes, one(found, About.DELIVERY).attributes
    assert {**message, "messaging.operation.type": "send", "messaging.message.body.size": 7}.items() <= send.items()
    assert {**message, "messaging.operation.type": "process"}.items() <= process.items()
    expected = {
        "faas.name": "processor",
        "faas.invocation_id": "i",
        "faas.trigger": "pubsub",
        "faas.coldstart": True,
        "messaging.batch.message_count": 1,
    }
    assert expected.items() <= one(found, About.INVOCATION).attributes.items()


def test_an_invocation_links_each_message_of_its_batch() -> None:
    """Messages of two traces: the invocation is in the first's, and the other's delivery links it."""
    found = made(
        messages=[sent("m1"), sent("m2", 0.1, B), received("m1", 1.0), received("m2", 1.0)],
        invocations=[ran("i", 1.1, "m1", "m2", failed_ids=["m2"])],
    )

    invocation = one(found, About.INVOCATION)
    sends = {span.at for span in found if span.about == About.SEND}
    good, bad = (one(found, About.DELIVERY, messaging__message__id=name) for name in ("m1", "m2"))
    assert sends == {link.to for link in invocation.links}
    assert (invocation.parent_id, A) == (good.at.span_id, xray_id(invocation.at.trace_id))
    assert invocation.at in {link.to for link in bad.links}
    assert invocation.at not in {link.to for link in good.links}
    assert (None, BATCH_ITEM_FAILURE, B) == (good.error, bad.error, xray_id(bad.at.trace_id))


def test_each_try_is_a_delivery_of_its_own() -> None:
    """A retry is a sibling, not a child; what hid the message and gave it back is an event of the first try."""
    found = made(
        messages=[
            sent("m"),
            received("m", 1.0),
            {"kind": "hidden", "message_id": "m", "ts": T0 + 1.2, "visible_after_s": 2.0},
            {"kind": "returned", "message_id": "m", "ts": T0 + 3.2},
            received("m", 3.3, 2),
            {"kind": "deleted", "message_id": "m", "ts": T0 + 4.0},
        ],
        invocations=[ran("i1", 1.1, "m", failed_ids=["m"]), ran("i2", 3.4, "m")],
    )

    first, second = (one(found, About.DELIVERY, dlqlab__receive_count=count) for count in (1, 2))
    assert one(found, About.SEND).at.span_id == first.parent_id == second.parent_id
    assert (["message.hidden", "message.returned"], ["message.deleted"]) == (
        [event.name for event in first.events],
        [event.name for event in second.events],
    )
    assert (BATCH_ITEM_FAILURE, None) == (first.error, second.error)
    parents = [one(found, About.INVOCATION, faas__invocation_id=name).parent_id for name in ("i1", "i2")]
    assert [first.at.span_id, second.at.span_id] == parents


def test_a_dead_letter_and_its_redrive_stay_in_the_trace() -> None:
    """The move follows the last delivery, the redriven message the dead letter; each links what it comes from."""
    letter: Row = {"actor_kind": "service", "actor": QUEUE, "parent_ids": ["m"]}
    again: Row = {"actor_kind": "service", "actor": "redrive task-1", "parent_ids": ["m"]}
    found = made(
        messages=[
            sent("m"),
            received("m", 1.0),
            {"kind": "moved", "message_id": "m", "ts": T0 + 3},
            sent("m", 3.0, queue=DLQ, **letter),
            {"kind": "redriven", "message_id": "m", "ts": T0 + 9, "queue": DLQ},
            sent("m-again", 9.0, None, **again),
        ],
        invocations=[ran("i", 1.1, "m", failed_ids=["m"], outcome="error", error_type="E", error_message="no")],
    )

    first, buried, redriven = (
        one(found, About.SEND, dlqlab__queue_arn=queue, messaging__message__id=name)
        for queue, name in ((QUEUE, "m"), (DLQ, "m"), (QUEUE, "m-again"))
    )
    delivery = one(found, About.DELIVERY)
    assert (delivery.at.span_id, buried.at.span_id) == (buried.parent_id, redriven.parent_id)
    assert [[first.at], [buried.at]] == [[link.to for link in span.links] for span in (buried, redriven)]
    assert {"SQS"} == {buried.service, redriven.service}
    assert ["message.redriven"] == [event.name for event in buried.events]
    assert {A} == {xray_id(span.at.trace_id) for span in found}


@pytest.mark.parametrize(
    ("ended", "status", "events"),
    [
        ({"outcome": "error", "error_type": "KeyError", "error_message": "'x'"}, ("'x'", "KeyError"), ["exception"]),
        ({"outcome": "timeout", "error_message": "Task timed out"}, ("Task timed out", "timeout"), ["exception"]),
        ({"outcome": "throttled"}, ("throttled", "throttled"), []),
        ({"outcome": "ok"}, (None, None), []),
    ],
    ids=["error", "timeout", "throttled", "ok"],
)
def test_what_went_wrong_is_the_status(ended: Row, status: tuple[str, str], events: list[str]) -> None:
    """And an exception event, where the function had an error to tell."""
    found = made(invocations=[ran("i", 1.0, **ended)])

    span = one(found, About.INVOCATION)
    assert status == (span.error, span.attributes.get("error.type"))
    assert events == [event.name for event in span.events]
    assert all(ended.get("error_message") == event.attributes["exception.message"] for event in span.events)


def test_a_call_that_was_refused_is_an_error_and_its_function_none() -> None:
    refused = {"ts": T0 + 1.1, "request_id": "i", "function": "processor", "operation": "UpdateItem", "status": 400}
    found = made(calls=[refused | {"error_code": "ConditionalCheckFailedException"}], invocations=[ran("i", 1.0)])

    assert "ConditionalCheckFailedException" == one(found, About.CALL).attributes["error.type"]
    assert None is one(found, About.INVOCATION).error


def test_without_a_header_what_belongs_together_is_one_trace() -> None:
    """A client's message without one: its tries have headers that Lambda made up, each another."""
    messages = [sent("m", trace=None), received("m", 1.0), received("m", 3.0, 2)]
    found = made(messages=messages, invocations=[ran("i1", 1.1, "m", trace=A), ran("i2", 3.1, "m", trace=B)])

    assert (5, 1) == (len(found), len({span.at.trace_id for span in found}))
    assert found == made(messages=messages, invocations=[ran("i1", 1.1, "m", trace=A), ran("i2", 3.1, "m", trace=B)])


def test_calls_that_led_to_nothing_have_no_trace() -> None:
    """A client that only looks, as a deployment does."""
    looks = {"actor_kind": "client", "request_id": "c", "service": "sqs", "operation": "GetQueueUrl"}

    assert [] == made(calls=[looks])


def test_what_had_not_ended_says_so() -> None:
    found = made(
        messages=[sent("m"), received("m", 1.0)], invocations=[ran("i", 1.1, "m", ended_ts=None, outcome=None)]
    )

    assert [False, False] == [one(found, about).is_ended for about in (About.INVOCATION, About.DELIVERY)]
    assert None is one(found, About.INVOCATION).error


def test_a_client_that_receives_itself_is_a_receive() -> None:
    deleted = {"kind": "deleted", "message_id": "m", "ts": T0 + 2}
    found = made(messages=[sent("m"), received("m", 1.0) | {"actor_kind": "client", "actor": "boto3"}, deleted])

    span = one(found, About.DELIVERY)
    assert ("receive tasks", "client", T0 + 1, T0 + 2) == (span.name, span.service, span.start_ts, span.end_ts)


def test_a_message_that_the_api_sends_itself_hangs_below_the_request() -> None:
    """An integration of API Gateway with SQS: no function stands between."""
    request = {"actor_kind": "client", "request_id": "c", "service": "execute-api", "operation": "POST", "status": 200}
    by_api = {"actor_kind": "service", "actor": "apigateway arn:aws:execute-api:::abc", "request_id": "c"}
    found = made(calls=[request | {"duration_s": 0.2}], messages=[sent("m", 0.1, trace=None, **by_api)])

    assert one(found, About.REQUEST).at.span_id == one(found, About.SEND).parent_id
    assert ("API Gateway", 1) == (one(found, About.SEND).service, len({span.at.trace_id for span in found}))


def test_a_function_that_another_one_invokes_hangs_below_that_call() -> None:
    arn = "arn:aws:lambda:eu-central-1:000000000000:function:callee:live"
    call = {"ts": T0 + 0.1, "duration_s": 0.9, "request_id": "i1", "function": "caller", "service": "lambda"}
    found = made(
        calls=[call | {"actor": "caller", "operation": "Invoke", "resource": arn}],
        invocations=[ran("i1", 0.0, function="caller"), ran("i2", 0.2, function="callee", source="invocation")],
    )

    callee = one(found, About.INVOCATION, faas__invocation_id="i2")
    assert one(found, About.CALL, name="Lambda.Invoke").at.span_id == callee.parent_id
