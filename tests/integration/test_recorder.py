"""What the emulator records of mappings, functions and requests, against what it did."""

import json
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from botocore.exceptions import ClientError

from dlqlab.contracts.recorded import FOLDER, LEAVES, STATUS_PATH, Kind
from dlqlab.contracts.recording import Recording
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.reader import read
from dlqlab.waiting import DeadlinePassedError, wait_for
from tests.integration.conftest import ROLE, Deployed, FunctionFactory, queue_arn

pytestmark = pytest.mark.integration

Rows = list[dict[str, Any]]

CONSUMER = """
    import json, os, boto3

    sqs, table = boto3.client("sqs"), boto3.client("dynamodb")

    def handler(event, context):
        failures = []
        for record in event["Records"]:
            body = json.loads(record["body"])
            if body["do"] in {"crash", "raise", "report"}:
                sqs.change_message_visibility(
                    QueueUrl=body["own"], ReceiptHandle=record["receiptHandle"], VisibilityTimeout=1
                )
            if body["do"] == "crash":
                os._exit(3)
            if body["do"] == "raise":
                raise ValueError("on purpose")
            if body["do"] == "report":
                failures.append({"itemIdentifier": record["messageId"]})
            if body["do"] == "send":
                sqs.send_message(QueueUrl=body["to"], MessageBody="from " + record["messageId"])
            if body["do"] == "delete":
                sqs.delete_message(QueueUrl=body["own"], ReceiptHandle=record["receiptHandle"])
        return {"batchItemFailures": failures}
"""


def recording(emulator: Emulator) -> Recording:
    """What has happened up to now."""
    with urllib.request.urlopen(emulator.endpoint + STATUS_PATH, timeout=30) as answer:
        state = json.load(answer)
    assert (True, {}) == (state["flushed"], state["lost"])
    assert Path(state["folder"]) == Path(emulator.state) / FOLDER
    return read(Path(state["folder"]))


def of_queue(record: Recording, arn: str) -> Rows:
    rows: Rows = record.messages.filter(pc.equal(record.messages["queue"], arn)).to_pylist()
    return rows


def of_function(table: Any, name: str) -> Rows:
    rows: Rows = table.filter(pc.equal(table["function"], name)).to_pylist()
    return rows


def by_message(rows: Rows) -> dict[str, list[str]]:
    """The kinds of each message, in order."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["message_id"], []).append(row["kind"])
    return found


@pytest.fixture
def mapped(
    aws: Callable[[str], Any], make_function: FunctionFactory, make_queue: Callable[..., str], cleanups: ExitStack
) -> Callable[..., tuple[str, str, str]]:
    """Makes a queue that moves after two receives, with a mapping; its URL, dead-letter queue and function."""

    def make(*, is_fifo: bool = False, batch: int = 1, **options: Any) -> tuple[str, str, str]:
        dead = make_queue(is_fifo=is_fifo)
        policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 2})
        url = make_queue(is_fifo=is_fifo, VisibilityTimeout="60", RedrivePolicy=policy)
        function = make_function(CONSUMER, Timeout=30)
        mapping = aws("lambda").create_event_source_mapping(
            EventSourceArn=queue_arn(aws, url),
            FunctionName=function.name,
            BatchSize=batch,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **options,
        )
        cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping["UUID"])
        return url, dead, function.name

    return make


def wait_until_empty(emulator: Emulator, aws: Callable[[str], Any], url: str) -> None:
    """Wait for the queue, also for a whole visibility timeout; where messages stay, say what the record has of them."""
    names = ("", "NotVisible", "Delayed")

    def probe() -> tuple[bool, int]:
        found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        left = sum(int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
        return not left, left

    try:
        wait_for("an empty queue", probe, deadline_s=180, interval_s=0.2)
    except DeadlinePassedError as error:
        raise AssertionError(f"{error}\n{unfinished(recording(emulator), queue_arn(aws, url))}") from error


def unfinished(record: Recording, arn: str) -> str:
    """The rows of the messages that stay in a queue, and of the invocations that had them."""
    rows = of_queue(record, arn)
    left = {row["message_id"] for row in rows} - {row["message_id"] for row in rows if row["kind"] in LEAVES}
    invocations = [one for one in record.invocations.to_pylist() if left & set(one["message_ids"] or ())]
    shown = [row for row in rows if row["message_id"] in left] + invocations
    return "\n".join(str({name: value for name, value in row.items() if value is not None}) for row in shown)


def settled(emulator: Emulator, function: str, arn: str, dead_arn: str) -> Recording:
    """The record once nothing is under way any more, which an empty queue does not say.

    A message leaves its queue before it enters the dead-letter queue; one that its function deletes or hides leaves
    while the invocation still runs, and its mapping deletes it afterwards once more.
    """

    def probe() -> tuple[bool, Recording]:
        record = recording(emulator)
        rows, invocations = of_queue(record, arn), of_function(record.invocations, function)
        moved = [row for row in rows if row["kind"] == Kind.MOVED]
        entered = [row for row in of_queue(record, dead_arn) if row["kind"] == Kind.SENT]
        deletes = Counter(row["actor_kind"] for row in rows if row["kind"] in {Kind.DELETED, Kind.NOT_DELETED})
        done = [one for one in invocations if one["outcome"] == "ok" and not one["failed_ids"]]
        is_over = all(one["ended_ts"] is not None for one in invocations)
        return is_over and len(moved) == len(entered) and deletes["mapping"] >= len(done), record

    return wait_for("the ends of invocations and moves", probe, deadline_s=60, interval_s=0.2)


def send(aws: Callable[[str], Any], url: str, bodies: list[dict[str, str]], **options: Any) -> list[str]:
    """Ids of the messages."""
    return [
        aws("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(body), **options)["MessageId"] for body in bodies
    ]


_FAILED = ["sent", "received", "hidden", "returned", "received", "hidden", "returned", "moved"]
FATES = {
    "nothing": ["sent", "received", "deleted"],
    "send": ["sent", "received", "deleted"],
    "raise": _FAILED,
    "crash": _FAILED,
    "report": _FAILED,
    "delete": ["sent", "received", "deleted", "not_deleted"],
}
"""By what the function does with a message: all that happens to it in its queue, at batch size 1."""


def test_mappings_with_failing_and_crashing_functions(
    emulator: Emulator, aws: Callable[[str], Any], mapped: Any, make_queue: Callable[..., str]
) -> None:
    """Every event of every message, who did it, the invocations behind it, and no other row."""
    target = make_queue()
    url, dead, function = mapped()
    arn, each = queue_arn(aws, url), 3
    ids = {do: send(aws, url, [{"do": do, "to": target, "own": url}] * each) for do in FATES}
    wait_until_empty(emulator, aws, url)
    record = settled(emulator, function, arn, queue_arn(aws, dead))
    rows, invocations = of_queue(record, arn), of_function(record.invocations, function)

    fates = by_message(rows)
    assert {message_id: FATES[do] for do, some in ids.items() for message_id in some} == fates
    receives = [(row["message_id"], row["receive_count"]) for row in rows if row["kind"] == Kind.RECEIVED]
    assert Counter(message_id for message_id, _ in receives) == Counter(
        message_id for one in invocations for message_id in one["message_ids"]
    )
    outcomes = {"crash": "crash", "raise": "error"}
    for do, some in ids.items():
        seen = [one for one in invocations if one["message_ids"][0] in some]
        assert {(outcomes.get(do, "ok"), "mapping", arn, True)} == {
            (one["outcome"], one["source"], one["source_arn"], one["reports_failures"]) for one in seen
        }
        assert all(one["failed_ids"] == (one["message_ids"] if "moved" in FATES[do] else []) for one in seen)
        assert all(one["started_ts"] < one["ended_ts"] and one["environment"] for one in seen)
    (error,) = {(one["error_type"], one["error_message"]) for one in invocations if one["outcome"] == "error"}
    assert ("ValueError", "on purpose") == error
    check_actors(rows, invocations, function)
    check_dead_letters(of_queue(record, queue_arn(aws, dead)), rows, arn)
    check_sent_by_function(record, queue_arn(aws, target), ids["send"], function)


def check_actors(rows: Rows, invocations: Rows, function: str) -> None:
    had = {(one["message_ids"][0], one["request_id"]) for one in invocations}
    for row in rows:
        who = row["actor_kind"], row["kind"]
        if who in {("invocation", "hidden"), ("invocation", "deleted")}:
            assert (row["message_id"], row["request_id"]) in had
            assert function == row["actor"]
        elif who in {("mapping", "deleted"), ("mapping", "not_deleted")}:
            assert (row["message_id"], row["request_id"]) in had
        else:
            assert who in {
                ("client", "sent"),
                ("mapping", "received"),
                ("mapping", "moved"),
                ("service", "returned"),
            }


def check_dead_letters(dead: Rows, rows: Rows, source_arn: str) -> None:
    moved = [row["message_id"] for row in rows if row["kind"] == Kind.MOVED]
    assert sorted(moved) == sorted(row["message_id"] for row in dead)
    assert {("sent", "service", source_arn)} == {(row["kind"], row["actor_kind"], row["actor"]) for row in dead}
    assert all(row["parent_ids"] == [row["message_id"]] for row in dead)


def check_sent_by_function(record: Recording, target_arn: str, parents: list[str], function: str) -> None:
    sent = of_queue(record, target_arn)
    assert sorted(parents) == sorted(parent for row in sent for parent in row["parent_ids"])
    assert {("sent", "invocation", function)} == {(row["kind"], row["actor_kind"], row["actor"]) for row in sent}
    bodies = {row["body_sha256"]: row["body"] for row in record.bodies.to_pylist()}
    assert {f"from {row['parent_ids'][0]}" for row in sent} == {bodies[row["body_sha256"]] for row in sent}
    calls = [(one["operation"], one["status"]) for one in of_function(record.calls, function)]
    assert len(parents) == calls.count(("SendMessage", 200))


def test_batches_of_a_fifo_queue_with_filters(emulator: Emulator, aws: Callable[[str], Any], mapped: Any) -> None:
    """What no filter matches leaves as filtered, unseen by any function; a batch fails for one of its records."""
    pattern = json.dumps({"body": {"for": ["me"]}})
    url, _, function = mapped(is_fifo=True, batch=5, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    bodies = [{"do": "nothing", "for": who, "n": str(n)} for n in range(4) for who in ("me", "you")]
    mine = []
    for body in bodies:
        (message_id,) = send(aws, url, [body], MessageGroupId=body["for"])
        mine += [message_id] if body["for"] == "me" else []
    send(aws, url, bodies[:1], MessageGroupId="me")  # which adds nothing
    wait_until_empty(emulator, aws, url)
    record = recording(emulator)
    rows, invocations = of_queue(record, queue_arn(aws, url)), of_function(record.invocations, function)

    ends = Counter(row["kind"] for row in rows)
    assert Counter(sent=8, received=8, deleted=4, filtered=4, deduplicated=1) == ends
    assert sorted(mine) == sorted(row["message_id"] for row in rows if row["kind"] == Kind.DELETED)
    assert mine == [message_id for one in invocations for message_id in one["message_ids"]]
    assert {"me", "you"} == {row["group_id"] for row in rows if row["kind"] == Kind.RECEIVED}


def test_pipe_and_stream_are_named_as_who_acts(
    emulator: Emulator, aws: Callable[[str], Any], make_queue: Any, make_function: FunctionFactory, cleanups: ExitStack
) -> None:
    """A pipe receives, deletes and sends as a service; an invocation by a stream has the stream as its source."""
    source, target, name = make_queue(), make_queue(), f"p-{uuid.uuid4().hex[:8]}"
    pipe = aws("pipes").create_pipe(
        Name=name, Source=queue_arn(aws, source), Target=queue_arn(aws, target), RoleArn=ROLE
    )["Arn"]
    cleanups.callback(aws("pipes").delete_pipe, Name=name)
    aws("kinesis").create_stream(StreamName=name, ShardCount=1)
    cleanups.callback(aws("kinesis").delete_stream, StreamName=name)
    aws("kinesis").put_record(StreamName=name, Data=b"a", PartitionKey="a")
    table = aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )["TableDescription"]
    cleanups.callback(aws("dynamodb").delete_table, TableName=name)
    function = make_function("def handler(event, context): pass")
    streams = [table["LatestStreamArn"], f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"]
    for stream in streams:
        mapping = aws("lambda").create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=stream, StartingPosition="TRIM_HORIZON"
        )["UUID"]
        cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping)
    aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "a"}})
    send(aws, source, [{"n": "1"}])
    wait_until_empty(emulator, aws, source)

    def probe() -> tuple[bool, Any]:
        record = recording(emulator)
        return len(of_function(record.invocations, function.name)) == len(streams), record

    record = wait_for("the invocations by the streams", probe, deadline_s=20)
    invocations = of_function(record.invocations, function.name)
    assert {(one["source"], one["source_arn"]) for one in invocations} == {("mapping", stream) for stream in streams}
    acted = {
        (row["kind"], row["actor_kind"], row["actor"])
        for url in (source, target)
        for row in of_queue(record, queue_arn(aws, url))
        if row["actor_kind"] != "client"
    }
    assert acted == {(kind, "service", f"pipes {pipe}") for kind in (Kind.RECEIVED, Kind.DELETED, Kind.SENT)}


def test_request_of_a_client_is_followed_to_its_message(emulator: Emulator, deployed: Deployed) -> None:
    """The client's request id leads to the API's invocation, this to its calls and to the message that it sent."""
    task_id, request_id = f"task-{uuid.uuid4().hex[:8]}", f"client-{uuid.uuid4().hex[:8]}"
    request = urllib.request.Request(
        f"{deployed.url}/tasks",
        data=json.dumps({"taskId": task_id, "payload": "SUCCESS"}).encode(),
        headers={"Content-Type": "application/json", "X-Request-Id": request_id},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert 202 == answer.status
    deployed.wait_terminal([task_id])
    record = recording(emulator)
    calls, invocations = record.calls.to_pylist(), record.invocations.to_pylist()

    (http,) = (one for one in calls if one["request_id"] == request_id)
    assert ("execute-api", "POST", 202, "client") == tuple(
        http[name] for name in ("service", "operation", "status", "actor_kind")
    )
    (api,) = (one for one in invocations if one["client_request_id"] == request_id)
    assert ("api gateway", "ok") == (api["source"], api["outcome"])
    assert http["ts"] <= api["started_ts"] <= api["ended_ts"] <= http["ts"] + http["duration_s"]
    (sent,) = (
        row
        for row in record.messages.to_pylist()
        if row["kind"] == Kind.SENT and row["request_id"] == api["request_id"]
    )
    assert task_id in {row["body_sha256"]: row["body"] for row in record.bodies.to_pylist()}[sent["body_sha256"]]
    worked = [one for one in invocations if sent["message_id"] in (one["message_ids"] or ())]
    effects = [
        one
        for one in calls
        if one["service"] == "dynamodb" and one["request_id"] in {each["request_id"] for each in worked}
    ]
    assert worked
    assert {json.dumps({"taskId": {"S": task_id}}, separators=(",", ":"))} <= {one["item_key"] for one in effects}


def test_messages_that_services_send(
    emulator: Emulator, aws: Callable[[str], Any], make_queue: Callable[..., str], cleanups: ExitStack
) -> None:
    """Messages of a rule, a schedule, a bucket and a REST API are theirs; the API's has the client's request id."""
    url, unique = make_queue(), uuid.uuid4().hex[:8]
    arn = queue_arn(aws, url)
    rule = put_event(aws, cleanups, f"rule-{unique}", arn)
    bucket = put_object(aws, cleanups, f"bucket-{unique}", arn)
    api = post_to_api(aws, cleanups, emulator, f"api-{unique}", arn)
    schedule = make_schedule(aws, cleanups, f"schedule-{unique}", arn)
    by_query = urllib.request.Request(
        f"{emulator.endpoint}/000000000000/{arn.rpartition(':')[2]}",
        data=b"Action=SendMessage&MessageBody=query",
        headers={"User-Agent": "old SDK", "X-Request-Id": "query-1", **signed("sqs")},
    )
    with urllib.request.urlopen(by_query, timeout=30) as answer:
        assert 200 == answer.status
    names = {f"events {rule}", f"s3 {bucket}", f"apigateway {api}", f"scheduler {schedule}", "old SDK"}

    def probe() -> tuple[bool, Any]:
        rows = of_queue(recording(emulator), arn)
        return names <= {row["actor"] for row in rows}, rows

    rows = wait_for("messages of each service", probe, deadline_s=60, interval_s=0.3)
    assert {"sent"} == {row["kind"] for row in rows}
    ids = {row["actor"]: (row["actor_kind"], row["request_id"]) for row in rows}
    assert ("service", f"request of api-{unique}") == ids[f"apigateway {api}"]
    assert ("client", "query-1") == ids["old SDK"]
    calls = [one for one in recording(emulator).calls.to_pylist() if one["request_id"] == "query-1"]
    assert [("SendMessage", 200, "old SDK")] == [(one["operation"], one["status"], one["actor"]) for one in calls]


def signed(service: str) -> dict[str, str]:
    scope = f"test/20260101/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def put_event(aws: Callable[[str], Any], cleanups: ExitStack, name: str, target: str) -> str:
    """By a rule, whose ARN is returned."""
    events = aws("events")
    arn = str(events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))["RuleArn"])
    cleanups.callback(events.delete_rule, Name=name)
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target}])
    cleanups.callback(events.remove_targets, Rule=name, Ids=["1"])
    events.put_events(Entries=[{"Source": name, "DetailType": "test", "Detail": "{}"}])
    return arn


def make_schedule(aws: Callable[[str], Any], cleanups: ExitStack, name: str, target: str) -> str:
    """Due at once; its ARN."""
    scheduler = aws("scheduler")
    arn = scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": ROLE},
    )["ScheduleArn"]
    cleanups.callback(scheduler.delete_schedule, Name=name)
    return str(arn)


def put_object(aws: Callable[[str], Any], cleanups: ExitStack, name: str, target: str) -> str:
    """Into a bucket that notifies; its ARN."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=name)
    cleanups.callback(s3.delete_bucket, Bucket=name)
    notification = {"QueueConfigurations": [{"QueueArn": target, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notification)
    s3.put_object(Bucket=name, Key="key", Body=b"")
    cleanups.callback(s3.delete_object, Bucket=name, Key="key")
    return f"arn:aws:s3:::{name}"


def post_to_api(aws: Callable[[str], Any], cleanups: ExitStack, emulator: Emulator, name: str, target: str) -> str:
    """To a REST API that sends by itself; the ARN of its method."""
    client = aws("apigateway")
    api_id = client.create_rest_api(name=name)["id"]
    cleanups.callback(client.delete_rest_api, restApiId=api_id)
    place = {
        "restApiId": api_id,
        "resourceId": client.get_resources(restApiId=api_id)["items"][0]["id"],
        "httpMethod": "POST",
    }
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(
        **place,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:sqs:path/000000000000/{target.rpartition(':')[2]}",
        requestParameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
        requestTemplates={"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
    )
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api_id, stageName="dev")
    request = urllib.request.Request(
        f"{emulator.endpoint}/_aws/execute-api/{api_id}/dev/",
        data=b"{}",
        headers={"Content-Type": "application/json", "X-Request-Id": f"request of {name}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert 200 == answer.status
    return f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/dev/POST/"


def test_how_invocations_end_and_who_asked(
    emulator: Emulator, aws: Callable[[str], Any], make_function: FunctionFactory
) -> None:
    """Outcomes of all kinds; an invocation by a function leads to the caller's, one by a client to its call."""
    inner = make_function(
        """
        import os, time

        def handler(event, context):
            if event.get("do") == "sleep":
                time.sleep(30)
            if event.get("do") == "die":
                os._exit(1)
            if event.get("do") == "raise":
                raise RuntimeError("x" * 2000)
    """,
        Timeout=2,
    )
    outer = make_function(
        f"""
        import boto3

        def handler(event, context):
            boto3.client("lambda").invoke(FunctionName="{inner.name}")
            boto3.client("lambda").invoke(FunctionName="{inner.name}", InvocationType="Event")
    """,
        Timeout=30,
    )
    broken = make_function("raise ImportError('not today')", Timeout=10)
    for do in ("sleep", "die", "raise"):
        assert inner.invoke({"do": do}).error
    assert outer.invoke().error is None
    assert broken.invoke().error
    aws("lambda").put_function_concurrency(FunctionName=broken.name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="Rate Exceeded"):
        broken.invoke()

    def probe() -> tuple[bool, Any]:
        rows = [row for one in (inner, outer, broken) for row in of_function(recording(emulator).invocations, one.name)]
        return len(rows) == 8 and all(row["outcome"] for row in rows), rows

    rows = wait_for("the asynchronous invocation", probe, deadline_s=60, interval_s=0.3)
    by_function = {one.name: [row for row in rows if row["function"] == one.name] for one in (inner, outer, broken)}
    (caller,) = by_function[outer.name]
    assert [
        ("timeout", "client"), ("crash", "client"), ("error", "client"), ("ok", "invocation"), ("ok", "invocation"),
    ] == [(row["outcome"], row["source"]) for row in by_function[inner.name]]  # fmt: skip
    assert [caller["request_id"]] * 2 == [row["client_request_id"] for row in by_function[inner.name][3:]]
    assert ["init_error", "throttled"] == [row["outcome"] for row in by_function[broken.name]]
    assert all(row["duration_s"] is None for row in by_function[broken.name])
    assert "Sandbox.Timedout" == by_function[inner.name][0]["error_type"]
    assert 1000 == len(by_function[inner.name][2]["error_message"])
    assert by_function[inner.name][0]["init_s"] > 0
    assert all(row["message_ids"] is None for row in rows)
    calls = [row for row in recording(emulator).calls.to_pylist() if row["request_id"] == caller["request_id"]]
    assert [("lambda", "Invoke", inner.name, outer.name)] * 2 == [
        (row["service"], row["operation"], row["resource"], row["function"]) for row in calls
    ]


def test_entries_of_a_batch_that_were_refused(
    emulator: Emulator, aws: Callable[[str], Any], make_queue: Callable[..., str]
) -> None:
    """The call has status 200; the code of the first entry that was not taken stands beside it."""
    queue = make_queue(MaximumMessageSize="1024")
    entries = [{"Id": "short", "MessageBody": "x"}, {"Id": "long", "MessageBody": "x" * 2_000}]
    answer = aws("sqs").send_message_batch(QueueUrl=queue, Entries=entries)
    aws("sqs").send_message_batch(QueueUrl=queue, Entries=entries[:1])

    rows = [row for row in recording(emulator).calls.to_pylist() if row["resource"] == queue]
    assert [one["Code"] for one in answer["Failed"]] == ["InvalidParameterValue"]
    found = [(row["status"], row["error_code"]) for row in rows if row["operation"] == "SendMessageBatch"]
    assert found == [(200, "InvalidParameterValue"), (200, None)]


def test_answer_that_only_holds_such_words(emulator: Emulator, make_function: FunctionFactory) -> None:
    """What a function answers is no word of the service's: the call was served."""
    code = f"Mine{uuid.uuid4().hex[:8]}"
    function = make_function(f"def handler(event, context): return {{'Failed': [{{'Code': '{code}'}}]}}")
    assert function.invoke().payload == {"Failed": [{"Code": code}]}

    rows = [row for row in recording(emulator).calls.to_pylist() if row["service"] == "lambda"]
    assert {200} <= {row["status"] for row in rows}
    assert code not in {row["error_code"] for row in rows}
