"""Who a request comes from, and what it asks for."""

import base64
import json
import threading

import pytest

from dlqlab.emulator.recorder.actors import HERE, SQS, Actor, Environment, Environments, caller, credential, learn
from dlqlab.emulator.recorder.describe import Item, error_code_of, items_of, members_of, message_id_of, operation_of
from dlqlab.emulator.recorder.finish import error_of
from dlqlab.emulator.recorder.parts import trace_id


def signed(key: str, service: str = "sqs") -> dict[bytes, bytes]:
    scope = f"{key}/20260101/us-east-1/{service}/aws4_request"
    return {b"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0".encode()}


def who(headers: dict[bytes, bytes], environments: Environments) -> Actor:
    return caller(headers, environments.signed(headers, b"/"))


def test_environment_is_known_by_its_access_key_and_its_invocation() -> None:
    """Also by the key of a role that it has taken; between invocations there is none to name."""
    environments = Environments()
    environment = Environment("worker", "request-1")
    environments.add("ASIAENV", environment)
    learn(b"ASIAENV", b"<AccessKeyId>ASIAOTHER</AccessKeyId>", environments)
    learn(b"ASIASTRANGER", b"<AccessKeyId>ASIACLIENT</AccessKeyId>", environments)

    assert Actor("invocation", "worker", "request-1") == who(signed("ASIAENV"), environments)
    assert Actor("invocation", "worker", "request-1") == who(signed("ASIAOTHER"), environments)
    assert "client" == who(signed("ASIACLIENT"), environments).kind
    environment.rests()
    assert Actor("invocation", "worker", None) == who(signed("ASIAENV"), environments)


@pytest.mark.parametrize(
    ("headers", "actor"),
    [
        ({}, Actor("client", None, None)),
        ({b"user-agent": b"curl", b"x-request-id": b"r"}, Actor("client", "curl", "r")),
        (signed("test") | {b"amz-sdk-invocation-id": b"i"}, Actor("client", None, "i")),
        (signed("test") | {b"amz-sdk-invocation-id": b"i", b"x-request-id": b"r"}, Actor("client", None, "r")),
        (signed("__internal_call__"), Actor("service", "localstack", None)),
        (
            signed("__internal_call__")
            | {b"x-localstack-data": b'{"service_principal": "sns", "source_arn": "arn:aws:sns:r:1:t"}'},
            Actor("service", "sns arn:aws:sns:r:1:t", None),
        ),
        (signed("1") | {b"x-localstack-data": b"[]"}, Actor("service", "localstack", None)),
    ],
)
def test_caller_is_told_by_key_and_headers(headers: dict[bytes, bytes], actor: Actor) -> None:
    """Clients by their agent and their own request id, services of the emulator by their principal."""
    assert actor == who(headers, Environments())


def test_presigned_request_has_its_credential_in_its_address() -> None:
    """As S3's addresses to download from."""
    target = b"/bucket/key?X-Amz-Credential=ASIA1%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=x"

    assert (b"ASIA1", "s3") == credential({}, target)
    assert credential({}, b"/") is None


def test_each_thread_acts_for_itself() -> None:
    """What one thread is busy with is nothing to another."""
    HERE.doing.actor = Actor("client", "a", None)
    seen: list[Actor] = []
    other = threading.Thread(target=lambda: seen.append(HERE.doing.actor))
    other.start()
    other.join()
    HERE.doing.actor = SQS

    assert [SQS] == seen


def keys_of(table: str) -> tuple[str, ...] | None:
    return {"tasks": ("taskId", "kind")}.get(table)


def items(service: str, operation: str, body: bytes) -> list[Item]:
    return list(items_of(service, operation, members_of(body), keys_of))


KEY = {"taskId": {"S": "t"}, "kind": {"S": "k"}}
KEY_TEXT = '{"kind":{"S":"k"},"taskId":{"S":"t"}}'


@pytest.mark.parametrize(
    ("operation", "members", "found"),
    [
        ("GetItem", {"TableName": "tasks", "Key": KEY}, [("tasks", KEY_TEXT, None)]),
        ("PutItem", {"TableName": "tasks", "Item": {**KEY, "more": {"S": "x"}}}, [("tasks", KEY_TEXT, None)]),
        (
            "UpdateItem",
            {"TableName": "tasks", "Key": KEY, "UpdateExpression": "ADD n :one"},
            [("tasks", KEY_TEXT, "ADD n :one")],
        ),
        ("PutItem", {"TableName": "unknown", "Item": KEY}, [("unknown", None, None)]),
        ("Query", {"TableName": "tasks"}, [("tasks", None, None)]),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "tasks", "Item": KEY}},
                    {"Update": {"TableName": "a", "Key": KEY, "UpdateExpression": "SET b = :b"}},
                ]
            },
            [("tasks", KEY_TEXT, None), ("a", KEY_TEXT, "SET b = :b")],
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"tasks": [{"PutRequest": {"Item": KEY}}], "b": [{"DeleteRequest": {"Key": KEY}}]}},
            [("tasks", KEY_TEXT, None), ("b", KEY_TEXT, None)],
        ),
    ],
)
def test_items_of_dynamodb_calls(
    operation: str, members: object, found: list[tuple[str, str | None, str | None]]
) -> None:
    """Table and key of each item that is read or written, and what an update does to it."""
    assert found == items("dynamodb", operation, json.dumps(members).encode())


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":' * 30_000, b"[1]", b'{"QueueUrl": 7}', b"Action=SendMessage"])
def test_body_that_says_nothing_is_no_trouble(body: bytes) -> None:
    """Anybody may send anything."""
    assert [(None, None, None)] == items("sqs", "SendMessage", body)


def test_receipt_handle_names_its_message() -> None:
    """As the emulator makes them; others name none."""
    handle = base64.b64encode(b"random arn:aws:sqs:r:1:q message-1 123.4").decode()
    body = json.dumps({"QueueUrl": "http://q", "ReceiptHandle": handle}).encode()

    assert [("http://q", "message-1", None)] == items("sqs", "DeleteMessage", body)
    assert message_id_of("no handle") is None


def test_operation_is_found_in_each_protocol() -> None:
    """JSON by its header, query by its parameter, in body or address."""
    assert "SendMessage" == operation_of(b"AmazonSQS.SendMessage", b"/", b"{}")
    assert "Publish" == operation_of(None, b"/", b"Action=Publish&TopicArn=x")
    assert "AssumeRole" == operation_of(None, b"/?Action=AssumeRole&Version=1", b"")
    assert operation_of(None, b"/bucket/key", b"<xml/>") is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, None),
        (b"", None),
        (
            b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}',
            "ConditionalCheckFailedException",
        ),
        (b'{"__type":"QueueDoesNotExist","message":"no"}', "QueueDoesNotExist"),
        (b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code></Error></ErrorResponse>", "NoSuchEntity"),
        (b"text", None),
        (b'{"Successful": [], "Failed": [{"Id": "1", "SenderFault": true, "Code": "EmptyValue"}]}', "EmptyValue"),
        (b'{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}', "InternalFailure"),
    ],
)
def test_error_code_is_read_in_each_protocol(body: bytes | None, code: str | None) -> None:
    """Without the namespace before it."""
    assert code == error_code_of(body)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (None, (None, None)),
        (b'{"errorType": "ValueError", "errorMessage": "key AKIAABCDEFGHIJKLMNOP"}', ("ValueError", "key [redacted]")),
        (b"no json", (None, "no json")),
        (b"[]", (None, "[]")),
        (b'{"errorMessage": null}', (None, None)),
    ],
)
def test_error_document_is_read_and_redacted(document: bytes | None, error: tuple[str | None, str | None]) -> None:
    """A runtime may report what it likes."""
    assert error == error_of(document)


def test_trace_id_is_the_root_of_a_header() -> None:
    """Wherever it stands in it."""
    assert "1-a-b" == trace_id("Parent=x;Root=1-a-b;Sampled=1")
    assert trace_id("Self=1") is None
    assert trace_id(None) is None
