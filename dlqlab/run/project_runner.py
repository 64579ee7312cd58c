"""A run of somebody's own pipeline: deployed by his tool, found by AWS calls, loaded, drained, collected."""

import dataclasses
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from dlqlab import paths
from dlqlab.collect.drain import DrainState, wait_for_drain
from dlqlab.collect.host import tree
from dlqlab.collect.logs import Window
from dlqlab.collect.queues import QueueSampler, depth, queue_urls
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.manifest import Broken, DrainReport, LoadReport, Manifest, Provenance, run_id
from dlqlab.contracts.project import Project
from dlqlab.contracts.rundir import RunDir, point_latest
from dlqlab.deploy.target import Target, emulator_target
from dlqlab.deploy.tools import LOG
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.load.own_locustfile import NOT_TOLD as NOT_TOLD_BY_LOCUSTFILE
from dlqlab.load.starter import LoadResult
from dlqlab.progress import Phases
from dlqlab.run.injection import injected, patience_s
from dlqlab.run.left import leaving_evidence
from dlqlab.run.left_behind import check_done, ended_before, read_left_behind
from dlqlab.run.measure import pull, sampled
from dlqlab.run.project_deployment import Deployment, deploy_project
from dlqlab.run.project_load import ProjectLoad, scenario_of
from dlqlab.run.rest import Rest
from dlqlab.run.target_facts import target_facts
from dlqlab.run.watch import Watch, watching

NOT_TOLD = {
    "events": "what a task's attempts did, in the words of the functions: they log no events that dlqlab reads",
    "tasks": "the state of each task by the pipeline's own table: dlqlab.toml names none",
}


@dataclass(slots=True, kw_only=True)
class ProjectRunner:
    """Runs a project. ``port`` 0 takes any free port; ``keep`` leaves an emulator that this run started running.

    ``own_emulator`` uses none that runs already. ``reads_end`` keeps what is left in tables, buckets and queues.
    ``label`` ends the run's id, before its time. ``bodies_seed`` is what bodies are drawn by where that is not the seed
    of the keys. A plan that names tasks has only those sent.
    """

    project: Project
    root: Path
    console: Console
    plan: Plan = field(default_factory=Plan)
    port: int = lifecycle.DEFAULT_PORT
    keep: bool = False
    own_emulator: bool = False
    reads_end: bool = False
    label: str = ""
    bodies_seed: int | None = None
    runs_root: Path = paths.RUNS
    state_root: Path = paths.STATE
    phases: Phases = field(init=False)
    run: RunDir = field(init=False)
    manifest: Manifest = field(init=False)
    deployment: Deployment = field(init=False)
    ran_already: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if self.plan.tasks:
            load = dataclasses.replace(self.project.load, tasks=len(self.plan.tasks))
            self.project = dataclasses.replace(self.project, load=load)
        self.phases = Phases(self.console)
        self.run = RunDir(self.runs_root / run_id("-".join(filter(None, [self.project.name, self.label]))))
        self.manifest = Manifest(
            run_id=self.run.path.name,
            specimen=self.project.name,
            promise=self.project.promise,
            effects=self.project.effects.calls,
            injection=self.plan if self.plan.faults else None,
            volatile=self.project.effects.volatile,
            done=self.project.done,
            scenario=scenario_of(self.project),
            cores=os.cpu_count(),
            junk_message_ids=(),
            provenance=Provenance.now(),
            not_measured=NOT_TOLD,
        )

    def gather(self) -> RunDir:
        """All phases that make evidence; returns the run directory that holds it.

        Raises:
            DlqlabError: a phase broke; the run directory holds what there is.
        """
        self.note(started_ts=time.time())
        with ExitStack() as stack, self._breaking_openly():
            emulator = self._start(stack)
            target = emulator_target(emulator)
            facts = target_facts(target, emulator)
            self.note(emulator=facts.emulator, not_measured={**facts.not_measured, **NOT_TOLD})
            with watching(self.phases, self.run, emulator) as watch:
                target = self._deployed(target)
                self._measure(target, emulator, watch)
        self.note(finished=True, ended_ts=time.time(), phases=dict(self.phases.seconds))
        return self.run

    def note(self, **changes: Any) -> None:
        """Write the manifest anew with these fields: it is true at any moment, also when the run ends here."""
        self.manifest = dataclasses.replace(self.manifest, **changes)
        self.run.write_manifest(self.manifest)

    @contextmanager
    def _breaking_openly(self) -> Iterator[None]:
        try:
            with leaving_evidence(self.run):
                yield
        except BaseException as error:
            reason = str(error).partition("\n")[0] or "interrupted"
            self.note(broken=Broken(phase=self.phases.current, reason=reason), phases=dict(self.phases.seconds))
            raise

    def _start(self, stack: ExitStack) -> Emulator:
        running = lifecycle.find(self.port, self.state_root) if self.port and not self.own_emulator else None
        with self.phases.phase("start", "LocalStack") as phase:
            if running:
                phase.note = f"LocalStack runs already at {running.endpoint}"
                self.ran_already = True
                return running
            emulator = lifecycle.start(self.port, bound=not self.keep, root=self.state_root)
            if not self.keep:
                stack.callback(lifecycle.stop, emulator)
            phase.note = f"LocalStack at {emulator.endpoint}"
            return emulator

    def _deployed(self, target: Target) -> Target:
        """The target with the topology that is found there once the project's tool has deployed it."""
        with self.phases.phase("deploy", str(self.project.deploy.tool)) as phase:
            found = deploy_project(
                self.project,
                self.root,
                target,
                log=self.run.path / LOG,
                progress=lambda text: phase.update(note=text),
            )
            self.run.write_topology(found.topology, deployed=found.topology, differences=())
            self.deployment = found
            if found.others:
                said = f"deployed by others on this emulator, and no part of this pipeline: {found.others}"
                self.note(not_measured={**self.manifest.not_measured, "others": said})
            phase.note = f"{self.project.deploy.tool}: {found.summary}"
        return dataclasses.replace(target, found=found.topology)

    def _measure(self, target: Target, emulator: Emulator, watch: Watch) -> None:
        target = dataclasses.replace(target, patience_s=patience_s(self.plan))
        sqs = target.client("sqs")
        load = ProjectLoad(
            project=self.project,
            root=self.root,
            target=target,
            numbers=self.plan.tasks,
            bodies_seed=self.bodies_seed,
        )
        url, entry = load.entry()
        check_done(target, self.project)
        if entry is None:
            self.note(not_measured={**self.manifest.not_measured, "ledger": NOT_TOLD_BY_LOCUSTFILE})
        before = ended_before(target, self.project, url, entry) if entry and self.ran_already else frozenset()
        urls = queue_urls(sqs, target.topology.queue_names)
        with (
            sampled(self.run, emulator, sqs, urls, watch) as (queues, host),
            injected(emulator, self.plan) as injected_ts,
        ):
            self.note(injected_ts=injected_ts)
            with self.phases.phase("load", f"{self.project.load.tasks:,} tasks") as phase:
                self.note(load_started_ts=time.time())
                point_latest(self.run)

                def show(sent: int, planned: int) -> None:
                    phase.update(done=sent, total=planned, note=f"{sent:,} sent" if entry else f"for {sent:,} s")

                result = load.send(self.run, url, entry, show, lambda pid: host.add("load", tree(pid)))
                phase.note = load.said(result, url, entry)
            self._note_load(result)
            self._drain(target, emulator, queues)
        window = Window(result.started_ts, time.time())
        pulled = pull(
            self.run,
            target,
            window,
            self.phases,
            run_id=self.run.path.name,
            sent_by_us=not self.project.load.locustfile,
        )
        self.manifest = pulled.added_to(self.manifest)
        read_left_behind(
            self.run,
            target,
            self.manifest,
            self.project,
            url,
            self.phases,
            reads_end=self.reads_end,
            others_alarms=frozenset(self.deployment.there.alarms) - frozenset(self.deployment.own.alarms),
            ended_before=before,
        )
        self.note(fidelity=(*self.manifest.fidelity, *target_facts(target, emulator).fidelity))

    def _note_load(self, result: LoadResult) -> None:
        self.note(
            load_started_ts=result.started_ts,
            load_ended_ts=result.ended_ts,
            load=LoadReport(planned=result.planned, sent=result.sent, late_mean_s=result.late_mean_s),
        )

    def _drain(self, target: Target, emulator: Emulator, queues: QueueSampler) -> None:
        """Wait for the queues that somebody works on, and for what the emulator still owes them: dead letters that
        nobody takes stay where they are.
        """
        sqs = target.client("sqs")
        urls = queue_urls(sqs, target.topology.queue_names)
        rest = Rest(
            target.topology,
            emulator.port,
            sampled=queues.latest,
            look=lambda: {role: depth(sqs, url) for role, url in urls.items()},
            deadline_s=self.project.drain.deadline_s,
            plan=self.plan,
        )
        with self.phases.phase("drain") as phase:

            def show(state: DrainState) -> None:
                phase.update(note=f"{state.queued:,} messages left" if state.queued else rest.said(state.unfinished))

            result = wait_for_drain(rest.probe(), self.project.drain.deadline_s, on_progress=show)
            phase.note = rest.note() if result.drained else result.reason
            phase.failed = not result.drained
        self.note(
            drained=result.drained,
            drain=DrainReport(waited_s=round(result.waited_s, 3), reason=result.reason),
            drain_ended_ts=time.time(),
        )
