"""Rules about how a pipeline hangs together: what its topology shows without a look at any message."""

from collections import Counter
from typing import Final

from dlqlab.contracts.topology import Queue, Topology
from dlqlab.lint import sources
from dlqlab.lint.rule import Rule, Severity


def dead_letter_roles(topology: Topology) -> set[str]:
    """The queues that redrive policies lead to."""
    return {queue.dead_letters for queue in topology.queues if queue.dead_letters}


def _is_worked_on(topology: Topology, queue: Queue) -> bool:
    return bool(topology.consumers_of(queue)) or any(pipe.source == queue.role for pipe in topology.pipes)


def _unread(topology: Topology) -> list[str]:
    dead = dead_letter_roles(topology)
    return [
        f"{queue.name} has no event source mapping and no pipe"
        for queue in topology.queues
        if queue.role not in dead and not _is_worked_on(topology, queue)
    ]


def _shared(topology: Topology) -> list[str]:
    counts = Counter(one.queue for one in topology.consumers)
    counts.update(pipe.source for pipe in topology.pipes)
    return [f"{queue} has {n} consumers" for queue, n in counts.items() if n > 1]


def _filtered(topology: Topology) -> list[str]:
    return [f"{one.queue} to {one.function}: {' or '.join(one.filters)}" for one in topology.consumers if one.filters]


def _whole_batches(topology: Topology) -> list[str]:
    return [
        f"{one.queue} to {one.function}: batches of {one.batch_size}"
        for one in topology.consumers
        if (one.batch_size or 1) > 1 and not one.response_types
    ]


def _unwatched(topology: Topology) -> list[str]:
    watched = {alarm.queue for alarm in topology.alarms if alarm.has_actions}
    return [f"{role}: no alarm with an action looks at it" for role in sorted(dead_letter_roles(topology) - watched)]


RULES: Final[tuple[Rule[Topology], ...]] = (
    Rule(
        id="queue-unread",
        severity=Severity.WARNING,
        check=_unread,
        why="Nothing on AWS takes its messages; they expire. That is right only where a client of yours polls it.",
        source=sources.MAPPING_CONFIGURE,
        remedy="Create an event source mapping, or name the client that polls it.",
    ),
    Rule(
        id="consumers-share",
        severity=Severity.WARNING,
        check=_shared,
        why="Each message goes to one of them, by chance; with filters, one deletes what is meant for the other.",
        source=sources.MAPPING_FILTERS,
        remedy="Give each consumer a queue of its own, by a topic or a bus in front.",
    ),
    Rule(
        id="filter-deletes",
        severity=Severity.WARNING,
        check=_filtered,
        why="A mapping on an SQS queue deletes every message that matches none of its filters.",
        source=sources.MAPPING_FILTERS,
        remedy="Filter before the queue (a subscription's or rule's filter), or let the function decide.",
    ),
    Rule(
        id="whole-batch-retries",
        severity=Severity.INFO,
        check=_whole_batches,
        why="One failed message makes its whole batch come again, done or not; and a batchItemFailures answer is "
        "ignored.",
        source=sources.MAPPING_ERRORS,
        remedy="Set FunctionResponseTypes to ReportBatchItemFailures and return the failed messages.",
    ),
    Rule(
        id="letters-unwatched",
        severity=Severity.INFO,
        check=_unwatched,
        why="Nobody hears of a dead letter.",
        source=sources.SQS_DEAD_LETTERS,
        remedy="Add an alarm on ApproximateNumberOfMessagesVisible of the dead-letter queue, with an action.",
    ),
)
