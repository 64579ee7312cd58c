"""Topologies from files and from JSON, checked: every error names the field, its value, and what to give."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jmespath
import jmespath.exceptions

from dlqlab.contracts.plain import ShapeError, UnknownFieldError, from_plain
from dlqlab.contracts.topology import Consumer, Entry, EntryKind, Function, Queue, Table, Topology
from dlqlab.errors import TopologyError

FILE = "topology.toml"
STAGE = "{stage}"
"""Stands for the stage in every text of the file."""
FIFO_SUFFIX = ".fifo"
"""A FIFO queue's name ends so, and no other's may ("CreateQueue", SQS API reference)."""

RESPONSE_TYPES = ("ReportBatchItemFailures",)
"""What a mapping may ask its function to answer ("FunctionResponseTypes", Lambda API reference)."""
_NEEDED: Mapping[EntryKind, tuple[tuple[str, ...], ...]] = {
    EntryKind.HTTP: (("name",), ("function", "queue")),
    EntryKind.QUEUE: (("queue",),),
    EntryKind.TOPIC: (("name",),),
    EntryKind.BUS: (("name",),),
    EntryKind.BUCKET: (("name",),),
    EntryKind.STREAM: (("name",), ("function",)),
    EntryKind.TABLE: (("name",), ("function",)),
    EntryKind.SCHEDULE: (("function", "queue"),),
}
"""What each kind of entry says; of several fields one is enough."""


def read_topology(folder: Path, stage: str) -> Topology:
    """What the pipeline in a folder consists of at a stage.

    Raises:
        TopologyError: there is no such file, or it cannot be used.
    """
    path = folder / FILE
    try:
        text = path.read_text()
    except OSError as error:
        remedy = "give a folder that holds one (docs/topology.md)"
        raise TopologyError(f"{path}: cannot be read: {error.strerror}: {remedy}") from error
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TopologyError(f"{path}: is not TOML: {error}") from error
    topology = from_json(at_stage(value, stage), source=str(path))
    _check_consumers_once(topology, str(path))
    return topology


def from_json(value: Mapping[str, Any], *, source: str) -> Topology:
    """A topology from what ``Topology.to_json`` gave, or a file says for one stage.

    Raises:
        TopologyError: names the field, its value, and what to give.
    """
    _check_texts(value, source)
    try:
        topology = from_plain(Topology, value)
    except UnknownFieldError as error:
        raise TopologyError(f"{source}: {error}: give {', '.join(error.known)}") from error
    except ShapeError as error:
        raise TopologyError(f"{source}: {error}") from error
    check(topology, source)
    return topology


def at_stage(value: Any, stage: str) -> Any:
    """What a file says, with the stage in place of {stage}."""
    match value:
        case str():
            return value.replace(STAGE, stage)
        case dict():
            return {key: at_stage(item, stage) for key, item in value.items()}
        case list():
            return [at_stage(item, stage) for item in value]
        case _:
            return value


def _check_texts(value: Any, source: str, where: str = "") -> None:
    match value:
        case "":
            raise TopologyError(f"{source}: {where} is '': give a text, or leave it out")
        case dict():
            for key, item in value.items():
                _check_texts(item, source, f"{where}.{key}" if where else key)
        case list() | tuple():
            for number, item in enumerate(value):
                _check_texts(item, source, f"{where}[{number}]")


def check(topology: Topology, source: str) -> None:
    """Whether the parts fit together.

    Raises:
        TopologyError: names the field, its value, and what to give.
    """
    _check_task_key(topology.task_key, f"{source}: task_key")
    for what in ("queues", "functions", "tables"):
        _check_unique(getattr(topology, what), f"{source}: {what}")
    for queue in topology.queues:
        _check_queue(topology, queue, f"{source}: queues: {queue.role}")
    for kind in ("entries", "consumers", "metrics", "alarms"):
        for number, user in enumerate(getattr(topology, kind)):
            where = f"{source}: {kind}[{number}]"
            _check_reference(getattr(user, "queue", None), topology.queue_names, f"{where}.queue")
            _check_reference(user.function, topology.function_names, f"{where}.function")
    for number, entry in enumerate(topology.entries):
        _check_entry(entry, f"{source}: entries[{number}]")
    for number, consumer in enumerate(topology.consumers):
        _check_consumer(consumer, f"{source}: consumers[{number}]")
    _check_evidence(topology, f"{source}: evidence")


def _check_task_key(path: str | None, where: str) -> None:
    try:
        jmespath.compile(path or "@")
    except jmespath.exceptions.JMESPathError as error:
        reason = str(error).partition("\n")[0]
        remedy = 'give a JMESPath into the bodies of messages, as "taskId" or "order.id"'
        raise TopologyError(f"{where} is {path!r}, which is no JMESPath ({reason}): {remedy}") from error


def _check_unique(parts: Iterable[Queue | Function | Table], where: str) -> None:
    for what in ("role", "name"):
        values = [getattr(part, what) for part in parts]
        for value in values:
            if values.count(value) > 1:
                raise TopologyError(f"{where}: the {what} {value!r} is given twice: give each part its own")


def _check_queue(topology: Topology, queue: Queue, where: str) -> None:
    if queue.fifo != queue.name.endswith(FIFO_SUFFIX):
        remedy = f"end the name in {FIFO_SUFFIX}" if queue.fifo else "set fifo = true, or give another name"
        raise TopologyError(f"{where}: name is {queue.name!r} and fifo is {str(queue.fifo).lower()}: {remedy}")
    _check_reference(queue.dead_letters, topology.queue_names, f"{where}: dead_letters")
    if queue.dead_letters == queue.role:
        raise TopologyError(f"{where}: dead_letters is the queue itself: name another one")
    if queue.dead_letters and topology.queue(queue.dead_letters).fifo != queue.fifo:
        raise TopologyError(
            f"{where}: dead_letters is {queue.dead_letters!r}: give a {'FIFO' if queue.fifo else 'standard'} queue, as "
            "this one is"
        )
    if queue.max_receive_count and not queue.dead_letters:
        raise TopologyError(
            f"{where}: max_receive_count is {queue.max_receive_count} without dead_letters: name the dead-letter queue"
        )


def _check_entry(entry: Entry, where: str) -> None:
    for names in _NEEDED[entry.kind]:
        if all(getattr(entry, name) is None for name in names):
            raise TopologyError(f"{where}: kind is {str(entry.kind)!r} and {' or '.join(names)} is missing: give it")


def _check_consumer(consumer: Consumer, where: str) -> None:
    for value in consumer.response_types:
        if value not in RESPONSE_TYPES:
            raise TopologyError(f"{where}: response_types holds {value!r}: give {', '.join(RESPONSE_TYPES)}, or none")


def _check_consumers_once(topology: Topology, source: str) -> None:
    """Of what somebody declares: what is deployed may have two mappings from one queue to one function."""
    pairs = [(one.queue, one.function) for one in topology.consumers]
    for number, (queue, function) in enumerate(pairs):
        if pairs.count((queue, function)) > 1:
            raise TopologyError(f"{source}: consumers[{number}]: {queue} to {function} is given twice: give it once")


def _check_evidence(topology: Topology, where: str) -> None:
    """Rows are told from those of other runs by the run's id, which only a scenario's variables give to functions."""
    evidence, tables = topology.evidence, {table.role: table.name for table in topology.tables}
    for what in ("tasks", "archive"):
        _check_reference(getattr(evidence, what), tables, f"{where}.{what}")
    if (evidence.events or evidence.tasks or evidence.archive) and not topology.deploy.scenario:
        raise TopologyError(f"{where} is given, and deploy.scenario is false: set it to true, or leave evidence out")
    if (evidence.tasks is None) != (evidence.archive is None):
        raise TopologyError(
            f"{where} names tasks {evidence.tasks!r} and archive {evidence.archive!r}: name both or none"
        )


def _check_reference(role: str | None, known: Mapping[str, str], where: str) -> None:
    if role is not None and role not in known:
        raise TopologyError(
            f"{where} is {role!r}: give one of {', '.join(known) or 'those that are declared: none are'}"
        )
