"""Event source mappings of SQS queues: what reaches the function, what is refused, and what no trouble may do."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, DeployedFunction, FunctionFactory, bundle, queue_arn, read_log

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
MakeQueue = Callable[..., str]
PRINTS = """
    import json
    def handler(event, context):
        print(json.dumps(event))
    """
COUNTS = """
    import json, time
    def handler(event, context):
        records = event['Records']
        print(json.dumps({
            'began': time.time(),
            'bodies': [record['body'][:20] for record in records],
            'bytes': len(json.dumps(event)),
            'counts': [record['attributes']['ApproximateReceiveCount'] for record in records],
            'groups': [record['attributes'].get('MessageGroupId') for record in records],
        }))
        time.sleep(SLEEP_S)
        print(json.dumps({'ended': time.time()}))
    """


def _map(aws: Aws, cleanups: ExitStack, function: str, url: str, **options: Any) -> str:
    mapping = aws("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=queue_arn(aws, url), **options
    )
    found: str = mapping["UUID"]

    def remove() -> None:
        with suppress(aws("lambda").exceptions.ResourceNotFoundException):  # the test may have done so
            aws("lambda").delete_event_source_mapping(UUID=found)

    cleanups.callback(remove)
    return found


def _printed(aws: Aws, function: DeployedFunction) -> list[dict[str, Any]]:
    """What the function has printed as JSON so far."""
    try:
        texts = [event["message"] for event in read_log(aws, function.name)]
    except aws("logs").exceptions.ResourceNotFoundException:
        return []
    return [json.loads(text) for text in texts if text.startswith("{")]


def _wait_printed(
    aws: Aws, function: DeployedFunction, key: str, is_enough: Callable[[list[Any]], bool], deadline_s: float = 30
) -> list[Any]:
    """The values that the function has printed under a key, once they are enough."""

    def probe() -> tuple[bool, list[Any]]:
        found = [printed[key] for printed in _printed(aws, function) if key in printed]
        return is_enough(found), found

    found: list[Any] = wait_for(f"what {function.name} prints", probe, deadline_s=deadline_s)
    return found


def _left(aws: Aws, url: str) -> tuple[int, int]:
    """Messages that are visible and that are in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def _wait_left(aws: Aws, url: str, expected: tuple[int, int], deadline_s: float = 30) -> None:
    def probe() -> tuple[bool, tuple[int, int]]:
        found = _left(aws, url)
        return found == expected, found

    wait_for(f"{expected} messages visible and in flight", probe, deadline_s=deadline_s)


def _send(aws: Aws, url: str, *bodies: str, **more: Any) -> None:
    for start in range(0, len(bodies), 10):
        part = bodies[start : start + 10]
        entries = [{"Id": str(number), "MessageBody": body, **more} for number, body in enumerate(part)]
        assert not aws("sqs").send_message_batch(QueueUrl=url, Entries=entries).get("Failed")


BODY = '{"price": 1.10, "price": 1.10, "n": 1e2, "s": "\\u00fc \U0001f600"}'
ATTRIBUTES: dict[str, Any] = {
    "text": {"DataType": "String", "StringValue": "grün \U0001f600"},
    "number": {"DataType": "Number", "StringValue": "12.50"},
    "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x10"},
    "gif": {"DataType": "Binary.gif", "BinaryValue": b"GIF89a"},
}
LISTS: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
DOCUMENTED = {
    "text": LISTS | {"stringValue": "grün \U0001f600", "dataType": "String"},
    "number": LISTS | {"stringValue": "12.50", "dataType": "Number"},
    "raw": LISTS | {"binaryValue": "AP8Q", "dataType": "Binary"},
    "gif": LISTS | {"binaryValue": "R0lGODlh", "dataType": "Binary.gif"},
}
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"


@pytest.mark.parametrize("is_fifo", [False, True], ids=["standard", "fifo"])
def test_message_reaches_the_function_as_documented(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue, is_fifo: bool
) -> None:
    """Every kind of attribute and the body, byte for byte, with and without a filter; nine plain ones come with it."""
    filters = {"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"price": [{"numeric": ["=", 1.1]}]}}'}]}}
    runs = []
    for options in ({}, filters):
        function, url = make_function(PRINTS), make_queue(is_fifo=is_fifo)
        group = {"MessageGroupId": "g"} if is_fifo else {}
        _send(aws, url, *[f'{{"price": 1.1, "n": {number}}}' for number in range(9)], **group)
        trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}
        sent = aws("sqs").send_message(
            QueueUrl=url, MessageBody=BODY, MessageAttributes=ATTRIBUTES, MessageSystemAttributes=trace, **group
        )
        _map(aws, cleanups, function.name, url, **options)
        runs.append((function, url, sent))
    for function, url, sent in runs:
        _wait_left(aws, url, (0, 0))
        batches = _wait_printed(aws, function, "Records", lambda found: sum(map(len, found)) == 10)
        record = next(one for batch in batches for one in batch if one["messageId"] == sent["MessageId"])
        assert (BODY, DOCUMENTED) == (record["body"], record["messageAttributes"])
        assert (hashlib.md5(BODY.encode()).hexdigest(), sent["MD5OfMessageAttributes"]) == (
            record["md5OfBody"],
            record["md5OfMessageAttributes"],
        )
        system = record["attributes"]
        assert (TRACE, "1", is_fifo) == (
            system["AWSTraceHeader"],
            system["ApproximateReceiveCount"],
            {"MessageGroupId", "MessageDeduplicationId", "SequenceNumber"} <= system.keys(),
        )


def test_trace_header_that_http_cannot_carry_harms_nothing(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue
) -> None:
    """A line break in a header of X-Ray reaches the function as an attribute, and no runtime."""
    function, url = make_function(PRINTS), make_queue()
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3\r\nLambda-Runtime-Deadline-Ms: 0\r\n"}}
    aws("sqs").send_message(QueueUrl=url, MessageBody="x", MessageSystemAttributes=trace)
    _map(aws, cleanups, function.name, url)
    _wait_left(aws, url, (0, 0))
    (records,) = _wait_printed(aws, function, "Records", bool)

    assert trace["AWSTraceHeader"]["StringValue"] == records[0]["attributes"]["AWSTraceHeader"]


def test_filters_keep_what_matches_and_delete_the_rest(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue
) -> None:
    """Several filters are alternatives; text and JSON bodies are matched by patterns of their own format only."""
    function, url = make_function(COUNTS.replace("SLEEP_S", "0")), make_queue()
    patterns = [{"body": {"gone": [{"exists": False}], "n": [1.10]}}, {"body": [{"prefix": "yes"}]}]
    filters = [{"Pattern": json.dumps(pattern)} for pattern in patterns]
    matching = ['{"n": 1.1}', '{"n":1.10}', "yes, text"]
    other = ["no, text", '{"n": 2}', '{"gone": 1, "n": 1.1}', '"yes"', "{}"]
    _send(aws, url, *matching, *other)
    _map(aws, cleanups, function.name, url, FilterCriteria={"Filters": filters})
    _wait_left(aws, url, (0, 0))
    bodies = _wait_printed(aws, function, "bodies", lambda found: sum(map(len, found)) >= len(matching))

    assert sorted(matching) == sorted(body for batch in bodies for body in batch)


def test_batch_never_exceeds_six_megabytes(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue
) -> None:
    """Ten messages of 1 MB each need two batches; those of the second have been received once, like the first."""
    function, url = make_function(COUNTS.replace("SLEEP_S", "0"), MemorySize=512), make_queue()
    for number in range(10):
        _send(aws, url, f"{number}" + "x" * 1_000_000)
    _map(aws, cleanups, function.name, url)
    _wait_left(aws, url, (0, 0), deadline_s=60)
    counts = _wait_printed(aws, function, "counts", lambda found: sum(map(len, found)) >= 10)
    sizes = _wait_printed(aws, function, "bytes", lambda found: len(found) == len(counts))

    assert ["1"] * 10 == [count for batch in counts for count in batch]
    assert max(sizes) <= 6 * 1024 * 1024


def test_window_gathers_for_the_mapping(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue
) -> None:
    """A batch that is not full goes after its window, a full one at once, and what a disabled mapping had stays."""
    source = COUNTS.replace("SLEEP_S", "0")
    waiting, full, stopped = [(make_function(source), make_queue(VisibilityTimeout="600")) for _ in range(3)]
    _map(aws, cleanups, waiting[0].name, waiting[1], MaximumBatchingWindowInSeconds=2)
    _map(aws, cleanups, full[0].name, full[1], MaximumBatchingWindowInSeconds=300, BatchSize=4)
    mapping = _map(aws, cleanups, stopped[0].name, stopped[1], MaximumBatchingWindowInSeconds=300)
    sent = time.time()
    for _, url in (waiting, full, stopped):
        _send(aws, url, *"abcd")
    _wait_left(aws, stopped[1], (0, 4))
    aws("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    (batch,) = _wait_printed(aws, waiting[0], "bodies", bool)
    (whole,) = _wait_printed(aws, full[0], "bodies", bool)
    (began,) = _wait_printed(aws, waiting[0], "began", bool)
    _wait_left(aws, stopped[1], (4, 0))
    kept = aws("sqs").receive_message(QueueUrl=stopped[1], AttributeNames=["All"], MaxNumberOfMessages=10)["Messages"]

    assert (["a", "b", "c", "d"], ["a", "b", "c", "d"]) == (sorted(batch), sorted(whole))
    assert sent + 2 - 0.5 <= began  # the window begins with the first message, which came after ``sent``
    assert ["1"] * 4 == [message["Attributes"]["ApproximateReceiveCount"] for message in kept]
    assert [] == _printed(aws, stopped[0])


def test_fifo_groups_run_beside_each_other_and_each_in_order(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue
) -> None:
    """Batches of one group follow each other in its order, while other groups have batches of their own."""
    function = make_function(COUNTS.replace("SLEEP_S", "0.7"), Timeout=20)
    url = make_queue(is_fifo=True, VisibilityTimeout="60")
    for number in range(3):
        for group in ("a", "b"):
            _send(aws, url, f"{group}{number}", MessageGroupId=group)
    _map(aws, cleanups, function.name, url, BatchSize=1)
    ended = _wait_printed(aws, function, "ended", lambda found: len(found) == 6)
    runs = sorted((run for run in _printed(aws, function) if "began" in run), key=lambda run: run["began"])

    for group in ("a", "b"):
        assert [f"{group}{number}" for number in range(3)] == [
            run["bodies"][0] for run in runs if run["groups"] == [group]
        ]
    assert 6 == len(runs)
    assert min(ended) > runs[1]["began"]
    for group in ("a", "b"):
        begun = [run["began"] for run in runs if run["groups"] == [group]]
        assert [True, True] == [later >= earlier + 0.7 for earlier, later in pairwise(begun)]


STOPS_AT_FAILURE = """
    import json
    def handler(event, context):
        failed = []
        for record in event['Records']:
            group = record['attributes']['MessageGroupId']
            if group not in {one[0] for one in failed} and record['body'] != 'a1':
                print(json.dumps({'done': record['body']}))
            else:
                failed.append((group, record['messageId']))
        return {'batchItemFailures': [{'itemIdentifier': one} for _, one in failed]}
    """


def test_failed_record_of_a_fifo_queue_holds_its_group_back_until_it_is_a_dead_letter(
    aws: Aws, make_function: FunctionFactory, make_queue: MakeQueue, cleanups: ExitStack
) -> None:
    """Another group goes on; what is behind the failed record comes after it has left, in its order."""
    dead = make_queue(is_fifo=True)
    policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 2})
    url = make_queue(is_fifo=True, VisibilityTimeout="2", RedrivePolicy=policy)
    function = make_function(STOPS_AT_FAILURE, Timeout=2)
    _send(aws, url, "a1", MessageGroupId="a")
    _send(aws, url, "b1", "b2", MessageGroupId="b")
    _map(aws, cleanups, function.name, url, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    _wait_printed(aws, function, "done", lambda found: len(found) == 2)
    _send(aws, url, "a2", "a3", MessageGroupId="a")

    assert _wait_printed(aws, function, "done", lambda found: len(found) == 4) == ["b1", "b2", "a2", "a3"]
    _wait_left(aws, url, (0, 0))
    (letter,) = aws("sqs").receive_message(QueueUrl=dead, AttributeNames=["All"], WaitTimeSeconds=5)["Messages"]
    assert (letter["Body"], letter["Attributes"]["MessageGroupId"]) == ("a1", "a")


@pytest.mark.parametrize("change", ["disable", "update", "delete"])
def test_changed_mapping_lets_the_running_batch_end(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue, change: str
) -> None:
    """What runs while a mapping is changed ends by itself, once, and its message is deleted."""
    function = make_function(COUNTS.replace("SLEEP_S", "2"), Timeout=20)
    url = make_queue(VisibilityTimeout="60")
    mapping = _map(aws, cleanups, function.name, url)
    _send(aws, url, "x")
    _wait_left(aws, url, (0, 1))
    if change == "delete":
        aws("lambda").delete_event_source_mapping(UUID=mapping)
    else:
        options = {"Enabled": False} if change == "disable" else {"BatchSize": 5}
        aws("lambda").update_event_source_mapping(UUID=mapping, **options)
    _wait_left(aws, url, (0, 0))
    counts = _wait_printed(aws, function, "counts", bool)

    assert [["1"]] == counts


def test_function_that_is_gone_costs_its_messages_nothing(
    aws: Aws, emulator: Emulator, cleanups: ExitStack, make_queue: MakeQueue
) -> None:
    """Messages wait for a function that was deleted, without being received in vain, and reach the next of its name."""
    client, name = aws("lambda"), f"f-{uuid.uuid4().hex[:8]}"
    code = {"ZipFile": bundle({"app.py": COUNTS.replace("SLEEP_S", "0")})}
    settings = {"FunctionName": name, "Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler", "Code": code}
    client.create_function(**settings)
    dead = make_queue()
    policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 1})
    url = make_queue(RedrivePolicy=policy, VisibilityTimeout="4")
    _map(aws, cleanups, name, url)
    client.delete_function(FunctionName=name)
    _send(aws, url, "x")

    def told() -> tuple[bool, None]:
        log = emulator.log_path.read_text(errors="replace")
        return any("NotStartedError" in line and name in line for line in log.splitlines()), None

    wait_for("a poll in vain", told, deadline_s=20)
    assert (1, (0, 0)) == (sum(_left(aws, url)), _left(aws, dead))
    heir = DeployedFunction(name, client.create_function(**settings)["FunctionArn"], client)
    cleanups.callback(client.delete_function, FunctionName=name)
    _wait_left(aws, url, (0, 0))

    assert [["1"]] == _wait_printed(aws, heir, "counts", bool)
    assert (0, 0) == _left(aws, dead)


def test_queue_that_is_deleted_and_made_again_is_read_again(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory
) -> None:
    """A mapping outlives its queue: messages of the next one of that name reach the function."""
    sqs, name = aws("sqs"), f"q-{uuid.uuid4().hex[:8]}"
    function, url = make_function(PRINTS), sqs.create_queue(QueueName=name)["QueueUrl"]
    cleanups.callback(lambda: sqs.delete_queue(QueueUrl=url))
    _map(aws, cleanups, function.name, url)
    sqs.delete_queue(QueueUrl=url)
    sqs.create_queue(QueueName=name)
    _send(aws, url, "after")
    _wait_left(aws, url, (0, 0))

    assert ["after"] == [batch[0]["body"] for batch in _wait_printed(aws, function, "Records", bool)]


ODD_RESPONSES = [
    "{'batchItemFailures': 'all'}",
    "{'batchItemFailures': [7]}",
    "{'batchItemFailures': [{'itemIdentifier': None}]}",
    "'ok'",
]


def test_odd_response_fails_its_batch_and_no_other(
    aws: Aws, cleanups: ExitStack, make_function: FunctionFactory, make_queue: MakeQueue
) -> None:
    """A response that is not of the documented form keeps its messages in flight, and the mapping goes on."""
    mapped = []
    for response in ODD_RESPONSES:
        source = (
            f"def handler(event, context):\n    return {response} if event['Records'][0]['body'] == 'odd' else None\n"
        )
        function, url = make_function(source), make_queue(VisibilityTimeout="600")
        _map(aws, cleanups, function.name, url, BatchSize=1, FunctionResponseTypes=["ReportBatchItemFailures"])
        mapped.append(url)
        _send(aws, url, "odd", "plain", "odd", "plain")

    for url in mapped:
        _wait_left(aws, url, (0, 2))


def _error(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Code and text of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_settings_of_other_sources_are_refused(
    aws: Aws, make_function: FunctionFactory, make_queue: MakeQueue, cleanups: ExitStack
) -> None:
    """The errors of Lambda reach the caller, when a mapping is made and when it is updated; nothing is made."""
    client, function, url = aws("lambda"), make_function(PRINTS), make_queue()
    fifo = queue_arn(aws, make_queue(is_fifo=True))
    new = {"FunctionName": function.name, "EventSourceArn": queue_arn(aws, url)}
    invalid = "InvalidParameterValueException"
    create = client.create_event_source_mapping

    assert (invalid, "StartingPosition is not valid for SQS event sources.") == _error(
        create, **new, StartingPosition="LATEST"
    )
    assert invalid == _error(create, **new, MaximumRetryAttempts=1)[0]
    assert invalid == _error(create, **new, FilterCriteria={"Filters": [{"Pattern": "{}"}] * 6})[0]
    assert (invalid, "Invalid filter pattern definition.") == _error(
        create, **new, FilterCriteria={"Filters": [{"Pattern": '{"$or": [1]}'}]}
    )
    assert (invalid, "Batching window is not supported for FIFO queues") == _error(
        create, **new | {"EventSourceArn": fifo}, MaximumBatchingWindowInSeconds=1
    )
    assert "ValidationException" == _error(create, **new, MaximumBatchingWindowInSeconds=301)[0]
    assert invalid == _error(create, **new | {"FunctionName": f"{function.name}:none"})[0]
    assert invalid == _error(create, **new | {"FunctionName": "f-none"})[0]
    assert invalid == _error(create, **new | {"EventSourceArn": f"{new['EventSourceArn']}-none"})[0]
    assert [] == client.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"]
    uuid_ = _map(aws, cleanups, function.name, url)
    assert invalid == _error(client.update_event_source_mapping, UUID=uuid_, BatchSize=11)[0]
    assert "ResourceConflictException" == _error(create, **new)[0]


def test_visibility_timeout_shorter_than_the_function_is_refused(
    aws: Aws, make_function: FunctionFactory, make_queue: MakeQueue, cleanups: ExitStack
) -> None:
    """Lambda compares them when a mapping is made and when it is updated, and not when either of them is changed."""
    client, function, url = aws("lambda"), make_function(PRINTS, Timeout=31), make_queue()
    expected = (
        "InvalidParameterValueException",
        "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds",
    )
    new = {"FunctionName": function.name, "EventSourceArn": queue_arn(aws, url)}

    assert expected == _error(client.create_event_source_mapping, **new)
    client.update_function_configuration(FunctionName=function.name, Timeout=30)
    mapping = _map(aws, cleanups, function.name, url)
    client.update_function_configuration(FunctionName=function.name, Timeout=31)
    assert expected == _error(client.update_event_source_mapping, UUID=mapping, BatchSize=5)
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "31"})
    assert 5 == client.update_event_source_mapping(UUID=mapping, BatchSize=5)["BatchSize"]


def test_update_does_not_make_two_mappings_of_one_queue_and_function(
    aws: Aws, make_function: FunctionFactory, make_queue: MakeQueue, cleanups: ExitStack
) -> None:
    """A mapping cannot be turned to a function that has one of the same queue."""
    functions, url = [make_function(PRINTS) for _ in range(2)], make_queue()
    first, _ = [_map(aws, cleanups, function.name, url, Enabled=False) for function in functions]
    code, _ = _error(aws("lambda").update_event_source_mapping, UUID=first, FunctionName=functions[1].name)

    assert "ResourceConflictException" == code
