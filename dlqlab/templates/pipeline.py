"""The pipeline that a template declares, as a topology. Pure.

Roles are the logical ids. What is declared for a queue that the template does not have is left out; a number that is
not known is None.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dlqlab.contracts.topology import Alarm, Consumer, Entry, EntryKind, Function, Pipe, Queue, Topology
from dlqlab.templates.resources import FUNCTIONS, UNKNOWN, Reference, Resource, Template

MAPPING: Final = "AWS::Lambda::EventSourceMapping"
VISIBILITY_S: Final = 30
RETENTION_S: Final = 345_600
TIMEOUT_S: Final = 3
BATCH_SIZE: Final = 10
"""Defaults of AWS: API references of CreateQueue, CreateFunction and CreateEventSourceMapping."""
_STREAMS: Final[Mapping[EntryKind, tuple[str, ...]]] = {
    EntryKind.STREAM: ("AWS::Kinesis::Stream",),
    EntryKind.TABLE: ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
}
"""What has a stream, by the kind of entry that it is."""
_PLACES: Final = (
    "AWS::SNS::Topic",
    "AWS::Events::EventBus",
    "AWS::S3::Bucket",
    *(one for types in _STREAMS.values() for one in types),
)
"""What can be published or written to, and lead on."""
_NAMES = ("QueueName", "FunctionName", "TopicName", "AlarmName", "Name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An event source mapping of a queue: the ids of its queue and function, and where its settings stand."""

    queue: str
    function: str
    declared: Resource


def name_of(resource: Resource) -> str:
    """Its name where the template gives one, else its logical id."""
    return next((value for one in _NAMES if isinstance(value := resource.at(one), str)), resource.logical_id)


def whole(value: Any, default: int | None = None) -> int | None:
    """A whole number; ``default`` where none is given, None where it is not known or no number."""
    if value is None:
        return default
    if isinstance(value, int | str):
        try:
            return int(value)
        except ValueError:
            return None
    return None


def is_true(value: Any) -> bool:
    """Templates write booleans as texts or not, as they like."""
    return str(value).lower() == "true"


def leads_to(value: Any, resources: Sequence[Resource]) -> str | None:
    """The logical id of the resource that a reference, name, ARN or URL leads to; None where it is none of these."""
    if isinstance(value, Reference):
        found = {one.logical_id for one in resources}
        return value.logical_id if value.logical_id in found else None
    if not isinstance(value, str):
        return None
    name = value.rpartition("/")[2].rpartition(":")[2]
    return next((one.logical_id for one in resources if name_of(one) == name), None)


def redrive(queue: Resource, queues: Sequence[Resource]) -> tuple[str | None, int | None]:
    """Where its redrive policy leads and after how many receives, each as far as it is known."""
    policy = queue.at("RedrivePolicy")
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except json.JSONDecodeError:
            policy = None
    if not isinstance(policy, Mapping):
        return None, None
    return leads_to(policy.get("deadLetterTargetArn"), queues), whole(policy.get("maxReceiveCount"))


def sources(template: Template) -> list[Source]:
    """The mappings of queues that the template has, of resources and of SAM's events."""
    queues = list(template.of("AWS::SQS::Queue"))
    found = []
    for one in template.of(MAPPING):
        queue, function = leads_to(one.at("EventSourceArn"), queues), _mapped_function(template, one)
        if queue and function:
            found.append(Source(queue=queue, function=function, declared=one))
    for function_, event in events(template, "SQS"):
        queue = leads_to(event.at("Queue"), queues)
        if queue:
            found.append(Source(queue=queue, function=function_.logical_id, declared=event))
    return found


def _mapped_function(template: Template, mapping: Resource) -> str | None:
    """The function of a mapping, also where the mapping names a version or an alias of it."""
    functions = list(template.of(*FUNCTIONS))
    value = mapping.at("FunctionName")
    aliases = {one.logical_id: one for one in template.of("AWS::Lambda::Alias", "AWS::Lambda::Version")}
    if isinstance(value, Reference) and value.logical_id in aliases:
        value = aliases[value.logical_id].at("FunctionName")
    return leads_to(value, functions)


def unclear(template: Template) -> set[str]:
    """The queues of which it is not known whether something reads them.

    A mapping or redrive policy whose queue is not known may be of any of them.
    """
    queues = list(template.of("AWS::SQS::Queue"))
    every = {one.logical_id for one in queues}
    targets = [one.at("RedrivePolicy", "deadLetterTargetArn") for one in queues]
    events_ = [event.at("Queue") for _, event in events(template, "SQS")]
    pipes = [one.at("Source") for one in template.of("AWS::Pipes::Pipe")]
    if UNKNOWN in [*targets, *events_, *pipes]:
        return every
    found: set[str] = set()
    for one in template.of(MAPPING):
        queue = leads_to(one.at("EventSourceArn"), queues)
        if one.at("EventSourceArn") is UNKNOWN:
            return every
        if queue and _mapped_function(template, one) is None:
            found.add(queue)
    return found


def events(template: Template, *kinds: str) -> Iterator[tuple[Resource, Resource]]:
    """The events of SAM's functions, of all kinds by default, each as a resource at its function's place."""
    for function in template.of("AWS::Serverless::Function"):
        declared = function.at("Events")
        for name, one in (declared if isinstance(declared, Mapping) else {}).items():
            kind = one.get("Type") if isinstance(one, Mapping) else None
            if isinstance(kind, str) and (not kinds or kind in kinds):
                yield (
                    function,
                    Resource(
                        logical_id=f"{function.logical_id}.{name}",
                        type=kind,
                        properties=one.get("Properties") or {},
                        file=function.file,
                        line=function.line,
                    ),
                )


def topology(template: Template) -> Topology:
    """The queues, functions, mappings, pipes, alarms and entries that the template declares."""
    queues, functions = list(template.of("AWS::SQS::Queue")), list(template.of(*FUNCTIONS))
    entries = tuple(_entries(template, queues, functions))
    places = [one for one in template.of(*_PLACES) if one.logical_id in {entry.place for entry in entries}]
    return Topology(
        name=template.file.name,
        queues=tuple(_queue(one, queues) for one in queues),
        functions=tuple(_function(one, queues, places) for one in functions),
        consumers=tuple(_consumer(one) for one in sources(template)),
        pipes=tuple(_pipes(template, queues, functions)),
        alarms=tuple(_alarms(template, queues, functions)),
        entries=entries,
    )


def _queue(one: Resource, queues: Sequence[Resource]) -> Queue:
    target, receives = redrive(one, queues)
    return Queue(
        role=one.logical_id,
        name=name_of(one),
        fifo=is_true(one.at("FifoQueue")),
        dead_letters=target,
        max_receive_count=receives,
        visibility_timeout_s=whole(one.at("VisibilityTimeout"), VISIBILITY_S),
        retention_s=whole(one.at("MessageRetentionPeriod"), RETENTION_S),
    )


def _function(one: Resource, queues: Sequence[Resource], places: Sequence[Resource]) -> Function:
    given = one.at("Environment", "Variables")
    variables = list(given.values()) if isinstance(given, Mapping) else []
    named = {leads_to(value, queues) for value in variables}
    published = {leads_to(value, places) for value in variables}
    return Function(
        role=one.logical_id,
        name=name_of(one),
        timeout_s=whole(one.at("Timeout"), TIMEOUT_S),
        reserved_concurrency=whole(one.at("ReservedConcurrentExecutions")),
        may_send_to=tuple(sorted(name for name in named if name)),
        may_publish_to=tuple(sorted(name for name in published if name)),
    )


def _consumer(one: Source) -> Consumer:
    at = one.declared.at
    filters = at("FilterCriteria", "Filters")
    patterns = [each.get("Pattern") for each in filters if isinstance(each, Mapping)] if _is_list(filters) else []
    types = at("FunctionResponseTypes")
    return Consumer(
        queue=one.queue,
        function=one.function,
        batch_size=whole(at("BatchSize"), BATCH_SIZE),
        batch_window_s=whole(at("MaximumBatchingWindowInSeconds"), 0),
        max_concurrency=whole(at("ScalingConfig", "MaximumConcurrency")),
        response_types=tuple(each for each in types if isinstance(each, str)) if _is_list(types) else (),
        filters=tuple(each if isinstance(each, str) else json.dumps(each, default=str) for each in patterns),
        is_enabled=str(at("Enabled")).lower() != "false",
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _pipes(template: Template, queues: list[Resource], functions: list[Resource]) -> Iterator[Pipe]:
    for one in template.of("AWS::Pipes::Pipe"):
        source = leads_to(one.at("Source"), queues)
        if source:
            target = leads_to(one.at("Target"), [*queues, *functions]) or str(one.at("Target"))
            is_enabled = one.at("DesiredState") != "STOPPED"
            yield Pipe(name=name_of(one), source=source, target=target, is_enabled=is_enabled)


def _alarms(template: Template, queues: list[Resource], functions: list[Resource]) -> Iterator[Alarm]:
    for one in template.of("AWS::CloudWatch::Alarm"):
        for metric, dimensions in _metrics(one):
            named = {each.get("Name"): each.get("Value") for each in dimensions if isinstance(each, Mapping)}
            queue = leads_to(named.get("QueueName"), queues)
            function = leads_to(named.get("FunctionName"), functions)
            if queue or function:
                has_actions = bool(one.at("AlarmActions")) and str(one.at("ActionsEnabled")).lower() != "false"
                yield Alarm(name=name_of(one), metric=metric, queue=queue, function=function, has_actions=has_actions)


def _metrics(alarm: Resource) -> Iterator[tuple[str, list[Any]]]:
    """The metrics that an alarm looks at, its own and those of its metric math."""
    several = alarm.at("Metrics")
    stats = [each.get("MetricStat") for each in several if isinstance(each, Mapping)] if _is_list(several) else []
    found = [each.get("Metric") for each in stats if isinstance(each, Mapping)]
    for one in (alarm.properties, *(each for each in found if isinstance(each, Mapping))):
        metric, dimensions = one.get("MetricName"), one.get("Dimensions")
        if isinstance(metric, str) and isinstance(dimensions, list):
            yield metric, dimensions


def _entries(template: Template, queues: list[Resource], functions: list[Resource]) -> Iterator[Entry]:
    """Subscriptions, rules, streams that mappings read, and SAM's routes."""
    for one in template.of("AWS::SNS::Subscription"):
        yield from _entry(EntryKind.TOPIC, one.at("TopicArn"), one.at("Endpoint"), queues, functions)
    for one in template.of("AWS::Events::Rule"):
        targets = one.at("Targets")
        kind = EntryKind.BUS if one.at("EventPattern") is not None else EntryKind.SCHEDULE
        for target in targets if _is_list(targets) else []:
            if isinstance(target, Mapping):
                yield from _entry(kind, one.at("EventBusName") or one.logical_id, target.get("Arn"), queues, functions)
    yield from _streams(template)
    for function, event in events(template, "Api", "HttpApi"):
        route = f"{str(event.at('Method') or 'ANY').upper()} {event.at('Path') or '$default'}"
        yield Entry(kind=EntryKind.HTTP, name=route, function=function.logical_id)


def _streams(template: Template) -> Iterator[Entry]:
    """The streams of Kinesis and of tables that mappings read, of resources and of SAM's events."""
    found = [(_mapped_function(template, one), one.at("EventSourceArn")) for one in template.of(MAPPING)]
    found += [(function.logical_id, event.at("Stream")) for function, event in events(template, "Kinesis", "DynamoDB")]
    for kind, types in _STREAMS.items():
        streams = list(template.of(*types))
        for function_id, source in found:
            if function_id and (stream := leads_to(source, streams)):
                yield Entry(kind=kind, name=stream, function=function_id)


def _entry(kind: EntryKind, name: Any, to: Any, queues: list[Resource], functions: list[Resource]) -> Iterator[Entry]:
    queue, function = leads_to(to, queues), leads_to(to, functions)
    if queue or function:
        text = name.logical_id if isinstance(name, Reference) else None if name is UNKNOWN else str(name)
        yield Entry(kind=kind, name=text, queue=queue, function=function)
