"""A run directory of any pipeline, from what AWS tells: queues, logs, metrics. What it does not tell stays unknown."""

import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from dlqlab.collect.drain import DrainProbe, DrainResult, DrainState, wait_for_drain
from dlqlab.collect.logs import Window
from dlqlab.collect.queues import Depth, QueueSampler, queue_urls
from dlqlab.contracts.manifest import DrainReport, Manifest, Provenance, run_id
from dlqlab.contracts.rundir import RunDir, point_latest
from dlqlab.contracts.scenario import Drain, Scenario, from_dict
from dlqlab.deploy.target import Target
from dlqlab.progress import Phases
from dlqlab.run.measure import pull, record_topology, unlike_declared
from dlqlab.run.target_facts import emulator_of, target_facts

NOT_TOLD = {
    "ledger": "what was sent, and how it was answered: nobody notices what the clients themselves lost",
    "events": "what happened to a message: the pipeline logs no events of the form that dlqlab reads",
    "tasks": "the state of what was asked for: the pipeline keeps no table of tasks that dlqlab can read",
    "scenario": "faults, retries and load: this pipeline takes no scenario, the one in the manifest is empty",
    "host": "CPU and memory: nobody sampled them",
    "queues": "depths of the queues before the collection: nobody sampled them",
}


@dataclass(slots=True, kw_only=True)
class AnyCollector:
    """Collects what is known of a pipeline that takes no scenario, from ``since_ts`` until its queues are at rest."""

    target: Target
    console: Console
    since_ts: float
    runs_root: Path
    deadline_s: float = Drain().deadline_s

    def collect(self) -> tuple[RunDir, Manifest]:
        """Wait until no queue with a consumer holds a message, then collect; the run and its manifest.

        Raises:
            DlqlabError: the topology or a source cannot be read.
        """
        run = RunDir(self.runs_root / run_id(self.target.topology.name))
        phases = Phases(self.console)
        found = record_topology(run, self.target)
        drained = self._drain(run, phases)
        ended_ts = time.time()
        window = Window(self.since_ts, ended_ts)
        pulled = pull(run, self.target, window, phases, run_id=run.path.name, not_sampled=("host",), sent_by_us=False)
        manifest = dataclasses.replace(
            pulled.added_to(self._manifest(run, found, drained, ended_ts)),
            ended_ts=time.time(),
            phases=dict(phases.seconds),
        )
        run.write_manifest(manifest)
        point_latest(run)
        return run, manifest

    def _drain(self, run: RunDir, phases: Phases) -> DrainResult:
        """Wait for the queues that somebody works on: dead letters that nobody takes stay where they are."""
        sqs, topology = self.target.client("sqs"), self.target.topology
        consumed = {consumer.queue for consumer in topology.consumers}
        queues = QueueSampler(sqs, queue_urls(sqs, topology.queue_names), run.path)
        queues.sample()

        def depths() -> dict[str, Depth]:
            return {role: depth for role, depth in queues.latest().items() if role in consumed}

        queues.start()
        try:
            with phases.phase("drain") as phase:

                def show(state: DrainState) -> None:
                    phase.update(note=f"{state.queued:,} messages left")

                result = wait_for_drain(
                    DrainProbe(depths=depths, unfinished=lambda: 0), self.deadline_s, on_progress=show
                )
                phase.note = "no queue with a consumer holds a message" if result.drained else result.reason
                phase.failed = not result.drained
        finally:
            queues.stop()
        return result

    def _manifest(self, run: RunDir, found: tuple[str, ...], drained: DrainResult, ended_ts: float) -> Manifest:
        facts = target_facts(self.target, emulator_of(self.target))
        return Manifest(
            run_id=run.path.name,
            specimen=self.target.topology.name,
            scenario=_no_scenario(self.target.topology.name),
            target=self.target.label,
            by_hand=True,
            finished=True,
            drained=drained.drained,
            drain=DrainReport(waited_s=round(drained.waited_s, 3), reason=drained.reason),
            started_ts=self.since_ts,
            load_started_ts=self.since_ts,
            drain_ended_ts=ended_ts,
            junk_message_ids=(),
            cores=os.cpu_count() if self.target.is_this_machine else None,
            provenance=Provenance.now(),
            emulator=facts.emulator,
            not_measured={**facts.not_measured, **NOT_TOLD},
            fidelity=(*unlike_declared(found), *facts.fidelity),
        )


def _no_scenario(name: str) -> Scenario:
    """In place of a scenario: no load, no fault, no retry of the pipeline's own that anybody knows."""
    description = "no scenario: faults, retries and load of this pipeline are not known"
    return from_dict({"name": name, "description": description, "faults": {"mode": "none"}}, source="topology.toml")
