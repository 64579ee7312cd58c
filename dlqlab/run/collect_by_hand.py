"""A complete run directory of a load that was started by hand. What nobody measured is null, and said to be."""

import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from dlqlab.collect.host import PART_NAME as HOST_PART
from dlqlab.collect.logs import Window
from dlqlab.collect.parts import read_part
from dlqlab.collect.queues import PART_NAME as QUEUES_PART
from dlqlab.collect.queues import QueueSampler, queue_urls
from dlqlab.contracts.manifest import (
    DrainReport,
    Latency,
    LatencyProbe,
    Manifest,
    Provenance,
    RetryProbe,
    run_id,
)
from dlqlab.contracts.rundir import RunDir, point_latest
from dlqlab.contracts.scenario import Drain, Judge, Load, Scenario
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import Target
from dlqlab.errors import UsageError
from dlqlab.progress import Phases
from dlqlab.run import preflight
from dlqlab.run.deployed import Deployment, read_deployment, scenario_of
from dlqlab.run.ledgers import HandLoad, junk_ids, read_load, silent_s
from dlqlab.run.measure import drain, not_measured_card, pull, record_topology, unlike_declared
from dlqlab.run.target_facts import emulator_of, target_facts

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BY_HAND = "by-hand"
QUEUES_LATE = "depths of the queues while the load ran: nobody sampled them, the samples begin with the collection"
HOST_UNSEEN = "CPU and memory while the load ran: nobody sampled them"
BASELINE_UNSEEN = "latency before the load: nobody probed it, so whether it has returned to its baseline is not known"
LOAD_UNSAID = "what the clients were asked to send: their ledger does not say, the scenario shows defaults"


@dataclass(slots=True)
class HandCollector:
    """Collects one by-hand load. ``judged_as`` lends its name, its judge and its drain deadline."""

    run: RunDir
    target: Target
    console: Console
    judged_as: Scenario | None = None

    def collect(self) -> Manifest:
        """Wait for the drain, collect everything, write the manifest; returns it.

        Raises:
            UsageError: the load still runs, or the folder is a run that dlqlab itself made.
            DlqlabError: the deployment or a source cannot be read.
        """
        load = self._load()
        deployment = read_deployment(self.target)
        scenario = self._scenario(deployment, load)
        manifest = self._begin(deployment, scenario, load)
        phases = Phases(self.console)
        drained, waited = self._drain(scenario, phases)
        drain_ended_ts = time.time()
        probe = self._probe(phases)
        window = Window(load.started_ts, drain_ended_ts)
        pulled = pull(
            self.run,
            self.target,
            window,
            phases,
            run_id=manifest.logged_run_id,
            not_sampled=() if self._has(HOST_PART) else ("host",),
        )
        manifest = dataclasses.replace(
            pulled.added_to(manifest),
            drained=drained,
            drain=waited,
            drain_ended_ts=drain_ended_ts,
            retry_probe=probe,
            latency_probe=LatencyProbe(after=self._latency()),
            finished=not load.open_workers,
            ended_ts=time.time(),
            phases=dict(phases.seconds),
        )
        self.run.write_manifest(manifest)
        point_latest(self.run)
        return manifest

    def _load(self) -> HandLoad:
        if self.run.manifest_path.exists() and not self.run.read_manifest().by_hand:
            raise UsageError(f"{self.run.path}: is a run that is collected already: see dlqlab report")
        load = read_load(self.run.ledger_parts)
        silence_s = silent_s(self.run.ledger_parts)
        timeout_s = (load.load or Load()).timeout_s
        if load.open_workers and silence_s <= timeout_s:
            raise UsageError(f"{load.open_workers[0]} still sends: collect again once the load has ended")
        return load

    def _scenario(self, deployment: Deployment, load: HandLoad) -> Scenario:
        like = self.judged_as
        return scenario_of(
            deployment,
            name=like.name if like else BY_HAND,
            load=dataclasses.replace(load.load or Load(tasks=load.sent), junk_messages=len(junk_ids(self.run))),
            judge=like.judge if like else Judge(),
            drain=like.drain if like else Drain(),
        )

    def _begin(self, deployment: Deployment, scenario: Scenario, load: HandLoad) -> Manifest:
        """What is known before anything is collected, and what never will be."""
        settings = deployment.settings()
        facts = target_facts(self.target, emulator_of(self.target))
        unknown = {"latency": BASELINE_UNSEEN}
        unknown |= {} if self._has(HOST_PART) else {"host": HOST_UNSEEN}
        unknown |= {} if self._queues_seen(load) else {"queues": QUEUES_LATE}
        unknown |= {} if load.load else {"load": LOAD_UNSAID}
        differing = unlike_declared(record_topology(self.run, self.target))
        return Manifest(
            run_id=self.run.path.name,
            functions_run_id=settings.run_id,
            by_hand=True,
            scenario=scenario,
            target=self.target.label,
            run_started_ts=settings.run_started_ts or None,
            load_started_ts=load.started_ts,
            load_ended_ts=load.ended_ts,
            load=load.report(),
            junk_message_ids=junk_ids(self.run),
            redact_fields=tuple(sorted(settings.redact_fields)),
            partial_batch_responses=deployment.is_partial,
            cores=os.cpu_count() if self.target.is_this_machine else None,
            provenance=Provenance.now(),
            emulator=facts.emulator,
            not_measured={**facts.not_measured, **unknown},
            fidelity=(*facts.fidelity, *differing, *not_measured_card(unknown)),
        )

    def _probe(self, phases: Phases) -> RetryProbe | None:
        """The target's own lateness. Afterwards, and only on this machine: it sends messages."""
        if not self.target.is_this_machine:
            return None
        with phases.phase("probe", "retry probe") as phase:
            probe = preflight.probe_retries(self.target)
            phase.note = f"the target alone is {probe.median_s * 1000:.0f} ms late (median)"
        return dataclasses.replace(probe, when="after the load")

    def _drain(self, scenario: Scenario, phases: Phases) -> tuple[bool, DrainReport]:
        sqs: SQSClient = self.target.client("sqs")
        queues = QueueSampler(sqs, queue_urls(sqs, self.target.topology.queue_names), self.run.path)
        queues.sample()
        queues.start()
        try:
            return drain(self.run, self.target, queues, scenario.drain.deadline_s, phases)
        finally:
            queues.stop()

    def _latency(self) -> Latency | None:
        if not self.target.is_this_machine:
            return None
        return preflight.probe_latency(self.target, pipeline.url(self.target))

    def _queues_seen(self, load: HandLoad) -> bool:
        """Whether samples were taken while the load ran, and not only by an earlier collection."""
        samples = read_part(self.run.path / QUEUES_PART) if self._has(QUEUES_PART) else iter(())
        return next((sample["ts"] <= load.ended_ts for sample in samples), False)

    def _has(self, part: str) -> bool:
        return (self.run.path / part).exists()


def new_run(root: Path) -> RunDir:
    """A folder for ledgers that are put together."""
    return RunDir(root / run_id(BY_HAND))
