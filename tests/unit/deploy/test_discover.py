"""What is deployed of a topology, from an account's answers, and how it differs from what is declared."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.contracts.topology import Consumer, Function, Queue, Table, Topology
from dlqlab.deploy.discover import differences, discover
from dlqlab.errors import DeployError

DECLARED = Topology(
    name="t",
    queues=(
        Queue(role="in", name="q", dead_letters="dead", max_receive_count=3, visibility_timeout_s=30),
        Queue(role="dead", name="d", visibility_timeout_s=30),
    ),
    functions=(Function(role="work", name="f"),),
    consumers=(Consumer(queue="in", function="work", batch_size=5, response_types=("ReportBatchItemFailures",)),),
    tables=(Table(role="state", name="s", key="id"),),
)


class Account:
    """Answers of the AWS API about queues, functions and tables; stands for every client."""

    def __init__(self) -> None:
        policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:r:1:d", "maxReceiveCount": "3"})
        self.queues: dict[str, dict[str, str]] = {
            "q": {"QueueArn": "arn:aws:sqs:r:1:q", "VisibilityTimeout": "30", "RedrivePolicy": policy},
            "d": {"QueueArn": "arn:aws:sqs:r:1:d", "VisibilityTimeout": "30"},
        }
        self.functions = {"f"}
        self.tables = {"s": "id"}
        mapping = {"FunctionArn": "arn:aws:lambda:r:1:function:f", "BatchSize": 5}
        self.mappings: dict[str, list[dict[str, Any]]] = {
            "arn:aws:sqs:r:1:q": [mapping | {"FunctionResponseTypes": ["ReportBatchItemFailures"]}]
        }
        self.refuses = ""

    def client(self, _service: str) -> "Account":
        return self

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        self._known(QueueName, self.queues, "AWS.SimpleQueueService.NonExistentQueue")
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, **_: object) -> dict[str, Any]:
        return {"Attributes": self.queues[QueueUrl]}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:
        self._known(FunctionName, self.functions, "ResourceNotFoundException")
        return {}

    def describe_table(self, *, TableName: str) -> dict[str, Any]:
        self._known(TableName, self.tables, "ResourceNotFoundException")
        return {"Table": {"KeySchema": [{"AttributeName": self.tables[TableName]}]}}

    def get_paginator(self, _operation: str) -> "Account":
        return self

    def paginate(self, *, EventSourceArn: str) -> list[dict[str, Any]]:
        return [{"EventSourceMappings": self.mappings.get(EventSourceArn, [])}]

    def _known(self, name: str, there: Any, code: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, "Ask")
        if name not in there:
            raise ClientError({"Error": {"Code": code, "Message": "not there"}}, "Ask")


def found(account: Account) -> list[str]:
    return list(differences(DECLARED, discover(account.client, DECLARED)))


def test_deployment_as_declared_has_no_difference() -> None:
    """Everything is found under its role."""
    assert [] == found(Account())


def test_what_a_file_does_not_say_is_not_compared() -> None:
    """A scenario may set it, or whoever deploys."""
    silent = Topology(
        name="t",
        queues=(Queue(role="in", name="q", dead_letters="dead"), Queue(role="dead", name="d")),
        functions=DECLARED.functions,
        consumers=(Consumer(queue="in", function="work", response_types=("ReportBatchItemFailures",)),),
    )

    assert () == differences(silent, discover(Account().client, silent))


def test_settings_that_differ_are_named() -> None:
    """Both values are told."""
    account = Account()
    account.queues["q"]["VisibilityTimeout"] = "31"
    account.queues["q"]["RedrivePolicy"] = '{"deadLetterTargetArn": "arn:aws:sqs:r:1:d", "maxReceiveCount": 4}'
    account.mappings["arn:aws:sqs:r:1:q"][0] |= {"BatchSize": 6, "FunctionResponseTypes": []}
    account.tables["s"] = "key"

    assert [
        "the table state has the key key, declared is id",
        "max_receive_count of the queue in is 4, declared is 3",
        "visibility_timeout_s of the queue in is 31, declared is 30",
        "response types of in to work are [], declared are ['ReportBatchItemFailures']",
        "batch_size of in to work is 6, declared is 5",
    ] == found(account)


def test_parts_that_are_not_deployed_are_named() -> None:
    """A queue, a function, a table, a mapping."""
    account = Account()
    del account.queues["d"]
    account.functions.clear()
    account.tables.clear()
    account.mappings.clear()

    assert [
        "the queue dead (d) is declared and not deployed",
        "the function work (f) is declared and not deployed",
        "the table state (s) is declared and not deployed",
        "dead letters of the queue in go to no queue, declared is dead",
        "max_receive_count of the queue in is None, declared is 3",
        "no event source mapping joins the queue in to work, as declared",
    ] == found(account)


def test_parts_that_nobody_declared_are_found() -> None:
    """A dead-letter queue by the redrive policy, a consumer by its mapping; they are called by their names."""
    account = Account()
    account.queues["other"] = {"QueueArn": "arn:aws:sqs:r:1:other", "VisibilityTimeout": "30"}
    account.queues["q"]["RedrivePolicy"] = '{"deadLetterTargetArn": "arn:aws:sqs:r:1:other", "maxReceiveCount": 3}'
    account.mappings["arn:aws:sqs:r:1:d"] = [{"FunctionArn": "arn:aws:lambda:r:1:function:spy", "BatchSize": 1}]

    assert [
        "dead letters of the queue in go to other, declared is dead",
        "an event source mapping joins the queue dead to spy, which is not declared",
    ] == found(account)
    assert {"in", "dead", "other"} == set(discover(account.client, DECLARED).queue_names)


def test_refusal_is_an_error_and_no_difference() -> None:
    """Who may not look does not know what is there."""
    account = Account()
    account.refuses = "AccessDenied"

    with pytest.raises(DeployError, match=r"the topology of t cannot be read: .*AccessDenied"):
        found(account)
