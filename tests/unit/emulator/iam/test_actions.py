"""What calls need of policies, and how services refuse them."""

from typing import Any

import pytest

from dlqlab.emulator.iam.actions import needs_of
from dlqlab.emulator.iam.policies import UNKNOWN, Decision, Need
from dlqlab.emulator.iam.refused import refused

AT = "us-east-1:000000000000"


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        (
            "sqs",
            "SendMessageBatch",
            {"QueueUrl": "http://h/000000000000/q"},
            {"sqs:SendMessage": f"arn:aws:sqs:{AT}:q"},
        ),
        ("sqs", "GetQueueUrl", {"QueueName": "q"}, {"sqs:GetQueueUrl": f"arn:aws:sqs:{AT}:q"}),
        ("sqs", "ListQueues", {}, {"sqs:ListQueues": "*"}),
        ("kinesis", "PutRecords", {"StreamName": "s"}, {"kinesis:PutRecords": f"arn:aws:kinesis:{AT}:stream/s"}),
        ("kinesis", "PutRecord", {"StreamARN": "arn:s"}, {"kinesis:PutRecord": "arn:s"}),
        ("kinesis", "ListStreams", {}, {"kinesis:ListStreams": "*"}),
        (
            "firehose",
            "PutRecord",
            {"DeliveryStreamName": "d"},
            {"firehose:PutRecord": f"arn:aws:firehose:{AT}:deliverystream/d"},
        ),
        ("sns", "PublishBatch", {"TopicArn": "arn:t"}, {"sns:Publish": "arn:t"}),
        ("sns", "Publish", {"PhoneNumber": "1"}, {"sns:Publish": UNKNOWN}),
        ("lambda", "Invoke", {"FunctionName": "f"}, {"lambda:InvokeFunction": f"arn:aws:lambda:{AT}:function:f"}),
        (
            "lambda",
            "Invoke",
            {"FunctionName": f"arn:aws:lambda:{AT}:function:f", "Qualifier": "live"},
            {"lambda:InvokeFunction": f"arn:aws:lambda:{AT}:function:f:live"},
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "000000000000:function:f"},
            {"lambda:InvokeFunction": f"arn:aws:lambda:{AT}:function:f"},
        ),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            {"dynamodb:Query": f"arn:aws:dynamodb:{AT}:table/t/index/i"},
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]},
            {
                "dynamodb:PutItem": f"arn:aws:dynamodb:{AT}:table/a",
                "dynamodb:ConditionCheckItem": f"arn:aws:dynamodb:{AT}:table/b",
            },
        ),
        ("dynamodb", "ExecuteStatement", {"Statement": "..."}, {"dynamodb:ExecuteStatement": UNKNOWN}),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "a/k"}, {"s3:GetObject": "arn:aws:s3:::b/a/k"}),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, {"s3:ListBucket": "arn:aws:s3:::b"}),
        ("ssm", "GetParameter", {"Name": "/a/b"}, {"ssm:GetParameter": f"arn:aws:ssm:{AT}:parameter/a/b"}),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Detail": "{}"}]},
            {"events:PutEvents": f"arn:aws:events:{AT}:event-bus/default"},
        ),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:m"}, {"states:StartExecution": "arn:m"}),
        ("glue", "GetTable", {"Name": "t"}, {"glue:GetTable": UNKNOWN}),
    ],
)
def test_needs(service: str, operation: str, request_: dict[str, Any], expected: dict[str, str]) -> None:
    """Action and resource, as the Service Authorization Reference has them."""
    found = needs_of(service, operation, request_, region="us-east-1", account_id="000000000000")

    assert [Need(*one) for one in expected.items()] == found


@pytest.mark.parametrize(
    ("service", "action", "code", "status", "words"),
    [
        ("sqs", "sqs:SendMessage", "AccessDenied", 403, "perform: sqs:sendmessage on resource: arn because it"),
        ("dynamodb", "dynamodb:PutItem", "AccessDeniedException", 400, "dynamodb:PutItem on resource: arn because it"),
        ("lambda", "lambda:InvokeFunction", "AccessDeniedException", 403, "on resource: arn because it"),
        ("sns", "sns:Publish", "AuthorizationError", 403, "perform: SNS:Publish on resource: arn because it"),
    ],
)
def test_each_service_refuses_in_its_own_way(service: str, action: str, code: str, status: int, words: str) -> None:
    """Code and status by the service's protocol."""
    found = refused(service, "me", Need(action, "arn"), Decision(is_allowed=False, why="because it"))

    assert (code, status) == (found.code, found.status)
    assert found.message.startswith("User: me is not authorized to perform: ")
    assert words in found.message


def test_what_could_not_be_decided_says_so() -> None:
    """The message is not AWS's, and names what is not known."""
    found = refused("sns", "me", Need("sns:Publish", "arn"), Decision(is_allowed=False, undecided="the key x"))

    assert "dlqlab cannot tell whether IAM allows it: the key x" in found.message
