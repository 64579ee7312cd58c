"""LocalStack answers the same with our patches as without them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator import lifecycle
from dlqlab.emulator.lifecycle import Emulator
from tests.integration.conftest import ROLE, bundle, make_client

pytestmark = pytest.mark.integration

VOLATILE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|127\.0\.0\.1:\d+|\d{4}-\d\d-\d\d[ T][\d:.+]+Z?|\b\d{10,13}(\.\d+)?\b"
)
"""Ids, ports and times."""
PATHS = re.compile(r'/[^" ]*/code/app\.py')
DROPPED = {"ResponseMetadata", "ReceiptHandle", "CodeSha256", "RevisionId", "LogResult", "CodeSize", "ConsumedCapacity"}
"""What differs between any two calls; and the consumed capacity, which moto tells and DynamoDB only when asked."""

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """LocalStack without any patch and with moto's own DynamoDB calls."""
    root = tmp_path_factory.mktemp("stock")
    port = lifecycle.free_port()
    running = lifecycle.start(port, bound=True, root=root, patches=(), extra={"DLQLAB_DYNAMODB": "moto"})
    yield running
    lifecycle.stop(running)


def _plain(value: Any) -> Any:
    """An answer without what differs between any two calls."""
    if isinstance(value, dict):
        # moto also sends empty attributes where DynamoDB sends none.
        kept = {key: item for key, item in value.items() if key not in DROPPED and (key, item) != ("Attributes", {})}
        return {key: _plain(item) for key, item in sorted(kept.items())}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "read"):
        return PATHS.sub("*", VOLATILE.sub("*", value.read().decode()))
    return VOLATILE.sub("*", str(value))


def _call(client: Client, service: str, operation: str, **parameters: Any) -> Any:
    try:
        return _plain(getattr(client(service), operation)(**parameters))
    except ClientError as error:
        return _plain(error.response)


def _queue_calls(client: Client) -> Iterator[Any]:
    url = client("sqs").create_queue(QueueName="same", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    yield _call(client, "sqs", "create_queue", QueueName="same", Attributes={"VisibilityTimeout": "6"})
    yield _call(client, "sqs", "get_queue_url", QueueName="missing")
    for delay in (0, 1, 901):
        yield _call(client, "sqs", "send_message", QueueUrl=url, MessageBody="b", DelaySeconds=delay)
    yield _call(client, "sqs", "send_message_batch", QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}] * 2)
    yield _call(client, "sqs", "receive_message", QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=1)
    yield _call(client, "sqs", "receive_message", QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=2)
    yield _call(client, "sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=11)
    yield _call(client, "sqs", "change_message_visibility", QueueUrl=url, ReceiptHandle="wrong", VisibilityTimeout=3)
    yield _call(client, "sqs", "delete_message", QueueUrl=url, ReceiptHandle="wrong")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "VisibilityTimeout"]
    yield _call(client, "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)
    yield _call(client, "sqs", "purge_queue", QueueUrl=url)
    yield _call(client, "sqs", "delete_queue", QueueUrl=url)


def _function_calls(client: Client) -> Iterator[Any]:
    source = "def handler(event, context):\n    if event.get('bad'):\n        raise KeyError('k')\n    return event\n"
    yield _call(
        client,
        "lambda",
        "create_function",
        FunctionName="same",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": bundle({"app.py": source})},
    )
    for payload in ('{"n": 1}', '{"bad": true}', "[1]", "not json"):
        yield _call(client, "lambda", "invoke", FunctionName="same", Payload=payload)
    yield _call(client, "lambda", "invoke", FunctionName="missing", Payload="{}")
    yield _call(client, "lambda", "invoke", FunctionName="same", Payload="{}", InvocationType="DryRun")
    yield _call(client, "logs", "describe_log_groups", logGroupNamePrefix="/aws/lambda/missing")
    yield _call(client, "lambda", "delete_function", FunctionName="same")


def _table_calls(client: Client) -> Iterator[Any]:
    yield _call(
        client,
        "dynamodb",
        "create_table",
        TableName="same",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"k": {"S": "1"}, "n": {"N": "1"}}
    put = {"TableName": "same", "Item": item, "ConditionExpression": "attribute_not_exists(k)"}
    yield _call(client, "dynamodb", "put_item", **put)
    yield _call(client, "dynamodb", "put_item", **put)
    yield _call(client, "dynamodb", "put_item", **put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    update = {"TableName": "same", "Key": {"k": {"S": "1"}}, "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for returned in ("NONE", "ALL_NEW", "ALL_OLD", "UPDATED_NEW"):
        yield _call(client, "dynamodb", "update_item", **update, UpdateExpression="ADD n :one", ReturnValues=returned)
    yield _call(client, "dynamodb", "update_item", **update, UpdateExpression="SET n = = :one")
    yield _call(client, "dynamodb", "update_item", **update, UpdateExpression="SET m = n")
    yield _call(client, "dynamodb", "get_item", TableName="same", Key={"k": {"S": "2"}})
    yield _call(client, "dynamodb", "get_item", TableName="missing", Key={"k": {"S": "2"}})
    yield _call(client, "dynamodb", "delete_item", TableName="same", Key={"k": {"S": "1"}}, ReturnValues="ALL_OLD")
    yield _call(client, "dynamodb", "scan", TableName="same")


@pytest.mark.parametrize("calls", [_queue_calls, _function_calls, _table_calls], ids=lambda calls: calls.__name__)
def test_answers_are_those_of_stock_localstack(
    emulator: Emulator, stock: Emulator, calls: Callable[[Client], Iterator[Any]]
) -> None:
    """The same calls get the same answers and the same errors, with and without patches and fast path."""
    ours = list(calls(lambda service: make_client(emulator, service)))
    theirs = list(calls(lambda service: make_client(stock, service)))

    assert theirs == ours
