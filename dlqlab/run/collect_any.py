"""A run directory of any pipeline, from what AWS tells: queues, logs, metrics. What it does not tell stays unknown."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from dlqlab.collect.drain import DrainProbe, DrainResult, DrainState, wait_for_drain
from dlqlab.collect.logs import Window
from dlqlab.collect.queues import Depth, QueueSampler, queue_urls
from dlqlab.contracts.rundir import RunDir, point_latest
from dlqlab.contracts.scenario import Drain, Scenario, from_dict
from dlqlab.deploy.target import Target
from dlqlab.run import known, manifest
from dlqlab.run.measure import pull, record_topology, unlike_declared
from dlqlab.run.progress import Phases

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

    def collect(self) -> tuple[RunDir, Mapping[str, Any]]:
        """Wait until no queue with a consumer holds a message, then collect; the run and its manifest.

        Raises:
            DlqlabError: the topology or a source cannot be read.
        """
        name = self.target.topology.name
        run = RunDir(self.runs_root / f"{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}-{name}")
        phases = Phases(self.console)
        found = record_topology(run, self.target)
        drained = self._drain(run, phases)
        ended_ts = time.time()
        window = Window(self.since_ts, ended_ts)
        report = pull(run, self.target, window, phases, run_id=run.path.name, not_sampled=("host",), sent_by_us=False)
        facts = self._facts(run, found, drained, ended_ts) | {
            "collected": {
                "rows": report.rows, "logs_settled": report.logs_settled, "foreign_items": report.foreign_items,
            },
            "ended_ts": time.time(),
            "phases": dict(phases.seconds),
        }  # fmt: skip
        run.write_manifest(facts)
        point_latest(run)
        return run, facts

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

    def _facts(self, run: RunDir, found: tuple[str, ...], drained: DrainResult, ended_ts: float) -> dict[str, Any]:
        facts = known.manifest_facts(self.target, known.emulator_of(self.target))
        return {
            "run_id": run.path.name,
            "specimen": self.target.topology.name,
            "scenario": _no_scenario(self.target.topology.name).to_dict(),
            "seed": None,
            "target": self.target.label,
            "simulated": False,
            "by_hand": True,
            "finished": True,
            "drained": drained.drained,
            "drain": {"waited_s": round(drained.waited_s, 3), "reason": drained.reason},
            "started_ts": self.since_ts,
            "run_started_ts": None,
            "load_started_ts": self.since_ts,
            "load_ended_ts": None,
            "drain_ended_ts": ended_ts,
            "retry_probe": None,
            "junk_message_ids": [],
            "cores": os.cpu_count() if self.target.is_this_machine else None,
            "versions": manifest.versions(),
            "git": manifest.git_state(),
            "command": manifest.command_line(),
            "emulator": facts["emulator"],
            "not_measured": facts["not_measured"] | NOT_TOLD,
            "fidelity": [*unlike_declared(found), *facts["fidelity"]],
        }


def _no_scenario(name: str) -> Scenario:
    """In place of a scenario: no load, no fault, no retry of the pipeline's own that anybody knows."""
    description = "no scenario: faults, retries and load of this pipeline are not known"
    return from_dict({"name": name, "description": description, "faults": {"mode": "none"}}, source="topology.toml")
