"""What every measured load needs, whoever started it: samples while it lasts, then the drain, then the collection."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlqlab.collect.collect import Clients, collect
from dlqlab.collect.drain import DrainProbe, DrainState, wait_for_drain
from dlqlab.collect.host import HostSampler
from dlqlab.collect.logs import Window
from dlqlab.collect.queues import QueueSampler
from dlqlab.collect.table import count_unfinished
from dlqlab.contracts.manifest import CardEntry, Collected, DrainReport, Manifest
from dlqlab.contracts.outcomes import NOT_TAKEN, TAKEN
from dlqlab.contracts.rundir import RunDir
from dlqlab.deploy.discover import differences, discover, missing
from dlqlab.deploy.target import Target
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import DeployError, EvidenceError
from dlqlab.load.ledger import read_ledger
from dlqlab.progress import Phases
from dlqlab.run import target_facts
from dlqlab.run.recordings import collect_recording
from dlqlab.run.watch import Watch

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ANSWERED = TAKEN | NOT_TAKEN


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a collection says of itself, and by subject what it could not have."""

    collected: Collected
    not_measured: Mapping[str, str]

    def added_to(self, manifest: Manifest) -> Manifest:
        """The manifest with it: what is missing stands on the fidelity card too."""
        return dataclasses.replace(
            manifest,
            collected=self.collected,
            not_measured={**manifest.not_measured, **self.not_measured},
            fidelity=(*manifest.fidelity, *not_measured_card(self.not_measured)),
        )


def not_measured_card(not_measured: Mapping[str, str]) -> Iterator[CardEntry]:
    """Entries of the fidelity card for what nobody looked at."""
    return (CardEntry(name=f"not measured: {name}", ok=None, statement=text) for name, text in not_measured.items())


def record_topology(run: RunDir, target: Target) -> tuple[str, ...]:
    """Write down what the pipeline is declared to consist of and what is deployed; returns how the two differ, for
    ``unlike_declared``.

    Raises:
        DeployError: a queue or function is not deployed, or AWS does not answer.
    """
    declared, deployed = target.topology, discover(target.client, target.topology)
    absent = missing(declared, deployed)
    if absent:
        raise DeployError(f"{'; '.join(absent)} at {target.label}: run dlqlab deploy")
    found = differences(declared, deployed)
    run.write_topology(declared, deployed=deployed, differences=found)
    return found


def unlike_declared(found: Sequence[str]) -> list[CardEntry]:
    """Entries of the fidelity card: in what the deployment is not what the topology declares; none where it is."""
    return [CardEntry(name="topology", ok=False, statement=f"not as declared: {text}") for text in found]


@contextmanager
def sampled(
    run: RunDir, emulator: Emulator | None, sqs: "SQSClient", urls: Mapping[str, str], watch: Watch
) -> Iterator[tuple[QueueSampler, HostSampler]]:
    """Queues and processes are sampled within, and the samplers watched; the load's own processes are added later.

    Raises:
        EvidenceError: samples failed. Not where the block broke off: its own error is the reason then.
    """
    queues = QueueSampler(sqs, urls, run.path)
    host = HostSampler(target_facts.host_parts(emulator), run.path)
    queues.start()
    host.start()
    watch.add("the sampling of queues", queues.ending)
    watch.add("the sampling of processes", host.ending)
    try:
        yield queues, host
    except BaseException as reason:
        for sampler in (host, queues):
            try:
                sampler.stop()
            except EvidenceError as error:
                reason.add_note(str(error))
        raise
    try:
        host.stop()
    finally:
        queues.stop()


def drain(
    run: RunDir, target: Target, queues: QueueSampler, deadline_s: float, phases: Phases
) -> tuple[bool, DrainReport]:
    """Wait until all queues are empty and every task that a client knows to be taken is terminal; whether that came.

    Raises:
        EvidenceError: the ledger or the task table cannot be read.
    """
    with phases.phase("drain") as phase:
        probe = _drain_probe(run, target, queues)

        def show(state: DrainState) -> None:
            phase.update(note=f"{state.queued:,} messages left")

        result = wait_for_drain(probe, deadline_s, on_progress=show)
        phase.note = "all queues empty, every task terminal" if result.drained else result.reason
        phase.failed = not result.drained
    return result.drained, DrainReport(waited_s=round(result.waited_s, 3), reason=result.reason)


def _drain_probe(run: RunDir, target: Target, queues: QueueSampler) -> DrainProbe:
    ledger = read_ledger(run.ledger_parts).rows
    acknowledged = frozenset(ledger.loc[ledger["outcome"].isin(TAKEN), "task_id"])
    unanswered = frozenset(ledger.loc[~ledger["outcome"].isin(ANSWERED), "task_id"].dropna()) - acknowledged
    dynamodb, table = target.client("dynamodb"), target.topology.task_table.name
    return DrainProbe(
        depths=queues.latest, unfinished=lambda: count_unfinished(dynamodb, table, acknowledged, unanswered)
    )


def pull(
    run: RunDir,
    target: Target,
    window: Window,
    phases: Phases,
    *,
    run_id: str,
    not_sampled: Collection[str] = (),
    sent_by_us: bool = True,
) -> Pulled:
    """Collect everything into the run directory; ``run_id`` is the one that the functions log.

    Raises:
        EvidenceError: a source could not be read.
    """
    clients = Clients(
        sqs=target.client("sqs"),
        logs=target.client("logs"),
        cloudwatch=target.client("cloudwatch"),
        dynamodb=target.client("dynamodb"),
    )
    with phases.phase("collect") as phase:
        report = collect(
            run,
            clients,
            target.topology,
            window,
            run_id=run_id,
            not_sampled=not_sampled,
            sent_by_us=sent_by_us,
            on_progress=lambda what, share: phase.update(done=share, total=1, note=what),
        )
        phase.update(note="what the emulator recorded")
        recorded = collect_recording(run, target_facts.emulator_of(target), window, target.topology.task_key)
        phase.note = ", ".join(f"{rows:,} {table}" for table, rows in report.rows.items())
        if recorded.rows is not None:
            phase.note += f", {sum(recorded.rows.values()):,} rows recorded"
    collected = Collected(
        rows=report.rows,
        logs_settled=report.logs_settled,
        foreign_items=report.foreign_items,
        recorded=recorded.rows,
    )
    return Pulled(collected, recorded.not_measured)
