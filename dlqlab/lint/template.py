"""The settings of a template, one for each consumer of each queue of work. Pure.

What the template leaves out has AWS's defaults. Where a number that the rules need is known only once it is deployed,
the consumer is not checked, and a note says so.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from dlqlab.contracts.topology import Topology
from dlqlab.lint.settings import Consumer, Function, Queue, Redrive, Settings
from dlqlab.lint.settings import Mapping as SourceMapping
from dlqlab.templates.pipeline import (
    BATCH_SIZE,
    RETENTION_S,
    TIMEOUT_S,
    VISIBILITY_S,
    Source,
    is_true,
    leads_to,
    name_of,
    redrive,
    sources,
    whole,
)
from dlqlab.templates.resources import FUNCTIONS, UNKNOWN, Resource, Template

MESSAGE_BYTES: Final = 1_048_576
"""The default of MaximumMessageSize (API reference of CreateQueue)."""


class NotKnownError(Exception):
    """A value that the rules need is known only once it is deployed; the text says which."""


def of_template(template: Template, topology: Topology) -> tuple[list[Settings], list[str]]:
    """The settings of each consumer, and a note for each whose settings are not known."""
    by_id = {one.logical_id: one for one in template.resources}
    dead = {one.dead_letters for one in topology.queues if one.dead_letters}
    pairs: dict[tuple[str, str], list[Source]] = {}
    for one in sources(template):
        pairs.setdefault((one.queue, one.function), []).append(one)
    found, notes = [], []
    for (queue, function), mappings in pairs.items():
        if queue not in dead:
            try:
                found.append(_settings(template, topology, mappings, by_id))
            except NotKnownError as error:
                notes.append(f"{queue} to {function}: not checked: {error} is not known before it is deployed")
    return found, notes


def _settings(
    template: Template, topology: Topology, mappings: list[Source], by_id: Mapping[str, Resource]
) -> Settings:
    queues = list(template.of("AWS::SQS::Queue"))
    tasks = by_id[mappings[0].queue]
    target, receives = redrive(tasks, queues)
    if tasks.at("RedrivePolicy") is not None and receives is None:
        raise NotKnownError(f"maxReceiveCount of {tasks.logical_id}")
    letters = by_id[target] if target else None
    reader = next(([one] for one in sources(template) if one.queue == target), None)
    dead_letters = _consumer(reader, by_id) if reader else None
    return Settings(
        subject=f"{template.file}: {name_of(tasks)} to {name_of(by_id[mappings[0].function])}",
        tasks=_consumer(mappings, by_id),
        dead_letters=dead_letters,
        unread=_queue(letters) if letters and dead_letters is None else None,
        redrive=None
        if receives is None
        else Redrive(max_receive_count=receives, is_allowed=_is_allowed(tasks, letters)),
        queue_names=tuple(topology.queue_names.values()),
        function_names=tuple(topology.function_names.values()),
    )


def _is_allowed(tasks: Resource, letters: Resource | None) -> bool:
    """Whether the dead-letter queue takes messages of the queue; where it cannot be known it is not denied."""
    allow: Any = letters.at("RedriveAllowPolicy") if letters else None
    if not isinstance(allow, Mapping):
        return True
    listed = allow.get("sourceQueueArns") or []
    if allow.get("redrivePermission") == "byQueue" and isinstance(listed, list) and UNKNOWN not in listed:
        return any(leads_to(one, [tasks]) for one in listed)
    return allow.get("redrivePermission") != "denyAll"


def _consumer(mappings: list[Source], by_id: Mapping[str, Resource]) -> Consumer:
    first = mappings[0]
    return Consumer(
        queue=_queue(by_id[first.queue]),
        function=_function(by_id[first.function]),
        mapping=_mapping(first.declared),
        mappings=len(mappings),
    )


def _queue(one: Resource) -> Queue:
    return Queue(
        name=name_of(one),
        visibility_timeout_s=_known(one, "VisibilityTimeout", VISIBILITY_S),
        is_fifo=is_true(one.at("FifoQueue")),
        retention_s=whole(one.at("MessageRetentionPeriod"), RETENTION_S),
        delay_s=whole(one.at("DelaySeconds"), 0),
        max_message_bytes=whole(one.at("MaximumMessageSize"), MESSAGE_BYTES),
    )


def _function(one: Resource) -> Function:
    if one.type not in FUNCTIONS:
        raise NotKnownError(f"the function {one.logical_id}")
    variables = one.at("Environment", "Variables")
    plain = isinstance(variables, Mapping) and all(isinstance(value, str) for value in variables.values())
    size = len(json.dumps(dict(variables), ensure_ascii=False).encode()) if plain else None
    return Function(
        name=name_of(one),
        timeout_s=_known(one, "Timeout", TIMEOUT_S),
        reserved_concurrency=whole(one.at("ReservedConcurrentExecutions")),
        variables_bytes=size,
    )


def _mapping(one: Resource) -> SourceMapping:
    types = one.at("FunctionResponseTypes")
    if types is UNKNOWN:
        raise NotKnownError(f"FunctionResponseTypes of {one.logical_id}")
    least, most = (one.at("ProvisionedPollerConfig", name) for name in ("MinimumPollers", "MaximumPollers"))
    pollers = (whole(least, 2), whole(most, 200)) if least is not None or most is not None else (None, None)
    return SourceMapping(
        batch_size=_known(one, "BatchSize", BATCH_SIZE),
        batch_window_s=_known(one, "MaximumBatchingWindowInSeconds", 0),
        max_concurrency=whole(one.at("ScalingConfig", "MaximumConcurrency")),
        pollers=None if pollers[0] is None or pollers[1] is None else (pollers[0], pollers[1]),
        response_types=tuple(one for one in types or () if isinstance(one, str)),
        is_enabled=str(one.at("Enabled")).lower() != "false",
    )


def _known(one: Resource, name: str, default: int) -> int:
    value = whole(one.at(name), default)
    if value is None:
        raise NotKnownError(f"{name} of {one.logical_id}")
    return value
