"""A deployed stack is read as it is, however impossible."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.errors import DeployError
from dlqlab.lint.settings import Mapping, Redrive, Settings
from dlqlab.lint.stack import of_stack
from dlqlab.specimens import task_system

TOPOLOGY = task_system("local")
VARIABLES = {
    "TASK_TABLE": "t",
    "ARCHIVE_TABLE": "a",
    "TASK_QUEUE": "q",
    "DEAD_LETTER_QUEUE": "d",
    "PARTIAL_BATCH_RESPONSES": "1",
    "RETRY_POLICY": json.dumps({"max_retries": 4, "base_s": 3}),
}
TASKS_ARN, LETTERS_ARN = "arn:aws:sqs:r:1:tasks", "arn:aws:sqs:r:1:letters"
POLICY = {"deadLetterTargetArn": LETTERS_ARN, "maxReceiveCount": 3}
ALLOW = {"redrivePermission": "byQueue", "sourceQueueArns": [TASKS_ARN]}


class Account:
    """Answers of the AWS API about one stack; stands for both clients."""

    def __init__(self) -> None:
        common = {"VisibilityTimeout": "60", "DelaySeconds": "0", "MaximumMessageSize": "1048576"}
        self.queues: dict[str, dict[str, str]] = {
            TOPOLOGY.queue("tasks").name: common
            | {"QueueArn": TASKS_ARN, "MessageRetentionPeriod": "345600", "RedrivePolicy": json.dumps(POLICY)},
            TOPOLOGY.queue("dead-letters").name: common
            | {"QueueArn": LETTERS_ARN, "MessageRetentionPeriod": "1209600", "RedriveAllowPolicy": json.dumps(ALLOW)},
        }
        self.variables = dict(VARIABLES)
        self.mappings: list[dict[str, Any]] = [
            {"BatchSize": 10, "State": "Enabled", "FunctionResponseTypes": ["ReportBatchItemFailures"]}
        ]
        self.reserved: dict[str, int] = {}

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        if QueueName not in self.queues:
            raise ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "no such queue"}}, "GetQueueUrl")
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        assert AttributeNames == ["All"]
        return {"Attributes": self.queues[QueueUrl]}

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"Timeout": 10, "Environment": {"Variables": self.variables}}

    def get_function_concurrency(self, **_: str) -> dict[str, int]:
        return self.reserved

    def get_paginator(self, _: str) -> "Account":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"EventSourceMappings": self.mappings}]


def read(account: Account) -> Settings:
    """The stack of the account."""
    (settings,) = of_stack(lambda _: account, TOPOLOGY, subject="a stack")
    return settings


def test_stack_is_read() -> None:
    """Queues, mapping, redrive and retry policy come from where AWS keeps them."""
    settings = read(Account())

    assert (60, 345_600) == (settings.tasks.queue.visibility_timeout_s, settings.tasks.queue.retention_s)
    assert Mapping(batch_size=10) == settings.tasks.mapping
    assert Redrive(max_receive_count=3) == settings.redrive
    assert settings.retry
    assert (4, 3.0) == (settings.retry.max_retries, settings.retry.base_s)
    assert settings.tasks.function.reports_failures


def test_mapping_is_read_with_its_limits() -> None:
    """Limits of concurrency, window and state are kept, whether or not they can go together."""
    account = Account()
    account.mappings = [
        {
            "BatchSize": 20,
            "MaximumBatchingWindowInSeconds": 2,
            "ScalingConfig": {"MaximumConcurrency": 1},
            "ProvisionedPollerConfig": {"MinimumPollers": 3},
            "State": "Disabled",
        }
    ]
    expected = Mapping(
        batch_size=20, batch_window_s=2, max_concurrency=1, pollers=(3, 200), response_types=(), is_enabled=False
    )

    assert expected == read(account).tasks.mapping


@pytest.mark.parametrize(
    ("allow", "allowed"),
    [
        (None, True),
        ({"redrivePermission": "allowAll"}, True),
        ({"redrivePermission": "denyAll"}, False),
        ({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:r:1:other"]}, False),
    ],
)
def test_redrive_permission_is_read(allow: dict[str, Any] | None, *, allowed: bool) -> None:
    """Without a policy everything is allowed; with one only what it lists."""
    account = Account()
    account.queues[TOPOLOGY.queue("dead-letters").name]["RedriveAllowPolicy"] = json.dumps(allow) if allow else ""

    assert Redrive(max_receive_count=3, is_allowed=allowed) == read(account).redrive


def test_redrive_to_another_queue_is_none() -> None:
    """A policy that leads elsewhere does not reach our monitor."""
    account = Account()
    policy = POLICY | {"deadLetterTargetArn": "arn:aws:sqs:r:1:other"}
    account.queues[TOPOLOGY.queue("tasks").name]["RedrivePolicy"] = json.dumps(policy)

    assert read(account).redrive is None


def test_unreadable_variables_are_told() -> None:
    """What the functions would refuse to start with is said in the functions' own words."""
    account = Account()
    account.variables["RETRY_POLICY"] = '{"max_retries": -1}'
    settings = read(account)

    assert settings.retry is None
    assert "max_retries is -1" in str(settings.problem)


def test_stack_that_is_not_deployed_is_an_error() -> None:
    """The error says how to deploy one."""
    account = Account()
    account.queues.clear()

    with pytest.raises(DeployError, match=r"a stack cannot be read: .*no such queue.*dlqlab deploy"):
        read(account)
