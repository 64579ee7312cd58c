"""The topology of all that is deployed at a target: each part has its name as its role."""

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.topology import EVENT_RETRIES, Alarm, Consumer, Function, Pipe, Queue, Table, Topology
from dlqlab.deploy.arns import name_of, service_of
from dlqlab.deploy.survey.calls import Clients, asked, pages
from dlqlab.deploy.survey.entries import Known, entries
from dlqlab.errors import DeployError

DISABLED = frozenset({"Disabled", "Disabling"})
PROBES = "dlqlab-probe-"
_EVENT_CONFIGS = "FunctionEventInvokeConfigs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found, and in sentences what could not be asked for."""

    topology: Topology
    notes: tuple[str, ...]


def survey(clients: Clients, *, name: str) -> Survey:
    """Everything at the target that messages go through. Nothing is changed, no message is received.

    Raises:
        DeployError: its queues or functions cannot be read: AWS does not answer, or refuses.
    """
    notes: list[str] = []
    try:
        queues = _leading_somewhere(list(_queues(clients("sqs"))), notes)
        lambdas = list(pages(clients("lambda"), "list_functions", "Functions"))
        consumers = list(_consumers(clients("lambda"), {queue.name for queue in queues}))
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"queues and functions cannot be read: {error}") from error
    known = Known(frozenset(queue.name for queue in queues), frozenset(one["FunctionName"] for one in lambdas))
    ways_in = entries(clients, known, notes)
    places = {one.place for one in ways_in if one.place}
    functions = [_function(clients("lambda"), one, known.queues, places, notes) for one in lambdas]
    topology = Topology(
        name=name,
        entries=ways_in,
        queues=in_order(queues, consumers, functions),
        functions=tuple(functions),
        consumers=tuple(consumers),
        pipes=tuple(asked("pipes", notes, lambda: [*_pipes(clients("pipes"), known)]) or ()),
        alarms=tuple(asked("alarms", notes, lambda: [*_alarms(clients("cloudwatch"), known)]) or ()),
        tables=tuple(asked("tables", notes, lambda: [*_tables(clients("dynamodb"))]) or ()),
    )
    return Survey(topology=topology, notes=tuple(notes))


def in_order(queues: list[Queue], consumers: list[Consumer], functions: list[Function]) -> tuple[Queue, ...]:
    """Queues as messages pass them: one that a consumer may send on to after the one that it consumes, dead letters
    right after the queue that they come from, else by name.
    """
    by_name = {queue.name: queue for queue in sorted(queues, key=lambda queue: queue.name)}
    sends = {function.name: function.may_send_to for function in functions}
    following = {
        name: [to for one in consumers if one.queue == name for to in sends.get(one.function, ()) if to != name]
        for name in by_name
    }
    dead = {queue.dead_letters for queue in queues if queue.dead_letters}
    reached = {name for names in following.values() for name in names} | dead
    found: dict[str, Queue] = {}

    def visit(name: str) -> None:
        queue = by_name.get(name)
        if queue is None or name in found:
            return
        found[name] = queue
        for after in (queue.dead_letters, *following[name]):
            if after:
                visit(after)

    for name in [*(name for name in by_name if name not in reached), *(name for name in by_name if name not in dead)]:
        visit(name)
    for name in by_name:
        visit(name)
    return tuple(found.values())


def _queues(client: Any) -> Iterator[Queue]:
    for url in pages(client, "list_queues", "QueueUrls"):
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        name = name_of(attributes["QueueArn"])
        if not name.startswith(PROBES):
            yield _queue(name, attributes)


def _leading_somewhere(queues: list[Queue], notes: list[str]) -> list[Queue]:
    """Without the redrive policies that lead to no queue: SQS keeps such a message where it is, beyond its count."""
    names = {queue.name for queue in queues}
    lost = [queue for queue in queues if queue.dead_letters and queue.dead_letters not in names]
    notes += [
        f"the redrive policy of {one.name} leads to {one.dead_letters}, which is not there: nothing is dead-lettered"
        for one in lost
    ]
    return [replace(one, dead_letters=None, max_receive_count=None) if one in lost else one for one in queues]


def _queue(name: str, attributes: Mapping[str, str]) -> Queue:
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    target = name_of(policy.get("deadLetterTargetArn", "")) or None
    return Queue(
        role=name,
        name=name,
        fifo=attributes.get("FifoQueue") == "true",
        dead_letters=target,
        max_receive_count=int(policy["maxReceiveCount"]) if target else None,
        visibility_timeout_s=int(attributes["VisibilityTimeout"]),
        retention_s=int(attributes["MessageRetentionPeriod"]),
    )


def _function(
    client: Any, found: Mapping[str, Any], queues: AbstractSet[str], places: AbstractSet[str], notes: list[str]
) -> Function:
    name = found["FunctionName"]
    variables = found.get("Environment", {}).get("Variables", {}).values()
    events = asked(f"asynchronous invocations of {name}", notes, partial(_events, client, found))
    retries, drops = events or (None, None)
    reserved = asked(f"concurrency of {name}", notes, partial(client.get_function_concurrency, FunctionName=name))
    return Function(
        role=name,
        name=name,
        timeout_s=found.get("Timeout"),
        reserved_concurrency=(reserved or {}).get("ReservedConcurrentExecutions"),
        may_send_to=tuple(sorted(_named(variables, queues))),
        may_publish_to=tuple(sorted(_named(variables, places))),
        event_retries=retries,
        drops_failed_events=drops,
    )


def _events(client: Any, function: Mapping[str, Any]) -> tuple[int, bool]:
    """How often a failed asynchronous invocation is tried again, and whether nothing takes it in the end."""
    configured = pages(
        client, "list_function_event_invoke_configs", _EVENT_CONFIGS, FunctionName=function["FunctionName"]
    )
    events: Mapping[str, Any] = next(iter(configured), {})
    failed = events.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    letters = function.get("DeadLetterConfig", {}).get("TargetArn")
    return events.get("MaximumRetryAttempts", EVENT_RETRIES), not (failed or letters)


def _named(values: Iterable[str], names: AbstractSet[str]) -> AbstractSet[str]:
    """What variables name: by URL or ARN, whose last part is the name, or by name alone."""
    ends = {str(value).rpartition("/")[2].rpartition(":")[2] for value in values}
    return ends & names


def _consumers(client: Any, queues: set[str]) -> Iterator[Consumer]:
    for found in pages(client, "list_event_source_mappings", "EventSourceMappings"):
        source = found.get("EventSourceArn", "")
        if service_of(source) == "sqs" and name_of(source) in queues:
            yield Consumer(
                queue=name_of(source),
                function=name_of(found["FunctionArn"]),
                batch_size=found.get("BatchSize"),
                batch_window_s=found.get("MaximumBatchingWindowInSeconds") or 0,
                max_concurrency=(found.get("ScalingConfig") or {}).get("MaximumConcurrency"),
                response_types=tuple(found.get("FunctionResponseTypes") or ()),
                filters=tuple(one["Pattern"] for one in (found.get("FilterCriteria") or {}).get("Filters", ())),
                is_enabled=found.get("State") not in DISABLED,
            )


def _pipes(client: Any, known: Known) -> Iterator[Pipe]:
    for one in pages(client, "list_pipes", "Pipes"):
        source, target = name_of(one["Source"]), one["Target"]
        if service_of(one["Source"]) == "sqs" and source in known.queues:
            is_ours = name_of(target) in known.queues | known.functions
            yield Pipe(
                name=one["Name"],
                source=source,
                target=name_of(target) if is_ours else target,
                is_enabled=one.get("CurrentState") == "RUNNING",
            )


def _alarms(client: Any, known: Known) -> Iterator[Alarm]:
    for one in pages(client, "describe_alarms", "MetricAlarms"):
        named = {each["Name"]: each["Value"] for each in one.get("Dimensions", ())}
        queue, function = named.get("QueueName"), named.get("FunctionName")
        if queue in known.queues or function in known.functions:
            yield Alarm(
                name=one["AlarmName"],
                metric=one.get("MetricName", ""),
                queue=queue if queue in known.queues else None,
                function=function if function in known.functions else None,
                has_actions=bool(one.get("ActionsEnabled") and one.get("AlarmActions")),
            )


def _tables(client: Any) -> Iterator[Table]:
    for name in pages(client, "list_tables", "TableNames"):
        keys = client.describe_table(TableName=name)["Table"]["KeySchema"]
        yield Table(role=name, name=name, key="+".join(key["AttributeName"] for key in keys))
