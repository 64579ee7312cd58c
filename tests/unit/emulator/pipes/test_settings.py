"""What a pipe takes and refuses."""

from typing import Any

import pytest

from dlqlab.emulator.pipes.settings import as_mapping, wrong

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
PIPE: dict[str, Any] = {"Name": "p", "Source": QUEUE, "Target": f"{QUEUE}2", "RoleArn": "arn:aws:iam::0:role/r"}
OF_STREAM = {"SourceParameters": {"DynamoDBStreamParameters": {"StartingPosition": "LATEST"}}}
OF_KINESIS = {"SourceParameters": {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"Name": "a b"}, "Name is"),
        ({"Source": "arn:aws:mq:us-east-1:000000000000:broker:b:1"}, "Source arn:aws:mq"),
        ({"Source": KINESIS}, "KinesisStreamParameters.StartingPosition is missing or unknown: give AT_TIMESTAMP or"),
        ({"Source": STREAM}, "StartingPosition is missing"),
        (
            {"Source": f"{QUEUE}.fifo", "SourceParameters": {"SqsQueueParameters": {"BatchSize": 11}}},
            "between 1 and 10",
        ),
        ({"SourceParameters": {"SqsQueueParameters": {"BatchSize": 11}}}, "Maximum batch window"),
        ({"SourceParameters": {"RabbitMQBrokerParameters": {"QueueName": "q"}}}, "RabbitMQBrokerParameters"),
        ({"SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": "["}]}}}, "Invalid filter pattern"),
        ({"Enrichment": "arn:aws:events:us-east-1:000000000000:api-destination/d/1"}, "Enrichment arn:aws:events"),
        ({"Target": "arn:aws:events:us-east-1:000000000000:api-destination/d/1"}, "API destinations are not"),
        ({"Target": "arn:aws:ecs:us-east-1:000000000000:cluster/c"}, "Target arn:aws:ecs"),
        ({"Target": f"{QUEUE}.fifo"}, "MessageGroupId is missing"),
        ({"TargetParameters": {"InputTemplate": "<$..x>"}}, "TargetParameters.InputTemplate"),
        ({"TargetParameters": {"EcsTaskParameters": {"TaskCount": 1}}}, "EcsTaskParameters"),
        (
            {"TargetParameters": {"SqsQueueParameters": {"MessageGroupId": "$.a[*]"}}},
            "SqsQueueParameters.MessageGroupId",
        ),
        ({"LogConfiguration": {"Level": "INFO"}}, "LogConfiguration is not served"),
    ],
)
def test_what_is_not_served_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    """With what to give instead."""
    assert named in (wrong(PIPE | given) or "nothing")


@pytest.mark.parametrize("given", [{}, {"Source": STREAM, **OF_STREAM}, {"Source": KINESIS, **OF_KINESIS}])
def test_served_pipes_are_taken(given: dict[str, Any]) -> None:
    """Of each kind of source."""
    assert wrong(PIPE | given) is None


def test_source_is_read_as_by_a_mapping() -> None:
    """The names of the settings differ."""
    own = {
        "StartingPosition": "TRIM_HORIZON",
        "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
        "DeadLetterConfig": {"Arn": QUEUE},
        "MaximumRetryAttempts": 2,
    }

    assert as_mapping(PIPE | {"Source": STREAM, "SourceParameters": {"DynamoDBStreamParameters": own}}) == {
        "EventSourceArn": STREAM,
        "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 2,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
    }
