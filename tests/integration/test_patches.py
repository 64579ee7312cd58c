"""LocalStack answers the same with our patches as without them, but for what AWS answers otherwise.

That is no part of these calls: ``test_queue_limits`` has what SQS refuses.
"""

import contextlib
import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.core.listening import free_port
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
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
    port = free_port()
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
    for delay in (0, 1):
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


def _message_calls(client: Client) -> Iterator[Any]:
    """Messages with all that they may have, and how long they stay hidden."""
    url = client("sqs").create_queue(QueueName="sent", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    missing = url.replace("/sent", "/missing")
    attribute = {"DataType": "String", "StringValue": "x"}
    sends: list[dict[str, Any]] = [
        {"MessageSystemAttributes": {"AWSTraceHeader": attribute | {"StringValue": "Root=1-5759e988-bd862e3f"}}},
        {"MessageAttributes": {"a": attribute, "b": {"DataType": "Binary", "BinaryValue": b"x"}}},
        {"MessageBody": ""},
        {"MessageBody": "\u0000"},
        {"MessageBody": "x" * 1_048_577},
        {"MessageBody": "grüße 🚀"},
        {"QueueUrl": missing},
        {"QueueUrl": "sent"},
        {"QueueUrl": "missing"},
        {"MessageGroupId": "g"},
        {"MessageDeduplicationId": "d"},
    ]
    for members in sends:
        yield _call(client, "sqs", "send_message", **{"QueueUrl": url, "MessageBody": "b"} | members)
    received = client("sqs").receive_message(
        QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=1
    )
    yield _plain(received)
    hide = {"QueueUrl": url, "ReceiptHandle": received["Messages"][0]["ReceiptHandle"]}
    yield _call(client, "sqs", "change_message_visibility", **hide | {"QueueUrl": missing}, VisibilityTimeout=1)
    yield _call(client, "sqs", "change_message_visibility", **hide, VisibilityTimeout=30)
    yield _call(client, "sqs", "receive_message", QueueUrl=url, AttributeNames=["All"])
    yield _call(client, "sqs", "change_message_visibility", **hide, VisibilityTimeout=0)
    yield _call(client, "sqs", "receive_message", QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=1)
    yield _call(client, "sqs", "delete_queue", QueueUrl=url)
    yield _call(client, "sqs", "change_message_visibility", **hide, VisibilityTimeout=0)


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
    for payload in ('{"n": 1}', '{"bad": true}', "[1]", '"text"'):
        yield _call(client, "lambda", "invoke", FunctionName="same", Payload=payload)
    yield _call(client, "lambda", "invoke", FunctionName="missing", Payload="{}")
    yield _call(client, "lambda", "invoke", FunctionName="same", Payload="{}", InvocationType="DryRun")
    yield _call(client, "logs", "describe_log_groups", logGroupNamePrefix="/aws/lambda/missing")
    yield _call(client, "lambda", "delete_function", FunctionName="same")


def _log_calls(client: Client) -> Iterator[Any]:
    group = {"logGroupName": "same-logs"}
    yield _call(client, "logs", "create_log_group", **group)
    now_ms = int(time.time() * 1000)
    for stream, steps in (("a", (0, 10, 20)), ("b", (5, 15, 15, 30))):
        yield _call(client, "logs", "create_log_stream", **group, logStreamName=stream)
        lines = [{"timestamp": now_ms + step, "message": f"{stream} {n} ü"} for n, step in enumerate(steps)]
        yield _call(client, "logs", "put_log_events", **group, logStreamName=stream, logEvents=lines)
        yield _call(client, "logs", "get_log_events", **group, logStreamName=stream, limit=2, startFromHead=True)
    # Of one stream: stock gives stream after stream, obeys no pattern, and takes any token for the end.
    for window in (
        {},
        {"startTime": now_ms + 10},
        {"startTime": now_ms + 10, "endTime": now_ms + 15},
        {"endTime": now_ms - 1},
        {"limit": 3},
        {"limit": 10_001},
        {"logStreamNames": ["a"]},
        {"logGroupName": "missing"},
    ):
        asked = {**group, "logStreamNames": ["b"], **window}
        yield _without_event_ids(_call(client, "logs", "filter_log_events", **asked))
    one = {**group, "logStreamNames": ["b"], "limit": 3}
    page = client("logs").filter_log_events(**one)
    yield _without_event_ids(_call(client, "logs", "filter_log_events", **one, nextToken=page["nextToken"]))
    yield _call(client, "logs", "describe_log_streams", **group)
    yield _call(client, "logs", "delete_log_group", **group)


def _without_event_ids(answer: Any) -> Any:
    """Both count the lines of all groups, of which they have not the same number; tokens are of one's own kind.

    The list of streams that were searched is empty on AWS.
    """
    for line in answer.get("events", []):
        del line["eventId"]
    kept = {name: value for name, value in answer.items() if name != "searchedLogStreams"}
    return {name: "*" if name == "nextToken" else value for name, value in kept.items()}


def _table_calls(client: Client) -> Iterator[Any]:
    client("dynamodb").create_table(  # described as DynamoDB does, not as moto
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


ECHO = """
import json
def handler(event, context):
    if event["path"].endswith("/bad"):
        raise KeyError("k")
    headers = {"X-Own": "1", "Content-Type": "application/json; charset=utf-8"}
    return {"statusCode": 201, "headers": headers, "body": json.dumps(event, sort_keys=True)}
"""


def _deployed_api(client: Client) -> str:
    """An API whose function answers with the event that it got; its address."""
    code = {"ZipFile": bundle({"app.py": ECHO})}
    client("lambda").create_function(
        FunctionName="echo", Runtime="python3.13", Role=ROLE, Handler="app.handler", Code=code
    )
    client("lambda").get_waiter("function_active_v2").wait(FunctionName="echo")
    arn = client("lambda").get_function(FunctionName="echo")["Configuration"]["FunctionArn"]
    api = client("apigateway")
    api_id = api.create_rest_api(name="same")["id"]
    root = api.get_resources(restApiId=api_id)["items"][0]["id"]
    resource = api.create_resource(restApiId=api_id, parentId=root, pathPart="{proxy+}")["id"]
    where = {"restApiId": api_id, "resourceId": resource}
    api.put_method(**where, httpMethod="ANY", authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    api.put_integration(**where, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    api.create_deployment(restApiId=api_id, stageName="live")
    return f"{api.meta.endpoint_url}/_aws/execute-api/{api_id}"


def _api_calls(client: Client) -> Iterator[Any]:
    url = _deployed_api(client)
    requests: list[tuple[str, str, bytes | None, dict[str, str]]] = [
        ("GET", "/live/tasks", None, {}),
        ("GET", "/live/tasks/a%2Fb%20c?n=1&n=2&e=%C3%A9", None, {"X-Two": "a, b", "Accept": "text/plain"}),
        ("POST", "/live/tasks", '{"é": 1}'.encode(), {"Content-Type": "application/json"}),
        ("POST", "/live/tasks", b"\xff\x00", {"Content-Type": "application/octet-stream"}),
        ("POST", "/live/tasks", b"", {"X-Amzn-Trace-Id": "Root=1-67e55044-0123456789abcdef01234567;Sampled=1"}),
        ("DELETE", "/live//tasks/", None, {}),
        ("PATCH", "/live/tasks", b"x", {"Origin": "https://example.com"}),
        ("GET", "/live/tasks", None, {"Referer": "https://example.com"}),
        ("GET", "/live/bad", None, {}),
        ("GET", "/live/", None, {}),
        ("GET", "/live", None, {}),
        ("GET", "/other/tasks", None, {}),
        ("HEAD", "/live/tasks", None, {}),
        ("OPTIONS", "/live/tasks", None, {}),
    ]
    for method, path, body, headers in requests:
        yield _request(method, url + path, body, headers)
    yield _request("GET", url.rpartition("/")[0] + "/missing/live/tasks", None, {})


MADE_EACH_TIME = re.compile(
    r'Root=[^;,"\\]+|Parent=\w+|execute-api/\w+|AmazonAPIGateway_\w+|Forwarded-Port\W+\d+|id .\w{10}. does not'
)
OWN_IDS = {"apiId", "deploymentId", "extendedRequestId", "requestId", "requestTime", "requestTimeEpoch", "resourceId"}
TOLD_APART = {"x-amzn-requestid", "x-amz-apigw-id", "x-localstack", "content-length", "date"}
"""Ids, LocalStack's own mark, and the length, which follows those of the ids."""


def _request(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Any:
    """Status, headers and body of the answer, without what differs between any two."""
    host = urlsplit(url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=30)
    connection.request(method, url.removeprefix(f"http://{host.netloc}"), body, {"Connection": "close", **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    kept = sorted((name.lower(), value) for name, value in answer.getheaders() if name.lower() not in TOLD_APART)
    with contextlib.suppress(ValueError):  # an answer without JSON is compared as it is
        text = json.dumps(_without_ids(json.loads(text)))
    return answer.status, MADE_EACH_TIME.sub("*", VOLATILE.sub("*", f"{kept} {text}"))


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(item) for name, item in value.items() if name not in OWN_IDS}
    return value


@pytest.mark.parametrize(
    "calls",
    [_queue_calls, _message_calls, _function_calls, _log_calls, _table_calls, _api_calls],
    ids=lambda calls: calls.__name__,
)
def test_answers_are_those_of_stock_localstack(
    emulator: Emulator, stock: Emulator, calls: Callable[[Client], Iterator[Any]]
) -> None:
    """The same calls get the same answers and the same errors, with and without patches and fast path."""
    ours = list(calls(lambda service: make_client(emulator, service)))
    theirs = list(calls(lambda service: make_client(stock, service)))

    assert theirs == ours
