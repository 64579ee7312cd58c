"""Requests in IAM's terms, held against policies."""

from typing import Any

import pytest

from dlqlab.emulator.gateway.calls import Call, call_of
from tests.support.permissions import Grant, grants, missing, unused

TASKS = "arn:aws:sqs:us-east-1:000000000000:dlqlab-local-tasks"


def named(service: str, operation: str, **request: Any) -> tuple[str, str]:
    """Action and resource of a request."""
    call = call_of("f", service, operation, request, region="us-east-1", account="000000000000")
    return call.action, call.resource


def test_a_batch_needs_the_permission_of_one() -> None:
    """SQS has no actions for batches."""
    url = "http://127.0.0.1:1/000000000000/dlqlab-local-tasks"

    assert ("sqs:DeleteMessage", TASKS) == named("sqs", "DeleteMessageBatch", QueueUrl=url)
    assert ("sqs:SendMessage", TASKS) == named("sqs", "SendMessage", QueueUrl=url)


def test_resources_are_queues_tables_and_indexes() -> None:
    """A queue by name or URL, a table, and an index of its own below its table."""
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/t"

    assert ("sqs:GetQueueUrl", TASKS) == named("sqs", "GetQueueUrl", QueueName="dlqlab-local-tasks")
    assert ("dynamodb:PutItem", table) == named("dynamodb", "PutItem", TableName="t")
    assert ("dynamodb:Query", f"{table}/index/i") == named("dynamodb", "Query", TableName="t", IndexName="i")


def test_missing_and_unused_are_told_by_action_and_resource() -> None:
    """The right action on another resource is missing and leaves its grant unused."""
    granted = list(
        grants(
            {
                "Statement": [
                    {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": "*-tasks"},
                    {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": ["*:table/a", "*:table/b"]},
                ]
            }
        )
    )
    other = Call("f", "sqs:SendMessage", TASKS.replace("tasks", "dead-letters"))
    read = Call("f", "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:000000000000:table/b")
    calls = [Call("f", "sqs:SendMessage", TASKS), other, read]

    assert [other] == missing(calls, granted)
    assert [Grant("dynamodb:GetItem", "*:table/a"), Grant("sqs:GetQueueUrl", "*-tasks")] == unused(calls, granted)


@pytest.mark.parametrize("change", [{"Effect": "Deny"}, {"Condition": {}}, {"NotResource": "*"}])
def test_statements_that_are_not_understood_are_an_error(change: dict[str, Any]) -> None:
    """A policy that this reader cannot judge is never taken for a plain one."""
    with pytest.raises(ValueError, match="only plain Allow statements"):
        list(grants({"Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "*"} | change]}))
