"""What the model of a run does not have, by name, and what it has to assume: sentences for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dlqlab.analysis.flow import Flow
from dlqlab.contracts.recorded import ActorKind, Kind, Outcome
from dlqlab.contracts.topology import EntryKind, Topology
from dlqlab.twin.pipeline.chains import Chains
from dlqlab.twin.pipeline.durations import ENOUGH
from dlqlab.twin.pipeline.model import Consumer, Pipeline
from dlqlab.wording import count, percent

HALF_WIDTH_MAX: Final = 0.1
"""A rate whose interval is wider to either side is not known well enough."""


def left_out(flow: Flow, topology: Topology, pipeline: Pipeline) -> Iterator[str]:
    """What is not simulated."""
    names = topology.function_names
    for pipe in topology.pipes:
        yield f"pipe {pipe.name} is not simulated: what it takes from {pipe.source} counts as left there"
    for entry in topology.entries:
        if entry.kind is EntryKind.SCHEDULE:
            yield f"schedule {entry.name} is not simulated: what it sent counts as come from outside"
    for one in topology.consumers:
        if not one.is_enabled:
            yield f"mapping {one.queue} -> {one.function} is disabled: it takes nothing"
    for name in sorted(set(topology.queue_names.values()) - set(pipeline.queues)):
        yield f"queue {name} is not simulated: no function works on it by a mapping"
    for name in sorted(set(names.values()) - set(pipeline.functions)):
        yield f"function {name} is not simulated: no queue is mapped to it; its cost is taken as in the run"
    yield from _hands(flow, pipeline)
    for name in sorted(pipeline.functions):
        failed = sum(row["function"] == name and row["outcome"] == Outcome.INIT_ERROR for row in flow.invocations)
        if failed:
            yield f"{count(failed, 'init')} of {name} failed: that is not simulated"
    yield "functions do not slow each other down: durations are those that this load showed on this machine"


def assumptions(pipeline: Pipeline, chains: Chains, rates: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the run does not show."""
    for row in rates:
        half = (row["high"] - row["low"]) / 2
        if half > HALF_WIDTH_MAX:
            yield (
                f"not enough data for the failure rate of {row['function']} at receive {row['receive_count']}: "
                f"{row['failed']} of {row['n']}, 95 % [{percent(row['low'])}, {percent(row['high'])}]"
            )
    for consumer in pipeline.consumers:
        yield from _of_consumer(consumer)
    if chains.unsure:
        yield (
            f"{count(chains.unsure, 'message')} may come from several of a batch: how many a message sends is a mean, "
            "and the time from entry to end is not held against the run"
        )


def _of_consumer(consumer: Consumer) -> Iterator[str]:
    where = f"{consumer.function} on {consumer.queue}"
    if not consumer.succeeds.n:
        yield f"{where} was given no message in the run: it takes no time and never fails"
        return
    if consumer.succeeds.n < ENOUGH:
        yield f"not enough data for the durations of {where}: {count(consumer.succeeds.n, 'invocation')}"
    if consumer.succeeds.sizes == 1:
        yield f"{where} had batches of one size only: its time is taken to grow with the size of the batch"
    last = max([*consumer.failing.raises, *consumer.failing.named], default=0)
    if last:
        yield f"receives of {where} after number {last} were not seen: they fail as often as number {last}"


def _hands(flow: Flow, pipeline: Pipeline) -> Iterator[str]:
    """What clients and redrives did to queues."""
    for name in pipeline.queues:
        own = [stay for stay in flow.stays if stay.queue == name]
        clients = sum(any(one.actor_kind == ActorKind.CLIENT for one in stay.deliveries) for stay in own)
        if clients:
            yield f"{count(clients, 'message')} of {name} received by clients: that is not simulated"
        redriven = sum(stay.left == Kind.REDRIVEN for stay in own)
        if redriven:
            yield f"{redriven:,} redriven from {name}: redrives are not simulated"
