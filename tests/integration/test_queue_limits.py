"""What SQS refuses, with AWS's codes and texts, by both protocols; and what becomes of what it takes."""

import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.deploy.target import local_target
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import queue_arn

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
MakeQueue = Callable[..., str]
TEXT = {"DataType": "String", "StringValue": "v"}
CREDENTIAL = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=x"


def _refused(aws: Aws, operation: str, **members: Any) -> tuple[str, str]:
    """Code and text of the error, by the JSON protocol."""
    with pytest.raises(ClientError) as raised:
        getattr(aws("sqs"), operation)(**members)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def _refused_query(emulator: Emulator, action: str, **members: Any) -> tuple[str, str]:
    """Code and text of the error, by the query protocol."""
    form = urllib.parse.urlencode({"Action": action, "Version": "2012-11-05", **members}).encode()
    request = urllib.request.Request(emulator.endpoint, form, headers={"Authorization": CREDENTIAL})
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=30)
    text = raised.value.read().decode()
    found = re.search(r"<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", text, re.DOTALL)
    assert found, text
    return found[1], found[2].replace("&gt;", ">").replace("&lt;", "<").replace("&apos;", "'").replace("&quot;", '"')


DELAY = "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
VISIBILITY = "is invalid. Reason: VisibilityTimeout must be an integer between 0 and 43200."
MESSAGES = "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
ATTRIBUTE = {"MessageAttribute.1.Name": "a", "MessageAttribute.1.Value.DataType": "Stringy"}
CALLS: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str]]] = [
    ("SendMessage", {"MessageBody": "x", "DelaySeconds": 901}, {}, ("InvalidParameterValue", DELAY)),
    (
        "SendMessage",
        {"MessageBody": "x", "DelaySeconds": -1},
        {},
        ("InvalidParameterValue", DELAY.replace("901", "-1")),
    ),
    (
        "ReceiveMessage",
        {"VisibilityTimeout": 43_201},
        {},
        ("InvalidParameterValue", f"Value 43201 for parameter VisibilityTimeout {VISIBILITY}"),
    ),
    (
        "ReceiveMessage",
        {"VisibilityTimeout": -1},
        {},
        ("InvalidParameterValue", f"Value -1 for parameter VisibilityTimeout {VISIBILITY}"),
    ),
    ("ReceiveMessage", {"MaxNumberOfMessages": 0}, {}, ("InvalidParameterValue", MESSAGES)),
    (
        "ReceiveMessage",
        {"MaxNumberOfMessages": -1},
        {},
        ("InvalidParameterValue", MESSAGES.replace("Value 0", "Value -1")),
    ),
    (
        "ReceiveMessage",
        {"AttributeNames": ["Nope"]},
        {"AttributeName.1": "Nope"},
        ("InvalidAttributeName", "Unknown Attribute Nope."),
    ),
    (
        "GetQueueAttributes",
        {"AttributeNames": ["upper"]},
        {"AttributeName.1": "upper"},
        ("InvalidAttributeName", "Unknown Attribute upper."),
    ),
    (
        "SetQueueAttributes",
        {"Attributes": {"VisibilityTimeout": "43201"}},
        {"Attribute.1.Name": "VisibilityTimeout", "Attribute.1.Value": "43201"},
        ("InvalidAttributeValue", "Invalid value for the parameter VisibilityTimeout."),
    ),
    (
        "SetQueueAttributes",
        {"Attributes": {"RedriveAllowPolicy": '{"redrivePermission":"byQueue"}'}},
        {"Attribute.1.Name": "RedriveAllowPolicy", "Attribute.1.Value": '{"redrivePermission":"byQueue"}'},
        (
            "InvalidParameterValue",
            (
                'Value {"redrivePermission":"byQueue"} for parameter RedriveAllowPolicy is invalid. Reason: Amazon SQS '
                "can't create the redrive allow policy. When you specify the byQueue permission type, you must also "
                "specify one or more sourceQueueArns values."
            ),
        ),
    ),
    (
        "SendMessage",
        {"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Stringy", "StringValue": "v"}}},
        {"MessageBody": "x", **ATTRIBUTE, "MessageAttribute.1.Value.StringValue": "v"},
        (
            "InvalidParameterValue",
            (
                "Type for parameter MessageAttributes.Attribute_name.DataType must be prefixed with "
                '"String", "Binary", or "Number", but was: Stringy'
            ),
        ),
    ),
]


@pytest.mark.parametrize(("action", "members", "form", "expected"), CALLS, ids=lambda value: str(value)[:60])
def test_both_protocols_refuse_alike(
    emulator: Emulator,
    aws: Aws,
    make_queue: MakeQueue,
    action: str,
    members: dict[str, Any],
    form: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    """The same code and the same text, whichever protocol an SDK speaks."""
    url = make_queue()
    operation = re.sub(r"(?<!^)([A-Z])", r"_\1", action).lower()

    assert expected == _refused(aws, operation, QueueUrl=url, **members)
    assert expected == _refused_query(emulator, action, QueueUrl=url, **(form or members))


def test_new_queue_with_wrong_attributes_is_not_made(aws: Aws) -> None:
    """A refused CreateQueue leaves nothing behind."""
    for attributes in ({"DelaySeconds": "901"}, {"RedrivePolicy": "{}"}, {"FifoQueue": "true", "QueueArn": "arn"}):
        name = f"q-{uuid.uuid4().hex[:8]}" + (".fifo" if "FifoQueue" in attributes else "")
        _refused(aws, "create_queue", QueueName=name, Attributes=attributes)
        assert "QueueUrls" not in aws("sqs").list_queues(QueueNamePrefix=name)


def test_refused_redrive_policy_is_not_stored(aws: Aws, make_queue: MakeQueue) -> None:
    """The policy before stays; a dead-letter queue says who may use it, and an empty policy takes it away."""
    url, dead = make_queue(), make_queue()
    closed = make_queue(RedriveAllowPolicy='{"redrivePermission":"denyAll"}')
    good = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 3})
    bad = json.dumps({"deadLetterTargetArn": queue_arn(aws, closed), "maxReceiveCount": 3})
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": good})
    code, text = _refused(aws, "set_queue_attributes", QueueUrl=url, Attributes={"RedrivePolicy": bad})
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]

    assert ("InvalidParameterValue", True) == (code, text.startswith(f"Value {bad} for parameter RedrivePolicy"))
    assert {"RedrivePolicy": good} == found
    aws("sqs").set_queue_attributes(QueueUrl=closed, Attributes={"RedriveAllowPolicy": ""})
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": bad})


def test_half_a_surrogate_pair_is_refused_and_no_internal_error(aws: Aws, make_queue: MakeQueue) -> None:
    """Alone as in a batch, whose other entry is sent."""
    url = make_queue()
    entries = [{"Id": "good", "MessageBody": "x"}, {"Id": "bad", "MessageBody": "\ud800"}]
    answer = aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)

    assert "InvalidMessageContents" == _refused(aws, "send_message", QueueUrl=url, MessageBody="\ud800")[0]
    assert ["good"] == [one["Id"] for one in answer["Successful"]]
    assert [("bad", "InvalidMessageContents", True)] == _failures(answer)


def _failures(answer: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(one["Id"], one["Code"].rpartition(".")[2], one["SenderFault"]) for one in answer.get("Failed", [])]


def test_entries_of_a_sent_batch_fail_by_themselves(aws: Aws, make_queue: MakeQueue) -> None:
    """Each with its own code; the sender is at fault, and the good entries are sent."""
    url = make_queue(MaximumMessageSize="1024")
    entries = [
        {"Id": "good", "MessageBody": "x", "MessageSystemAttributes": {"AWSTraceHeader": TEXT}},
        {"Id": "long", "MessageBody": "x" * 1025},
        {"Id": "delay", "MessageBody": "x", "DelaySeconds": 901},
        {"Id": "control", "MessageBody": "\x00"},
        {"Id": "attributes", "MessageBody": "x", "MessageAttributes": {f"a{n}": TEXT for n in range(11)}},
        {"Id": "reserved", "MessageBody": "x", "MessageAttributes": {"AWS.a": TEXT}},
        {"Id": "lists", "MessageBody": "x", "MessageAttributes": {"a": TEXT | {"StringListValues": ["v"]}}},
        {"Id": "group", "MessageBody": "x", "MessageGroupId": "fair"},
        {"Id": "dedup", "MessageBody": "x", "MessageDeduplicationId": "d"},
    ]
    answer = aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    parameter = ("long", "delay", "attributes", "reserved", "dedup")

    assert ["good", "group"] == [one["Id"] for one in answer["Successful"]]
    assert "MD5OfMessageSystemAttributes" in answer["Successful"][0]
    assert sorted(
        [(name, "InvalidParameterValue", True) for name in parameter]
        + [("control", "InvalidMessageContents", True), ("lists", "UnsupportedOperation", True)]
    ) == sorted(_failures(answer))


def test_entries_of_other_batches_fail_by_themselves(aws: Aws, make_queue: MakeQueue) -> None:
    """A wrong handle or a wrong timeout is the sender's fault, and the other entries do as they are told."""
    url = make_queue(VisibilityTimeout="60")
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    handle = aws("sqs").receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    times = [("good", handle, 30), ("handle", "nonsense", 30), ("long", handle, 43_201), ("total", handle, 43_200)]
    hidden = aws("sqs").change_message_visibility_batch(
        QueueUrl=url,
        Entries=[{"Id": name, "ReceiptHandle": text, "VisibilityTimeout": time} for name, text, time in times],
    )
    deleted = aws("sqs").delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "handle", "ReceiptHandle": "nonsense"}, {"Id": "good", "ReceiptHandle": handle}]
    )

    assert ["good"] == [one["Id"] for one in hidden["Successful"]]
    assert [
        ("handle", "ReceiptHandleIsInvalid", True),
        ("long", "InvalidParameterValue", True),
        ("total", "InvalidParameterValue", True),
    ] == _failures(hidden)
    assert ["good"] == [one["Id"] for one in deleted["Successful"]]
    assert [("handle", "ReceiptHandleIsInvalid", True)] == _failures(deleted)


def test_purge_is_taken_once_a_minute(aws: Aws, make_queue: MakeQueue) -> None:
    """The second one is refused and deletes nothing."""
    url = make_queue()
    aws("sqs").send_message(QueueUrl=url, MessageBody="purged")
    aws("sqs").purge_queue(QueueUrl=url)
    aws("sqs").send_message(QueueUrl=url, MessageBody="kept")
    code, text = _refused(aws, "purge_queue", QueueUrl=url)
    received = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)["Messages"]

    assert "AWS.SimpleQueueService.PurgeQueueInProgress" == code
    assert re.fullmatch(r"Only one PurgeQueue operation on q-\w+ is allowed every 60 seconds\.", text)
    assert ["kept"] == [message["Body"] for message in received]


def test_harness_purges_as_often_as_it_has_to(emulator: Emulator, make_queue: MakeQueue) -> None:
    """Two runs in a minute each find their emulator empty."""
    url, sqs = make_queue(), local_target(emulator).client("sqs")
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="x")
        sqs.purge_queue(QueueUrl=url)
        assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_visibility_of_a_message_that_is_not_in_flight_is_refused(aws: Aws, make_queue: MakeQueue) -> None:
    """It has returned to the queue, and stays visible."""
    url = make_queue()
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    handle = aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    members = {"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 30}

    assert "MessageNotInflight" in _refused(aws, "change_message_visibility", **members)[0]
    assert "Messages" in aws("sqs").receive_message(QueueUrl=url)


def test_outdated_receipt_handle_does_not_delete(aws: Aws, make_queue: MakeQueue) -> None:
    """While another consumer has the message the first one's delete succeeds and does nothing."""
    url = make_queue()
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    first = aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    second = aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"][0]["ReceiptHandle"]
    aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=first)
    aws("sqs").change_message_visibility(QueueUrl=url, ReceiptHandle=second, VisibilityTimeout=0)

    assert "Messages" in aws("sqs").receive_message(QueueUrl=url)


def test_message_goes_to_the_end_from_its_third_receive_on(aws: Aws, make_queue: MakeQueue) -> None:
    """A message that fails again and again lets the others pass."""
    url = make_queue()
    for body in ("often", "next"):
        aws("sqs").send_message(QueueUrl=url, MessageBody=body)
    seen = [aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]["Body"] for _ in range(4)]

    assert ["often", "often", "often", "next"] == seen


def test_attributes_are_returned_by_name_and_by_beginning(aws: Aws, make_queue: MakeQueue) -> None:
    """With the MD5 of those that are returned."""
    url = make_queue()
    attributes = dict.fromkeys(("a", "b.x", "b.y", "c"), TEXT) | {
        "raw": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG"}
    }
    sent = aws("sqs").send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)

    def receive(*names: str) -> dict[str, Any]:
        answer = aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0, MessageAttributeNames=list(names))
        message: dict[str, Any] = answer["Messages"][0]
        return message

    whole, some = receive("All"), receive("c", "b.*", "ra.*")
    assert (attributes, sent["MD5OfMessageAttributes"]) == (whole["MessageAttributes"], whole["MD5OfMessageAttributes"])
    assert {"b.x", "b.y", "c", "raw"} == some["MessageAttributes"].keys()
    assert _md5(some["MessageAttributes"]) == some["MD5OfMessageAttributes"]
    assert receive("none").keys().isdisjoint({"MessageAttributes", "MD5OfMessageAttributes"})


def test_no_attributes_have_no_md5(aws: Aws, make_queue: MakeQueue) -> None:
    """An empty map is as none."""
    none: dict[str, Any] = {"MessageAttributes": {}, "MessageSystemAttributes": {}}
    sent = aws("sqs").send_message(QueueUrl=make_queue(), MessageBody="x", **none)

    assert {"MessageId", "MD5OfMessageBody"} == sent.keys() - {"ResponseMetadata"}


def _md5(attributes: dict[str, dict[str, Any]]) -> str:
    """As "Calculating the MD5 message digest for message attributes" in the developer guide says."""
    digest = hashlib.md5()
    for name, value in sorted(attributes.items()):
        raw = value["BinaryValue"] if "BinaryValue" in value else value["StringValue"].encode()
        for part in (name.encode(), value["DataType"].encode()):
            digest.update(len(part).to_bytes(4) + part)
        digest.update((b"\x02" if "BinaryValue" in value else b"\x01") + len(raw).to_bytes(4) + raw)
    return digest.hexdigest()


def _move(aws: Aws, dead: str) -> dict[str, Any]:
    """Redrive a dead-letter queue to its sources; the task when it has ended."""
    arn = queue_arn(aws, dead)
    handle = aws("sqs").start_message_move_task(SourceArn=arn)["TaskHandle"]

    def probe() -> tuple[bool, dict[str, Any]]:
        task = aws("sqs").list_message_move_tasks(SourceArn=arn)["Results"][0]
        return task["Status"] not in {"RUNNING", "CANCELLING"}, task

    task = wait_for("the move task", probe, deadline_s=20)
    assert "UnsupportedOperation" in _refused(aws, "cancel_message_move_task", TaskHandle=handle)[0]
    return task


@pytest.mark.parametrize("is_fifo", [False, True])
def test_redriven_message_is_new_and_nothing_is_lost(aws: Aws, cleanups: ExitStack, is_fifo: bool) -> None:
    """From dead letter back to its queue: a new id, the first receive, body and attributes as they were sent."""
    suffix, kind = (".fifo", {"FifoQueue": "true"}) if is_fifo else ("", {})
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if is_fifo else {}
    dead = _make(aws, cleanups, suffix, **kind)
    policy = json.dumps({"deadLetterTargetArn": queue_arn(aws, dead), "maxReceiveCount": 1})
    url = _make(aws, cleanups, suffix, RedrivePolicy=policy, **kind)
    sent = aws("sqs").send_message(QueueUrl=url, MessageBody="x", MessageAttributes={"a": TEXT}, **ids)
    for _ in range(2):
        aws("sqs").receive_message(QueueUrl=url, VisibilityTimeout=0)
    letter = _receive(aws, dead, VisibilityTimeout=0)
    task = _move(aws, dead)
    back = _receive(aws, url)

    assert ("COMPLETED", 1) == (task["Status"], task["ApproximateNumberOfMessagesMoved"])
    assert sent["MessageId"] == letter["MessageId"] != back["MessageId"]
    assert ("x", {"a": TEXT}, "1") == (
        back["Body"],
        back["MessageAttributes"],
        back["Attributes"]["ApproximateReceiveCount"],
    )
    if is_fifo:
        assert sent["MessageId"] == letter["Attributes"]["MessageDeduplicationId"]
        assert "g" == letter["Attributes"]["MessageGroupId"] == back["Attributes"]["MessageGroupId"]


def _make(aws: Aws, cleanups: ExitStack, suffix: str, **attributes: str) -> str:
    name = f"q-{uuid.uuid4().hex[:8]}{suffix}"
    url: str = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    cleanups.callback(aws("sqs").delete_queue, QueueUrl=url)
    return url


def _receive(aws: Aws, url: str, **options: Any) -> dict[str, Any]:
    options |= {"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"], "WaitTimeSeconds": 5}
    (message,) = aws("sqs").receive_message(QueueUrl=url, **options)["Messages"]
    found: dict[str, Any] = message
    return found


def test_list_of_move_tasks_has_its_bounds(aws: Aws, make_queue: MakeQueue) -> None:
    """1 to 10 results."""
    arn = queue_arn(aws, make_queue())
    for number in (0, 11):
        code, text = _refused(aws, "list_message_move_tasks", SourceArn=arn, MaxResults=number)
        assert ("InvalidParameterValue", f"Value {number} for parameter MaxResults is invalid") == (
            code,
            text.partition(". ")[0],
        )
    assert [] == aws("sqs").list_message_move_tasks(SourceArn=arn, MaxResults=10).get("Results", [])


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
def test_ids_of_a_fifo_message_are_printable(aws: Aws, cleanups: ExitStack, name: str) -> None:
    """Neither empty, nor too long, nor with spaces or line ends; and no delay of its own."""
    url = _make(aws, cleanups, ".fifo", FifoQueue="true")
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    for wrong in ("a b", "a\n", "x" * 129, "ä"):
        code, text = _refused(aws, "send_message", QueueUrl=url, MessageBody="x", **ids | {name: wrong})
        assert "InvalidParameterValue" == code
        assert text.endswith(f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length.")
    assert (
        "InvalidParameterValue"
        == _refused(aws, "send_message", QueueUrl=url, MessageBody="x", DelaySeconds=1, **ids)[0]
    )


def test_receive_that_is_tried_again_gives_the_same(aws: Aws, cleanups: ExitStack) -> None:
    """By its id, which a standard queue does not take."""
    url = _make(aws, cleanups, ".fifo", FifoQueue="true")
    aws("sqs").send_message(QueueUrl=url, MessageBody="b", MessageGroupId="g", MessageDeduplicationId="d")
    first, second, third = (
        aws("sqs").receive_message(QueueUrl=url, ReceiveRequestAttemptId=attempt).get("Messages")
        for attempt in ("one", "one", "two")
    )

    assert [message["Body"] for message in first] == ["b"]
    assert (second, third) == (first, None)
    standard = _make(aws, cleanups, "")
    code, text = _refused(aws, "receive_message", QueueUrl=standard, ReceiveRequestAttemptId="one")
    assert code == "InvalidParameterValue"
    assert "not valid for this queue type" in text


def test_throughput_of_each_group_is_refused_without_its_scope(aws: Aws, cleanups: ExitStack) -> None:
    """At the creation, and later."""
    limit = {"FifoThroughputLimit": "perMessageGroupId"}
    name = f"q-{uuid.uuid4().hex[:8]}.fifo"
    code, _ = _refused(aws, "create_queue", QueueName=name, Attributes={"FifoQueue": "true", **limit})
    assert code == "InvalidAttributeValue"

    url = _make(aws, cleanups, ".fifo", FifoQueue="true")
    assert _refused(aws, "set_queue_attributes", QueueUrl=url, Attributes=limit)[0] == "InvalidAttributeValue"
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={**limit, "DeduplicationScope": "messageGroup"})
