"""From the run of any pipeline to a model of it, with what the model leaves out and what it has to assume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc

from dlqlab.analysis.facts import EARLIER_MARGIN_S, Facts
from dlqlab.analysis.flow import Flow
from dlqlab.analysis.life_parts import Stay
from dlqlab.analysis.message_checks.failure_rates import rates_by_receive, trials_of
from dlqlab.contracts.evidence import load_evidence
from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.topology import Topology
from dlqlab.errors import UsageError
from dlqlab.twin.pipeline.chains import Chains, by_sender, chains
from dlqlab.twin.pipeline.consumers import Seen, consumer_of
from dlqlab.twin.pipeline.durations import samples
from dlqlab.twin.pipeline.left_out import assumptions, left_out
from dlqlab.twin.pipeline.model import RETENTION_S, VISIBILITY_S, Arrival, Consumer, FunctionRules, Pipeline, QueueRules
from dlqlab.twin.pipeline.tries import Pair, Try, invocations_of, tries_of

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """A run as a model.

    Args:
        run_id: of the run.
        flow: its record.
        pipeline: the model.
        chains: its messages, as the model counts them.
        rates: failure rates by function and receive, with interval and n.
        left_out: what the model does not have, a sentence each.
        assumed: what the run does not show and the model takes for granted, a sentence each.
    """

    run_id: str
    flow: Flow
    pipeline: Pipeline
    chains: Chains
    rates: Sequence[Mapping[str, Any]]
    left_out: tuple[str, ...]
    assumed: tuple[str, ...]


def calibrate(run: RunDir, *, pollers_max: int) -> Calibrated:
    """The model of a run.

    Raises:
        UsageError: the run was simulated, was on several emulators, or its record does not say enough.
        EvidenceError: it cannot be read.
    """
    evidence = load_evidence(run)
    manifest, topology = evidence.manifest, evidence.topology
    name = f"run {manifest.run_id}"
    if manifest.simulated:
        raise UsageError(f"{name} was simulated: calibrate from a measured one")
    if evidence.recording is None:
        why = evidence.unreadable.get("recording") or manifest.not_measured.get("recording") or "nothing was recorded"
        raise UsageError(f"{name} has no record of its messages ({why}): run it with the flight recorder")
    if topology is None:
        raise UsageError(f"{name} does not say what its pipeline consists of: topology.json is not there")
    cells = evidence.recording.messages["cell"].drop_null().unique()
    if len(cells) > 1:
        raise UsageError(f"{name} was on {len(cells)} emulators: give a run on one, of which pollers can be told")
    deployed = run.read_deployed()
    if deployed is not None:
        topology = replace(deployed, entries=topology.entries, pipes=topology.pipes)
    begins_ts = None if manifest.load_started_ts is None else manifest.load_started_ts - EARLIER_MARGIN_S
    return model_of(
        Facts(evidence).flow, topology, run_id=manifest.run_id, pollers_max=pollers_max, begins_ts=begins_ts
    )


def model_of(
    whole: Flow, topology: Topology, *, run_id: str, pollers_max: int, begins_ts: float | None = None
) -> Calibrated:
    """The model of a record; messages that were sent before ``begins_ts`` are probes of the deployment.

    Raises:
        UsageError: no message entered a queue that a function works on, or no function was given one.
    """
    flow = whole if begins_ts is None else _since(whole, begins_ts)
    consumers = [one for one in topology.consumers if one.is_enabled]
    names, functions = topology.queue_names, topology.function_names
    pairs: dict[Pair, Any] = {
        (names[one.queue], functions[one.function]): one
        for one in consumers
        if one.queue in names and one.function in functions
    }
    queues = _queues(topology, {queue for queue, _ in pairs})
    found = chains(flow, queues, {one.dead_letters for one in queues.values() if one.dead_letters})
    tries = tries_of(flow)
    if not found.roots or not any(pair in tries for pair in pairs):
        raise UsageError(
            f"run {run_id} has nothing to calibrate from: no message came from outside into a queue of which a "
            "function was given some"
        )
    pipeline = Pipeline(
        queues=queues,
        consumers=tuple(_consumers(pairs, tries, found, flow.stays)),
        functions=_functions(topology, _warm(whole, begins_ts), {function for _, function in pairs}, tries),
        arrivals=_arrivals(found.roots),
        pollers_max=pollers_max,
    )
    rates = rates_by_receive(trials_of(flow), CONFIDENCE)
    return Calibrated(
        run_id=run_id,
        flow=flow,
        pipeline=pipeline,
        chains=found,
        rates=rates,
        left_out=tuple(left_out(flow, topology, pipeline)),
        assumed=tuple(assumptions(pipeline, found, rates)),
    )


def _since(flow: Flow, begins_ts: float) -> Flow:
    """Without the messages that were sent before, and what was invoked before."""
    messages, invocations = flow.recording.messages, flow.recording.invocations
    sent = messages.filter(pc.and_(pc.equal(messages["kind"], Kind.SENT.value), pc.less(messages["ts"], begins_ts)))
    earlier = pc.is_in(messages["message_id"], sent["message_id"].combine_chunks())
    recording = replace(
        flow.recording,
        messages=messages.filter(pc.invert(earlier)),
        invocations=invocations.filter(pc.greater_equal(invocations["started_ts"], begins_ts)),
    )
    return replace(flow, recording=recording)


def _queues(topology: Topology, consumed: set[str]) -> dict[str, QueueRules]:
    """The queues that functions work on, and their dead-letter queues."""
    by_role = {queue.role: queue for queue in topology.queues}
    wanted = [queue for queue in topology.queues if queue.name in consumed]
    dead = [by_role[queue.dead_letters] for queue in wanted if queue.dead_letters in by_role]
    return {
        queue.name: QueueRules(
            name=queue.name,
            visibility_s=float(VISIBILITY_S if queue.visibility_timeout_s is None else queue.visibility_timeout_s),
            is_fifo=queue.fifo,
            dead_letters=by_role[queue.dead_letters].name if queue.dead_letters in by_role else None,
            max_receive_count=queue.max_receive_count,
            retention_s=float(queue.retention_s or RETENTION_S),
        )
        for queue in [*wanted, *(one for one in dead if one.name not in consumed)]
    }


def _consumers(
    pairs: Mapping[Pair, Any], tries: Mapping[Pair, Sequence[Try]], found: Chains, stays: Sequence[Stay]
) -> list[Consumer]:
    sent = by_sender(found.sent)
    result = []
    for (queue, function), declared in pairs.items():
        own = [stay for stay in stays if stay.queue == queue]
        filtered = sum(stay.left == Kind.FILTERED for stay in own)
        seen = Seen(
            queue=queue,
            function=function,
            tries=tries.get((queue, function), ()),
            sent=sent,
            visits=found.visits,
            filtered=filtered / len(own) if own else 0.0,
        )
        result.append(consumer_of(declared, seen))
    return result


def _warm(flow: Flow, begins_ts: float | None) -> list[str]:
    """The function of each environment that the load found: it was used before, or has had no cold start since."""
    first: dict[str, tuple[str, bool]] = {}
    columns = ["environment", "function", "init_s", "started_ts"]
    for row in flow.recording.invocations.select(columns).to_pylist():
        if row["environment"]:
            is_earlier = begins_ts is not None and row["started_ts"] < begins_ts
            first.setdefault(row["environment"], (row["function"], is_earlier or row["init_s"] is None))
    return [function for function, is_warm in first.values() if is_warm]


def _functions(
    topology: Topology, warm: Sequence[str], names: set[str], tries: Mapping[Pair, Sequence[Try]]
) -> dict[str, FunctionRules]:
    declared = {function.name: function for function in topology.functions}
    return {
        name: FunctionRules(
            name=name,
            concurrency=declared[name].reserved_concurrency,
            timeout_s=declared[name].timeout_s,
            init_s=_inits([one for (_, function), some in tries.items() if function == name for one in some]),
            warm=warm.count(name),
        )
        for name in sorted(names)
    }


def _inits(tries: Sequence[Try]) -> tuple[float, ...]:
    return samples([one.init_s for one in invocations_of(tries) if one.init_s is not None])


def _arrivals(roots: Sequence[Stay]) -> tuple[Arrival, ...]:
    known = sorted(((stay.sent_ts or 0.0, stay) for stay in roots), key=lambda one: one[0])
    begins_ts = known[0][0]
    return tuple(
        Arrival(at_s=ts - begins_ts, queue=stay.queue, delay_s=stay.delay_s, group=stay.group_id) for ts, stay in known
    )
