"""Which SQS calls go past LocalStack's chain, and that the service gets what it would get through it."""

import hashlib
import json
import uuid
from typing import Any

import pytest
from localstack.aws.api import RequestContext
from localstack.aws.api.sqs import QueueDoesNotExist
from localstack.http import Request
from localstack.services.sqs.provider import SqsProvider

from dlqlab.emulator.core.services import sqs_context
from dlqlab.emulator.gateway import shortcut
from dlqlab.emulator.sqs import sqs_shortcut

URL = "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q"
SEND: dict[str, Any] = {"QueueUrl": URL, "MessageBody": "b"}
HIDE: dict[str, Any] = {"QueueUrl": URL, "ReceiptHandle": "r", "VisibilityTimeout": 3}
TRACE = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}}
ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"
SENT = {"MessageId": "m", "MD5OfMessageBody": "5", "MD5OfMessageAttributes": None, "SequenceNumber": None}


class Service:
    """Stands for the SQS service: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.contexts: list[RequestContext] = []
        self.error: Exception | None = None
        self.sent: dict[str, Any] = SENT

    def send_message(self, context: RequestContext, **arguments: Any) -> dict[str, Any]:
        self._ask("send_message", context, arguments)
        return self.sent

    def change_message_visibility(self, context: RequestContext, **arguments: Any) -> None:
        self._ask("change_message_visibility", context, arguments)

    def _ask(self, method: str, context: RequestContext, arguments: dict[str, Any]) -> None:
        self.asked.append((method, arguments))
        self.contexts.append(context)
        if self.error:
            raise self.error


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service that is asked."""
    made = Service()
    monkeypatch.setattr(sqs_shortcut, "provider", {"sqs": made}.__getitem__)
    return made


def _answer(operation: str, body: object, **headers: bytes) -> shortcut.Reply | None:
    return sqs_shortcut.answer(
        shortcut.Call(
            operation=operation,
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            account_id="111111111111",
            region="eu-north-1",
            headers={name.replace("_", "-").encode(): value for name, value in headers.items()},
        )
    )


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, (None, None, None)),
        ({"DelaySeconds": 7}, (7, None, None)),
        ({"DelaySeconds": 0, "MessageAttributes": {}}, (0, {}, None)),
        ({"MessageSystemAttributes": TRACE}, (None, None, TRACE)),
        ({"MessageSystemAttributes": {}}, (None, None, {})),
    ],
    ids=str,
)
def test_sent_message_is_given_to_the_service_as_it_is(
    service: Service, members: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """The service gets the message with its delay and its system attributes, and nothing else."""
    delay, attributes, system_attributes = expected
    arguments = {
        "queue_url": URL,
        "message_body": "b",
        "delay_seconds": delay,
        "message_attributes": attributes,
        "message_system_attributes": system_attributes,
    }

    assert _answer("SendMessage", SEND | members) is not None
    assert [("send_message", arguments)] == service.asked


def test_changed_visibility_is_given_to_the_service_as_it_is(service: Service) -> None:
    """The service gets queue, receipt handle and timeout."""
    arguments = {"queue_url": URL, "receipt_handle": "r", "visibility_timeout": 0}

    assert _answer("ChangeMessageVisibility", HIDE | {"VisibilityTimeout": 0}) is not None
    assert [("change_message_visibility", arguments)] == service.asked


@pytest.mark.parametrize(("operation", "members"), [("SendMessage", SEND), ("ChangeMessageVisibility", HIDE)])
def test_call_is_of_its_account_and_region(service: Service, operation: str, members: dict[str, Any]) -> None:
    """The service works in the account and region that signed the call, by the JSON protocol."""
    _answer(operation, members)
    context = service.contexts[0]

    assert ("111111111111", "eu-north-1") == (context.account_id, context.region)
    assert ("sqs", "json") == (context.service.service_name, context.service.protocol)


def test_trace_header_reaches_the_service(service: Service) -> None:
    """A function's trace goes on with its message; no other header reaches the service."""
    _answer("SendMessage", SEND, x_amzn_trace_id=ROOT.encode(), host=b"127.0.0.1")

    assert {"X-Amzn-Trace-Id": ROOT} == dict(service.contexts[0].request.headers)


def test_no_trace_where_there_is_no_trace_header(service: Service) -> None:
    """A message without a trace gets none."""
    _answer("SendMessage", SEND, host=b"127.0.0.1")

    assert {} == dict(service.contexts[0].request.headers)


@pytest.mark.parametrize(
    ("operation", "members", "sent", "expected"),
    [
        ("SendMessage", SEND, SENT, b'{"MessageId":"m","MD5OfMessageBody":"5"}'),
        ("SendMessage", SEND, {"MessageId": "é"}, '{"MessageId":"é"}'.encode()),
        ("ChangeMessageVisibility", HIDE, {}, b"{}"),
    ],
    ids=str,
)
def test_answer_is_that_of_sqs(
    service: Service, operation: str, members: dict[str, Any], sent: dict[str, Any], expected: bytes
) -> None:
    """The answer has the members that have a value, the protocol's type, its length in bytes and a request id."""
    service.sent = sent
    reply = _answer(operation, members)
    assert reply is not None
    status, headers, body = reply
    names = dict(headers)

    assert ("200 OK", expected) == (status, body)
    assert str(uuid.UUID(names.pop("x-amzn-RequestId"))) == dict(headers)["x-amzn-RequestId"]
    assert {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(expected))} == names
    assert len(headers) == 3


@pytest.mark.parametrize("body", ["grüße 🚀", "", "\u0000", 'a "quoted" \\ line\n'])
def test_text_reaches_the_service_unchanged(service: Service, body: str) -> None:
    """Whatever a message says is the service's to judge, written in ASCII or not."""
    for ascii_only in (True, False):
        _answer("SendMessage", json.dumps(SEND | {"MessageBody": body}, ensure_ascii=ascii_only).encode())

    assert [body, body] == [arguments["message_body"] for _, arguments in service.asked]


ATTRIBUTE = {"a": {"DataType": "String", "StringValue": "x"}}
FOR_THE_CHAIN: list[tuple[str, object]] = [
    ("ReceiveMessage", {"QueueUrl": URL}),
    ("SendMessageBatch", {"QueueUrl": URL, "Entries": []}),
    ("", SEND),
    ("SendMessage", SEND | {"MessageGroupId": "g"}),
    ("SendMessage", SEND | {"MessageDeduplicationId": "d"}),
    ("SendMessage", SEND | {"Other": 1}),
    ("SendMessage", SEND | {"DelaySeconds": True}),
    ("SendMessage", SEND | {"DelaySeconds": "1"}),
    ("SendMessage", SEND | {"DelaySeconds": 1.0}),
    ("SendMessage", SEND | {"DelaySeconds": None}),
    ("SendMessage", SEND | {"MessageBody": 1}),
    ("SendMessage", SEND | {"MessageAttributes": ATTRIBUTE}),
    ("SendMessage", SEND | {"MessageAttributes": []}),
    ("SendMessage", SEND | {"MessageSystemAttributes": [TRACE]}),
    ("SendMessage", SEND | {"MessageSystemAttributes": {"AWSTraceHeader": "Root=1-2-3"}}),
    ("SendMessage", SEND | {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String"}}}),
    ("SendMessage", SEND | {"MessageSystemAttributes": {"a": {"DataType": "Binary", "BinaryValue": "eA=="}}}),
    ("SendMessage", SEND | {"MessageSystemAttributes": {"a": {"DataType": "String", "StringListValues": ["x"]}}}),
    ("SendMessage", {"QueueUrl": URL}),
    ("SendMessage", {"MessageBody": "b"}),
    ("SendMessage", {}),
    ("SendMessage", [SEND]),
    ("SendMessage", None),
    ("SendMessage", b""),
    ("SendMessage", b"{"),
    ("SendMessage", b"\xff"),
    ("SendMessage", b"Action=SendMessage&MessageBody=b"),
    ("ChangeMessageVisibility", HIDE | {"VisibilityTimeout": "3"}),
    ("ChangeMessageVisibility", HIDE | {"VisibilityTimeout": False}),
    ("ChangeMessageVisibility", HIDE | {"ReceiptHandle": None}),
    ("ChangeMessageVisibility", HIDE | {"MessageBody": "b"}),
    ("ChangeMessageVisibility", {"QueueUrl": URL, "ReceiptHandle": "r"}),
    ("ChangeMessageVisibility", {"QueueUrl": URL, "VisibilityTimeout": 3}),
]


@pytest.mark.parametrize(("operation", "body"), FOR_THE_CHAIN, ids=str)
def test_other_calls_go_through_the_chain(service: Service, operation: str, body: object) -> None:
    """What is not exactly a call known here is left to the chain, before the service is asked."""
    assert _answer(operation, body) is None
    assert [] == service.asked


@pytest.mark.parametrize(("operation", "members"), [("SendMessage", SEND), ("ChangeMessageVisibility", HIDE)])
def test_what_the_service_refuses_goes_through_the_chain(
    service: Service, operation: str, members: dict[str, Any]
) -> None:
    """The chain words the service's errors."""
    service.error = QueueDoesNotExist()

    assert _answer(operation, members) is None
    assert len(service.asked) == 1


def test_other_errors_are_not_hidden(service: Service) -> None:
    """What is not an answer of the service may have changed something, so the call is not made again."""
    service.error = KeyError("k")

    with pytest.raises(KeyError):
        _answer("SendMessage", SEND)


def test_message_is_sent_by_the_service_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message goes into a queue of LocalStack's service, with its trace, and can be hidden and seen again."""
    sqs = SqsProvider()
    monkeypatch.setattr(sqs_shortcut, "provider", {"sqs": sqs}.__getitem__)
    name, context = f"direct-{uuid.uuid4().hex}", sqs_context("111111111111", "eu-north-1")
    context.request = Request("POST", "/")  # the queue's URL is made of it
    sqs.create_queue(context, name)
    sent = _answer("SendMessage", {"QueueUrl": name, "MessageBody": "grüße"}, x_amzn_trace_id=ROOT.encode())
    assert sent is not None
    answer = json.loads(sent[2])
    received = sqs.receive_message(context, name, attribute_names=["All"])["Messages"][0]
    attributes = received["Attributes"]

    assert hashlib.md5("grüße".encode()).hexdigest() == answer["MD5OfMessageBody"]
    assert (answer["MessageId"], "grüße") == (received["MessageId"], received["Body"])
    assert (ROOT, "111111111111") == (attributes["AWSTraceHeader"], attributes["SenderId"])
    seen = {"QueueUrl": name, "ReceiptHandle": received["ReceiptHandle"], "VisibilityTimeout": 0}
    assert _answer("ChangeMessageVisibility", seen) is not None
    again = sqs.receive_message(context, name, attribute_names=["All"])["Messages"][0]
    assert (answer["MessageId"], "2") == (again["MessageId"], again["Attributes"]["ApproximateReceiveCount"])
    assert _answer("ChangeMessageVisibility", seen | {"QueueUrl": "missing"}) is None
