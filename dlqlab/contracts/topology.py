"""What a pipeline under test consists of: entries, queues, functions that consume them, tables, evidence of its own.

The lab knows queues, functions and messages; which ones there are, a pipeline says in its ``topology.toml`` (docs/
topology.md; ``topology_file`` reads it). Parts are referred to by their role in the pipeline, which stays the same from
stage to stage; their names are those of AWS.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dlqlab.errors import TopologyError


class EntryKind(StrEnum):
    """How work comes in."""

    HTTP = "http"
    QUEUE = "queue"
    TOPIC = "topic"
    BUS = "bus"
    BUCKET = "bucket"
    STREAM = "stream"
    TABLE = "table"
    SCHEDULE = "schedule"


class Stat(StrEnum):
    """A statistic of CloudWatch (``GetMetricStatistics``)."""

    AVERAGE = "Average"
    MAXIMUM = "Maximum"
    MINIMUM = "Minimum"
    SAMPLE_COUNT = "SampleCount"
    SUM = "Sum"


class Tool(StrEnum):
    """What deploys the functions."""

    CHALICE = "chalice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where work comes in. ``name`` is the route, the schedule, or the name of the topic, bus, bucket, Kinesis stream
    or table, whose stream leads on; a queue or function is given by its role. ``filter`` is the JSON of the
    subscription's filter policy, of the rule's pattern or of the mapping's filters.
    """

    kind: EntryKind
    name: str | None = None
    queue: str | None = None
    function: str | None = None
    filter: str | None = None

    @property
    def place(self) -> str | None:
        """What is published or written to, by its name: a topic, bus, bucket, stream or table; None for other kinds."""
        if self.kind in {EntryKind.HTTP, EntryKind.QUEUE, EntryKind.SCHEDULE} or self.name is None:
            return None
        return self.name.partition("/")[0]  # of a bus its rule comes after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue. ``dead_letters`` is the role of the queue that its redrive policy leads to.

    None of a number says that the file does not tell: nothing is compared with what is deployed.
    """

    role: str
    name: str
    fifo: bool = False
    dead_letters: str | None = None
    max_receive_count: int | None = field(default=None, metadata={"range": (1, 1000)})
    visibility_timeout_s: int | None = field(default=None, metadata={"range": (0, 43_200)})
    retention_s: int | None = field(default=None, metadata={"range": (60, 1_209_600)})


EVENT_RETRIES = 2
"""How often Lambda tries a failed asynchronous invocation again, where nothing else is configured (API reference of
PutFunctionEventInvokeConfig).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of Lambda. ``may_send_to`` are the roles of queues that its environment variables name,
    ``may_publish_to`` the topics, buses, buckets, streams and tables among them that are entries (``Entry.place``).

    ``event_retries``: how often an asynchronous invocation that fails is tried again. ``drops_failed_events``: no
    on-failure destination and no dead-letter queue takes those that failed for good; None: not known.
    """

    role: str
    name: str
    timeout_s: int | None = field(default=None, metadata={"range": (1, 900)})
    reserved_concurrency: int | None = field(default=None, metadata={"range": (0, 1_000_000)})
    may_send_to: tuple[str, ...] = ()
    may_publish_to: tuple[str, ...] = ()
    event_retries: int | None = field(default=None, metadata={"range": (0, 2)})
    drops_failed_events: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """An event source mapping: the roles of its queue and function, and its settings as far as they are said.

    ``filters`` are JSON patterns; a message that matches none is deleted.
    """

    queue: str
    function: str
    batch_size: int | None = field(default=None, metadata={"range": (1, 10_000)})
    batch_window_s: int | None = field(default=None, metadata={"range": (0, 300)})
    max_concurrency: int | None = field(default=None, metadata={"range": (2, 1000)})
    response_types: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """A pipe of EventBridge: from a queue, by its role, to a target: a queue's or function's role, or an ARN."""

    name: str
    source: str
    target: str
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm on a metric of a queue or function, by its role."""

    name: str
    metric: str
    queue: str | None = None
    function: str | None = None
    has_actions: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of DynamoDB; ``key`` is its partition key, the only one."""

    role: str
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of a function's own (embedded metric format), with the dimension FunctionName."""

    namespace: str
    name: str
    function: str
    stat: Stat = Stat.SUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """How it is deployed: the template by CloudFormation as ``stack``, then the functions by their tool.

    ``scenario`` says that template and functions follow a scenario: parameters may hold {max_receive_count} and
    {visibility_timeout_s}, and the functions take its rules as variables (docs/configuration.md).
    """

    tool: Tool = Tool.CHALICE
    template: str | None = None
    stack: str | None = None
    scenario: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a pipeline itself tells of its messages, in the forms that the lab reads; nothing by default.

    ``events``: its functions log the events of docs/log-events.md. ``tasks`` and ``archive`` are roles of the tables
    that hold a task's state and the dead letters.
    """

    events: bool = False
    tasks: str | None = None
    archive: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One queue with what works on it, and where its dead letters go."""

    queue: Queue
    consumers: tuple[Function, ...]
    dead_letter_queue: Queue | None
    dead_letter_consumers: tuple[Function, ...]

    @property
    def consumer(self) -> Function:
        """The one function that works on the queue.

        Raises:
            TopologyError: there is none, or there are several.
        """
        return _only(self.consumers, f"consumer of the queue {self.queue.role}")

    @property
    def dead_letters(self) -> Queue:
        """The dead-letter queue.

        Raises:
            TopologyError: there is none.
        """
        return _only(
            [self.dead_letter_queue] if self.dead_letter_queue else [], f"dead-letter queue of {self.queue.role}"
        )

    @property
    def dead_letter_consumer(self) -> Function:
        """The one function that works on the dead-letter queue.

        Raises:
            TopologyError: there is none, or there are several.
        """
        return _only(self.dead_letter_consumers, f"consumer of the dead letters of {self.queue.role}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A pipeline at one stage. Queues stand in the order in which messages pass them.

    ``task_key`` says where a message's body has the key of its task: a JMESPath into the content of bodies, out of the
    envelopes of services (docs/recorder.md).
    """

    name: str
    deploy: Deploy = field(default_factory=Deploy)
    entries: tuple[Entry, ...] = ()
    queues: tuple[Queue, ...] = ()
    functions: tuple[Function, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    pipes: tuple[Pipe, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    tables: tuple[Table, ...] = ()
    metrics: tuple[Metric, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    task_key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values of every field, as ``topology_file.from_json`` takes them."""
        return dataclasses.asdict(self)

    def queue(self, role: str) -> Queue:
        """The queue of that role.

        Raises:
            TopologyError: there is none.
        """
        return _of_role(self.queues, role, "queue")

    def function(self, role: str) -> Function:
        """The function of that role.

        Raises:
            TopologyError: there is none.
        """
        return _of_role(self.functions, role, "function")

    def table(self, role: str) -> Table:
        """The table of that role.

        Raises:
            TopologyError: there is none.
        """
        return _of_role(self.tables, role, "table")

    @property
    def queue_names(self) -> dict[str, str]:
        """AWS's names of the queues by their roles, in order."""
        return {queue.role: queue.name for queue in self.queues}

    @property
    def function_names(self) -> dict[str, str]:
        """AWS's names of the functions by their roles, in order."""
        return {function.role: function.name for function in self.functions}

    def consumers_of(self, queue: Queue) -> tuple[Function, ...]:
        """The functions that work on a queue."""
        return tuple(self.function(one.function) for one in self.consumers if one.queue == queue.role)

    def entered_by(self, kind: EntryKind) -> tuple[Function, ...]:
        """The functions that entries of a kind lead to, each once."""
        roles = dict.fromkeys(entry.function for entry in self.entries if entry.kind is kind and entry.function)
        return tuple(self.function(role) for role in roles)

    @property
    def works(self) -> tuple[Work, ...]:
        """Each queue that is nobody's dead-letter queue, with what belongs to it."""
        dead = {queue.dead_letters for queue in self.queues}
        return tuple(self._work(queue) for queue in self.queues if queue.role not in dead)

    @property
    def work(self) -> Work:
        """The only one of ``works``, for what looks at one queue and its dead letters.

        Raises:
            TopologyError: there is none, or there are several.
        """
        return _only(self.works, f"queue of work in {self.name}")

    @property
    def api(self) -> Function:
        """The one function behind the HTTP routes.

        Raises:
            TopologyError: there is none, or there are several.
        """
        return _only(self.entered_by(EntryKind.HTTP), f"function behind HTTP routes in {self.name}")

    @property
    def has_api(self) -> bool:
        """Whether work comes in over HTTP."""
        return any(entry.kind is EntryKind.HTTP for entry in self.entries)

    @property
    def task_table(self) -> Table:
        """The table that holds the state of every task.

        Raises:
            TopologyError: the pipeline keeps none.
        """
        return self._evidence(self.evidence.tasks, "tasks")

    @property
    def archive_table(self) -> Table:
        """The table that holds the dead letters.

        Raises:
            TopologyError: the pipeline keeps none.
        """
        return self._evidence(self.evidence.archive, "archive")

    def works_on(self, function: Function, entry: Entry) -> bool:
        """Whether the function works on what comes of the entry: of itself, or of the queue that it leads to."""
        if entry.function is not None:
            return entry.function == function.role
        return any((one.queue, one.function) == (entry.queue, function.role) for one in self.consumers)

    def _work(self, queue: Queue) -> Work:
        letters = self.queue(queue.dead_letters) if queue.dead_letters else None
        return Work(
            queue=queue,
            consumers=self.consumers_of(queue),
            dead_letter_queue=letters,
            dead_letter_consumers=self.consumers_of(letters) if letters else (),
        )

    def _evidence(self, role: str | None, what: str) -> Table:
        if role is None:
            raise TopologyError(
                f"{self.name} declares no evidence.{what}: what needs it works for other pipelines only"
            )
        return self.table(role)


def _of_role[T: (Queue, Function, Table)](parts: Iterable[T], role: str, what: str) -> T:
    found = {part.role: part for part in parts}
    if role not in found:
        raise TopologyError(f"there is no {what} {role!r}: there are {', '.join(found) or 'none'}")
    return found[role]


def _only[T](found: Iterable[T], what: str) -> T:
    known = list(found)
    if len(known) != 1:
        raise TopologyError(f"the topology has {len(known)} times a {what}: this needs exactly one")
    return known[0]
