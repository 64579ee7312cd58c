"""Schedules call their targets when they are due."""

import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, FunctionFactory, queue_arn, read_log

pytestmark = pytest.mark.integration

Aws = Callable[[str], Any]
NOW = "rate(1 hour)"
"""Without a start date it is due at once."""


@pytest.fixture
def schedule(aws: Aws, cleanups: ExitStack) -> Callable[..., str]:
    """Makes schedules with unique names; returns the name."""

    def make(target_arn: str, expression: str = NOW, target: dict[str, Any] | None = None, **more: Any) -> str:
        name = f"s-{uuid.uuid4().hex[:8]}"
        aws("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target_arn, "RoleArn": ROLE, **(target or {})},
            **more,
        )
        cleanups.callback(_drop, aws, name)
        return name

    return make


def _drop(aws: Aws, name: str) -> None:
    if name in _names(aws):
        aws("scheduler").delete_schedule(Name=name)


def _names(aws: Aws) -> set[str]:
    return {one["Name"] for one in aws("scheduler").list_schedules()["Schedules"]}


def _message(aws: Aws, url: str) -> dict[str, Any]:
    """The first message that comes."""

    def probe() -> tuple[bool, list[dict[str, Any]]]:
        found = aws("sqs").receive_message(
            QueueUrl=url, WaitTimeSeconds=1, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        return bool(found.get("Messages")), found.get("Messages", [])

    return dict(wait_for("a message", probe, deadline_s=30)[0])


def test_targets_of_all_kinds_are_called(
    aws: Aws, cleanups: ExitStack, make_queue: Callable[..., str], make_function: FunctionFactory, schedule: Any
) -> None:
    """Queue, FIFO queue, topic, bus, function and universal target, each with its input."""
    plain, fifo, universal, fanned, bussed = (
        make_queue(is_fifo=is_fifo) for is_fifo in (False, True, False, False, False)
    )
    function = make_function("def handler(event, context): print('CALLED', event['n'])")
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    cleanups.callback(aws("sns").delete_topic, TopicArn=topic)
    raw = {"RawMessageDelivery": "true"}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(aws, fanned), Attributes=raw)
    bus = f"b-{uuid.uuid4().hex[:8]}"
    bus_arn = aws("events").create_event_bus(Name=bus)["EventBusArn"]
    cleanups.callback(aws("events").delete_event_bus, Name=bus)
    aws("events").put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["me"]}))
    aws("events").put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "q", "Arn": queue_arn(aws, bussed)}])
    cleanups.callback(aws("events").delete_rule, Name="all", EventBusName=bus)
    cleanups.callback(aws("events").remove_targets, Rule="all", EventBusName=bus, Ids=["q"])
    send = json.dumps({"QueueUrl": universal, "MessageBody": "at <aws.scheduler.scheduled-time>"})

    schedule(queue_arn(aws, plain))
    schedule(queue_arn(aws, fifo), target={"Input": "in order", "SqsParameters": {"MessageGroupId": "g"}})
    schedule("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", target={"Input": send})
    schedule(topic, target={"Input": "to all"})
    schedule(bus_arn, target={"Input": '{"n": 1}', "EventBridgeParameters": {"DetailType": "d", "Source": "me"}})
    schedule(function.arn, target={"Input": '{"n": 42}'})

    assert "aws.scheduler" == json.loads(_message(aws, plain)["Body"])["source"]
    ordered = _message(aws, fifo)
    assert ("in order", "g") == (ordered["Body"], ordered["Attributes"]["MessageGroupId"])
    assert _message(aws, universal)["Body"].startswith(f"at {datetime.now(UTC).year}-")
    assert "to all" == _message(aws, fanned)["Body"]
    event = json.loads(_message(aws, bussed)["Body"])
    assert ("d", {"n": 1}) == (event["detail-type"], event["detail"])

    def logged() -> tuple[bool, list[str]]:
        groups = aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function.name}")["logGroups"]
        lines = [event["message"].strip() for event in read_log(aws, function.name)] if groups else []
        return "CALLED 42" in lines, lines

    wait_for("the function's line", logged, deadline_s=30, interval_s=0.1)


def test_one_time_schedule_fires_in_its_time_zone_and_is_deleted(
    aws: Aws, make_queue: Callable[..., str], schedule: Any
) -> None:
    """Not before its time; ActionAfterCompletion takes it away."""
    url = make_queue()
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    text = f"at({due + timedelta(hours=9):%Y-%m-%dT%H:%M:%S})"

    name = schedule(
        queue_arn(aws, url),
        text,
        {"Input": "once"},
        ScheduleExpressionTimezone="Asia/Tokyo",
        ActionAfterCompletion="DELETE",
    )

    message = _message(aws, url)
    assert "once" == message["Body"]
    assert int(message["Attributes"]["SentTimestamp"]) >= due.timestamp() * 1000
    wait_for("its deletion", lambda: (name not in _names(aws), None), deadline_s=10, interval_s=0.05)


def test_invocation_that_fails_is_a_dead_letter(aws: Aws, make_queue: Callable[..., str], schedule: Any) -> None:
    """A target that is gone is not tried again; its input and the error come to the queue."""
    dead = make_queue()
    gone = f"{queue_arn(aws, dead)}-gone"

    schedule(gone, target={"Input": "lost", "DeadLetterConfig": {"Arn": queue_arn(aws, dead)}})

    letter = _message(aws, dead)
    told = {name: one["StringValue"] for name, one in letter["MessageAttributes"].items()}
    assert "lost" == letter["Body"]
    assert gone == told["TARGET_ARN"]
    assert "NonExistentQueue" in told["ERROR_CODE"]
    assert "0" == told["RETRY_ATTEMPTS"]


def test_disabled_and_later_schedules_wait(aws: Aws, make_queue: Callable[..., str], schedule: Any) -> None:
    """Neither fires; enabled by an update, the first does."""
    url, other = make_queue(), make_queue()
    disabled = schedule(queue_arn(aws, url), target={"Input": "late"}, State="DISABLED")
    schedule(queue_arn(aws, url), target={"Input": "tomorrow"}, StartDate=datetime.now(UTC) + timedelta(days=1))
    schedule(queue_arn(aws, other), target={"Input": "mark"})  # whoever was due has fired when this one has
    _message(aws, other)

    assert (
        "0"
        == aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"][
            "ApproximateNumberOfMessages"
        ]
    )
    aws("scheduler").update_schedule(
        Name=disabled,
        ScheduleExpression=NOW,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue_arn(aws, url), "RoleArn": ROLE, "Input": "now"},
        State="ENABLED",
    )
    assert "now" == _message(aws, url)["Body"]


@pytest.mark.parametrize(
    ("expression", "target", "zone"),
    [
        (NOW, "arn:aws:ecs:us-east-1:000000000000:cluster/c", "UTC"),
        ("rate(1 minutes)", "arn:aws:sqs:us-east-1:000000000000:q", "UTC"),
        (NOW, "arn:aws:sqs:us-east-1:000000000000:q", "Mars/Olympus"),
    ],
)
def test_schedule_that_could_never_fire_is_refused(schedule: Any, expression: str, target: str, zone: str) -> None:
    """A target that is not called, an expression that is none, a time zone that nobody knows."""
    with pytest.raises(ClientError, match="ValidationException"):
        schedule(target, expression, ScheduleExpressionTimezone=zone)


def test_schedule_of_a_stack_is_made_and_updated(aws: Aws, make_queue: Callable[..., str], cleanups: ExitStack) -> None:
    """With its action after completion, and under its name after an update."""
    url, name = make_queue(), f"s-{uuid.uuid4().hex[:8]}"
    client = aws("cloudformation")

    def body(text: str) -> str:
        properties = {
            "ScheduleExpression": "at(2099-01-01T00:00:00)" if text == "never" else NOW,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": queue_arn(aws, url), "RoleArn": ROLE, "Input": text},
            "ActionAfterCompletion": "DELETE",
        }
        return json.dumps({"Resources": {"Due": {"Type": "AWS::Scheduler::Schedule", "Properties": properties}}})

    client.create_stack(StackName=name, TemplateBody=body("never"))
    cleanups.callback(client.delete_stack, StackName=name)
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    resource = client.describe_stack_resource(StackName=name, LogicalResourceId="Due")["StackResourceDetail"]
    made = aws("scheduler").get_schedule(Name=resource["PhysicalResourceId"])
    client.update_stack(StackName=name, TemplateBody=body("changed"))

    assert "DELETE" == made["ActionAfterCompletion"]
    assert "changed" == _message(aws, url)["Body"]
    client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
