"""The settings of a deployed stack, read by AWS calls. Nothing is changed."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.topology import Topology, Work
from dlqlab.errors import DeployError
from dlqlab.lint.settings import Consumer, Function, Queue, Redrive, Settings
from dlqlab.lint.settings import Mapping as SourceMapping
from taskrules.settings import Settings as AppSettings
from taskrules.settings import SettingsError

Clients = Callable[[str], Any]
"""A boto3 client by the name of its service."""


def of_stack(clients: Clients, topology: Topology, *, subject: str) -> list[Settings]:
    """The settings of the stage as it is deployed: one for each consumer of each queue of work.

    Raises:
        DeployError: nothing is deployed, or AWS does not answer.
    """
    sqs, functions = clients("sqs"), clients("lambda")
    pairs = [(work, consumer.name) for work in topology.works for consumer in work.consumers]
    try:
        return [
            _read(sqs, functions, topology, work, consumer, subject if len(pairs) == 1 else f"{subject}: {consumer}")
            for work, consumer in pairs
        ]
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"{subject} cannot be read: {error}; is it deployed? (dlqlab deploy)") from error


def _read(sqs: Any, functions: Any, topology: Topology, work: Work, consumer: str, subject: str) -> Settings:
    tasks, task_attributes = _queue(sqs, work.queue.name)
    worker, variables = _function(functions, consumer)
    letters, letter_attributes = _queue(sqs, work.dead_letters.name) if work.dead_letter_queue else (None, {})
    readers = work.dead_letter_consumers
    reader = _function(functions, readers[0].name)[0] if readers else None
    api = _function(functions, topology.api.name)[0] if topology.has_api else None
    app, problem = _rules(consumer, variables) if topology.deploy.scenario else (None, None)
    dead_letters = _consumer(functions, letters, letter_attributes["QueueArn"], reader) if letters and reader else None
    return Settings(
        subject=subject,
        tasks=_consumer(functions, tasks, task_attributes["QueueArn"], worker),
        dead_letters=dead_letters,
        unread=None if dead_letters else letters,
        redrive=_redrive(task_attributes, letter_attributes),
        retry=app.retry_policy if app else None,
        faults=app.fault_plan if app else None,
        problem=problem,
        breaker=app.breaker_policy if app else None,
        api=api,
        queue_names=tuple(topology.queue_names.values()),
        function_names=tuple(topology.function_names.values()),
    )


def _rules(function: str, variables: Mapping[str, str]) -> tuple[AppSettings | None, str | None]:
    """The rules that a function follows by its variables, or why they cannot be read."""
    try:
        return AppSettings.from_env(variables), None
    except SettingsError as error:
        return None, f"{function}: {error}"


def _queue(sqs: Any, name: str) -> tuple[Queue, Mapping[str, str]]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    queue = Queue(
        name=name,
        visibility_timeout_s=int(found["VisibilityTimeout"]),
        is_fifo=found.get("FifoQueue") == "true",
        retention_s=int(found["MessageRetentionPeriod"]),
        delay_s=int(found["DelaySeconds"]),
        max_message_bytes=int(found["MaximumMessageSize"]),
    )
    return queue, found


def _function(client: Any, name: str) -> tuple[Function, Mapping[str, str]]:
    found = client.get_function_configuration(FunctionName=name)
    variables: Mapping[str, str] = found.get("Environment", {}).get("Variables", {})
    reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    partial = variables.get("PARTIAL_BATCH_RESPONSES")
    function = Function(
        name=name,
        timeout_s=int(found["Timeout"]),
        reserved_concurrency=reserved,
        variables_bytes=len(json.dumps(dict(variables), ensure_ascii=False).encode()),
        reports_failures=None if partial is None else partial == "1",
    )
    return function, variables


def _consumer(client: Any, queue: Queue, queue_arn: str, function: Function) -> Consumer:
    lister = client.get_paginator("list_event_source_mappings")
    pages = lister.paginate(EventSourceArn=queue_arn, FunctionName=function.name)
    found = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    mapping = _mapping(found[0]) if found else None
    return Consumer(queue=queue, function=function, mapping=mapping, mappings=len(found))


def _mapping(found: Mapping[str, Any]) -> SourceMapping:
    pollers = found.get("ProvisionedPollerConfig") or {}
    return SourceMapping(
        batch_size=found["BatchSize"],
        batch_window_s=found.get("MaximumBatchingWindowInSeconds") or 0,
        max_concurrency=(found.get("ScalingConfig") or {}).get("MaximumConcurrency"),
        pollers=(pollers.get("MinimumPollers", 2), pollers.get("MaximumPollers", 200)) if pollers else None,
        response_types=tuple(found.get("FunctionResponseTypes") or ()),
        is_enabled=found["State"] not in {"Disabled", "Disabling"},
    )


def _redrive(tasks: Mapping[str, str], letters: Mapping[str, str]) -> Redrive | None:
    """The policy where it leads to this dead-letter queue; one that leads elsewhere is none of ours."""
    policy = json.loads(tasks.get("RedrivePolicy") or "{}")
    if not policy or policy.get("deadLetterTargetArn") != letters.get("QueueArn"):
        return None
    allow = json.loads(letters.get("RedriveAllowPolicy") or '{"redrivePermission": "allowAll"}')
    listed = allow["redrivePermission"] == "byQueue" and tasks["QueueArn"] in allow.get("sourceQueueArns", ())
    return Redrive(
        max_receive_count=int(policy["maxReceiveCount"]),
        is_allowed=allow["redrivePermission"] == "allowAll" or listed,
    )
