"""What the rules look at: one view of the settings of a scenario and of a deployed stack.

Values stand as they were found, however impossible: an emulator may take what AWS refuses. None says that the
settings do not tell; a rule that needs the value is then not checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dlqlab.contracts.scenario import Load, Scenario
from dlqlab.contracts.topology import Topology
from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy

PARTIAL_RESPONSES = "ReportBatchItemFailures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of SQS."""

    name: str
    visibility_timeout_s: int
    is_fifo: bool = False
    retention_s: int | None = None
    delay_s: int | None = None
    max_message_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """An event source mapping of Lambda. ``max_concurrency`` and ``pollers`` (least, most) are None where not set."""

    batch_size: int
    batch_window_s: int = 0
    max_concurrency: int | None = None
    pollers: tuple[int, int] | None = None
    response_types: tuple[str, ...] = (PARTIAL_RESPONSES,)
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of Lambda.

    ``reports_failures`` says whether the function names failed messages in its answer (it raises otherwise).
    ``reserved_concurrency`` is None where nothing is reserved.
    """

    name: str
    timeout_s: int
    reserved_concurrency: int | None = None
    variables_bytes: int | None = None
    reports_failures: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A queue and the function that works on it; ``mappings`` is how many mappings join the two."""

    queue: Queue
    function: Function
    mapping: Mapping | None
    mappings: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """The redrive policy of the queue of work. ``is_allowed``: whether the dead-letter queue takes its messages."""

    max_receive_count: int
    is_allowed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a rule may look at.

    Args:
        subject: what these are the settings of, for people.
        tasks: the queue of work and its consumer.
        dead_letters: the dead-letter queue and its consumer; None where nothing is said about them.
        unread: the dead-letter queue that no function works on.
        redrive: None where the task queue has no redrive policy.
        retry: None where the functions' variables cannot be read.
        problem: why they cannot.
        breaker: of the circuit breaker that waits for the end of an outage; None where there is none.
        api: the API's function.
        load: what the clients do; a stack does not know.
        drain_s: how long a run waits for the last task.
        queue_names: of all queues, where they are deployed.
        function_names: of all functions, likewise.
    """

    subject: str
    tasks: Consumer
    dead_letters: Consumer | None = None
    unread: Queue | None = None
    redrive: Redrive | None = None
    retry: RetryPolicy | None = None
    faults: FaultPlan | None = None
    problem: str | None = None
    breaker: BreakerPolicy | None = None
    api: Function | None = None
    load: Load | None = None
    drain_s: float | None = None
    queue_names: tuple[str, ...] = ()
    function_names: tuple[str, ...] = ()

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        return (self.tasks,) if self.dead_letters is None else (self.tasks, self.dead_letters)

    @property
    def dead_letter_queue(self) -> Queue | None:
        """Whoever works on it; None where nothing is said about it."""
        return self.unread if self.dead_letters is None else self.dead_letters.queue

    @property
    def mapped(self) -> Iterator[tuple[Consumer, Mapping]]:
        """The consumers that have a mapping, with it."""
        return ((one, one.mapping) for one in self.consumers if one.mapping is not None)

    @property
    def functions(self) -> tuple[Function, ...]:
        consuming = tuple(one.function for one in self.consumers)
        return consuming if self.api is None else (*consuming, self.api)


def of_scenario(scenario: Scenario, topology: Topology) -> Settings:
    """The settings that a deployment for this scenario will have, as far as the scenario decides them."""
    work, pipeline = topology.work, scenario.pipeline
    return Settings(
        subject=f"scenario {scenario.name}",
        tasks=Consumer(
            queue=Queue(name=work.queue.name, visibility_timeout_s=pipeline.visibility_timeout_s),
            function=Function(name=work.consumer.name, timeout_s=pipeline.function_timeout_s, reports_failures=True),
            mapping=Mapping(
                batch_size=pipeline.batch_size,
                batch_window_s=pipeline.batch_window_s,
                max_concurrency=pipeline.max_concurrency or None,
            ),
        ),
        redrive=Redrive(max_receive_count=scenario.retry.max_attempts),
        retry=scenario.retry,
        faults=scenario.faults,
        breaker=scenario.breaker.policy(),
        load=scenario.load,
        drain_s=scenario.drain.deadline_s,
    )
