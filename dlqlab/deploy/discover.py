"""What is deployed of a topology, found by AWS calls alone, and how it differs from what the file declares."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.topology import Consumer, Function, Queue, Table, Topology
from dlqlab.deploy.arns import name_of
from dlqlab.errors import DeployError

Clients = Callable[[str], Any]
"""A boto3 client by the name of its service."""
_SETTINGS = ("batch_size", "batch_window_s", "max_concurrency")
_MISSING = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
"""Codes of "there is no such queue, function or table" (botocore's models of SQS, Lambda, DynamoDB)."""


def discover(clients: Clients, declared: Topology) -> Topology:
    """The declared queues, functions and tables as they are deployed, and what is joined to the queues besides.

    What is not deployed is left out. A queue or function that the topology does not know has its name as its role.
    Entries, metrics and evidence are taken over: nothing asks AWS for them.

    Raises:
        DeployError: AWS does not answer, or refuses.
    """
    try:
        return _Reader(clients, declared).read()
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"the topology of {declared.name} cannot be read: {error}") from error


def differences(declared: Topology, deployed: Topology) -> tuple[str, ...]:
    """In what the deployment is not what is declared, one sentence each; what the file does not say is not compared."""
    return (
        *missing(declared, deployed),
        *_tables(declared, deployed),
        *_queues(declared, deployed),
        *_consumers(declared, deployed),
    )


def missing(declared: Topology, deployed: Topology) -> tuple[str, ...]:
    """The queues and functions that are declared and not there, one sentence each: nothing can be seen of them."""
    return (
        *_absent("queue", declared.queue_names, deployed.queue_names),
        *_absent("function", declared.function_names, deployed.function_names),
    )


class _Reader:
    def __init__(self, clients: Clients, declared: Topology) -> None:
        self._clients = clients
        self._declared = declared
        self._queue_roles = {queue.name: queue.role for queue in declared.queues}
        self._function_roles = {function.name: function.role for function in declared.functions}

    def read(self) -> Topology:
        found = self._attributes()
        consumers = {name: list(self._mappings(attributes["QueueArn"])) for name, attributes in found.items()}
        names = dict.fromkeys(
            [
                *(function.name for function in self._declared.functions if self._has_function(function.name)),
                *(name_of(mapping["FunctionArn"]) for mappings in consumers.values() for mapping in mappings),
            ]
        )
        tables = (self._table(table) for table in self._declared.tables)
        return Topology(
            name=self._declared.name,
            deploy=self._declared.deploy,
            entries=self._declared.entries,
            queues=tuple(self._queue(name, attributes, found) for name, attributes in found.items()),
            functions=tuple(Function(role=self._function_roles.get(name, name), name=name) for name in names),
            consumers=tuple(
                self._consumer(name, mapping) for name, mappings in consumers.items() for mapping in mappings
            ),
            tables=tuple(table for table in tables if table is not None),
            metrics=self._declared.metrics,
            evidence=self._declared.evidence,
        )

    def _attributes(self) -> dict[str, Mapping[str, str]]:
        """Attributes by name of every declared queue that is there, and of those that redrive policies lead to."""
        waiting = [queue.name for queue in self._declared.queues]
        found: dict[str, Mapping[str, str]] = {}
        while waiting:
            name = waiting.pop(0)
            attributes = None if name in found else self._queue_attributes(name)
            if attributes is not None:
                found[name] = attributes
                waiting += [target for target in (_target(attributes),) if target]
        return found

    def _queue_attributes(self, name: str) -> Mapping[str, str] | None:
        sqs = self._clients("sqs")

        def ask() -> Mapping[str, str]:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            attributes: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return attributes

        return _or_none(ask)

    def _mappings(self, queue_arn: str) -> Iterator[Mapping[str, Any]]:
        pages = self._clients("lambda").get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue_arn)
        return (mapping for page in pages for mapping in page["EventSourceMappings"])

    def _has_function(self, name: str) -> bool:
        client = self._clients("lambda")
        return _or_none(lambda: client.get_function_configuration(FunctionName=name)) is not None

    def _table(self, declared: Table) -> Table | None:
        client = self._clients("dynamodb")
        found = _or_none(lambda: client.describe_table(TableName=declared.name)["Table"]["KeySchema"])
        if found is None:
            return None
        keys = "+".join(key["AttributeName"] for key in found)
        return Table(role=declared.role, name=declared.name, key=keys)

    def _queue(self, name: str, attributes: Mapping[str, str], found: Mapping[str, object]) -> Queue:
        target = _target(attributes)
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
        return Queue(
            role=self._queue_roles.get(name, name),
            name=name,
            fifo=attributes.get("FifoQueue") == "true",
            dead_letters=self._queue_roles.get(target, target) if target in found else None,
            max_receive_count=int(policy["maxReceiveCount"]) if target in found else None,
            visibility_timeout_s=int(attributes["VisibilityTimeout"]),
        )

    def _consumer(self, queue: str, mapping: Mapping[str, Any]) -> Consumer:
        function = name_of(mapping["FunctionArn"])
        return Consumer(
            queue=self._queue_roles.get(queue, queue),
            function=self._function_roles.get(function, function),
            batch_size=mapping.get("BatchSize"),
            batch_window_s=mapping.get("MaximumBatchingWindowInSeconds") or 0,
            max_concurrency=(mapping.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            response_types=tuple(mapping.get("FunctionResponseTypes") or ()),
        )


def _absent(what: str, declared: Mapping[str, str], deployed: Mapping[str, str]) -> Iterator[str]:
    return (
        f"the {what} {role} ({name}) is declared and not deployed"
        for role, name in declared.items()
        if role not in deployed
    )


def _tables(declared: Topology, deployed: Topology) -> Iterator[str]:
    wanted, there = ({table.role: table for table in one.tables} for one in (declared, deployed))
    yield from _absent(
        "table",
        {role: table.name for role, table in wanted.items()},
        {role: table.name for role, table in there.items()},
    )
    for role in wanted.keys() & there.keys():
        if wanted[role].key != there[role].key:
            yield f"the table {role} has the key {there[role].key}, declared is {wanted[role].key}"


def _queues(declared: Topology, deployed: Topology) -> Iterator[str]:
    there = {queue.role: queue for queue in deployed.queues}
    for queue in declared.queues:
        found = there.get(queue.role)
        if found is None:
            continue
        if queue.dead_letters != found.dead_letters:
            yield (
                f"dead letters of the queue {queue.role} go to {found.dead_letters or 'no queue'}, "
                f"declared is {queue.dead_letters or 'none'}"
            )
        for name in ("max_receive_count", "visibility_timeout_s"):
            wanted, is_now = getattr(queue, name), getattr(found, name)
            if wanted is not None and wanted != is_now:
                yield f"{name} of the queue {queue.role} is {is_now}, declared is {wanted}"


def _consumers(declared: Topology, deployed: Topology) -> Iterator[str]:
    there = {(one.queue, one.function): one for one in deployed.consumers}
    wanted = {(one.queue, one.function): one for one in declared.consumers}
    for (queue, function), one in wanted.items():
        found = there.get((queue, function))
        if found is None:
            yield f"no event source mapping joins the queue {queue} to {function}, as declared"
            continue
        if set(one.response_types) != set(found.response_types):
            yield (
                f"response types of {queue} to {function} are {list(found.response_types)}, "
                f"declared are {list(one.response_types)}"
            )
        for name in _SETTINGS:
            value, is_now = getattr(one, name), getattr(found, name)
            if value is not None and value != is_now:
                yield f"{name} of {queue} to {function} is {is_now}, declared is {value}"
    for queue, function in there.keys() - wanted.keys():
        yield f"an event source mapping joins the queue {queue} to {function}, which is not declared"


def _target(attributes: Mapping[str, str]) -> str:
    """The name of the queue that dead letters go to; empty for none."""
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    return name_of(policy.get("deadLetterTargetArn", ""))


def _or_none[T](ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
