"""Pipelines in simulated time, and records of runs to make them from, a few words for each."""

from collections.abc import Iterable
from typing import Any

from dlqlab.contracts.topology import Consumer as Declared
from dlqlab.contracts.topology import Function, Queue, Topology
from dlqlab.twin.pipeline.model import Arrival, Consumer, Durations, FunctionRules, Pipeline, QueueRules
from tests.support.flows import Story
from tests.support.recordings import QUEUE as ARN

QUEUE, LETTERS, FUNCTION = "tasks", "dead", "work"

MAILS = ARN.replace("tasks", "mails")
TOPOLOGY = Topology(
    name="any",
    queues=(
        Queue(role="tasks", name="tasks", dead_letters="dead", max_receive_count=2, visibility_timeout_s=30),
        Queue(role="mails", name="mails", visibility_timeout_s=60),
        Queue(role="dead", name="dead-letters"),
    ),
    functions=(Function(role="work", name="processor", timeout_s=5), Function(role="mail", name="mailer")),
    consumers=(
        Declared(queue="tasks", function="work", batch_size=10, response_types=("ReportBatchItemFailures",)),
        Declared(queue="mails", function="mail", batch_size=1),
    ),
)
"""Tasks and their mails: two queues with a function each; one has a dead-letter queue."""


def taking(seconds: float) -> Durations:
    """An invocation takes so long, whatever it is given."""
    return Durations(fixed_s=seconds, longest_s=seconds, n=1)


def even(number: int, gap_s: float = 1.0, queue: str = QUEUE) -> tuple[Arrival, ...]:
    """So many messages, one each gap."""
    return tuple(Arrival(at_s=place * gap_s, queue=queue) for place in range(number))


def pipeline(
    arrivals: Iterable[Arrival],
    *,
    queue: dict[str, Any] | None = None,
    function: dict[str, Any] | None = None,
    more: Iterable[Consumer] = (),
    queues: Iterable[QueueRules] = (),
    pollers_max: int = 10,
    **consumer: Any,
) -> Pipeline:
    """A queue of work with its dead letters and one function whose environments are warm, and what is said besides."""
    settings: dict[str, Any] = {"visibility_s": 30.0, "dead_letters": LETTERS, "max_receive_count": 3} | (queue or {})
    work: dict[str, Any] = {"queue": QUEUE, "function": FUNCTION, "batch_size": 1, "succeeds": taking(0.1)}
    own = Consumer(**(work | consumer))
    others = tuple(more)
    names = {one.function for one in (own, *others)}
    known = [QueueRules(name=QUEUE, **settings), QueueRules(name=LETTERS), *queues]
    return Pipeline(
        queues={one.name: one for one in known},
        consumers=(own, *others),
        functions={name: FunctionRules(name=name, **({"warm": 1_000} | (function or {}))) for name in names},
        arrivals=tuple(arrivals),
        pollers_max=pollers_max,
    )


def retried(number: int, failing: int) -> Story:
    """So many messages, one a second, of which the first ones fail at their first receive and not at the second."""
    story = Story()
    for place in range(number):
        name = f"m{place}"
        story.sent(name, place)
        if place < failing:
            story.received(name, place).invoked(name, at=place, failed=[name]).back(name, place + 30)
            story.tried(name, place + 30).deleted(name, place + 30.6)
        else:
            story.tried(name, place).deleted(name, place + 0.6)
    return story
