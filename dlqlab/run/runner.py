"""The phases of a run, in order. Whatever happens, evidence that was written stays, and nothing is left running."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from dlqlab import paths
from dlqlab.collect.host import HostSampler, tree
from dlqlab.collect.logs import Window
from dlqlab.collect.queues import queue_urls
from dlqlab.contracts.cells import ALONE, Cell
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.manifest import Broken, LatencyProbe, LoadReport, Manifest, Provenance, run_id
from dlqlab.contracts.rundir import RunDir, point_latest
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import LOCAL_STAGE, Target, local_target
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.load.junk import send_junk
from dlqlab.load.starter import LoadResult, start_load
from dlqlab.progress import Phases
from dlqlab.run import preflight
from dlqlab.run.deployed import read_settings
from dlqlab.run.injection import injected, patience_s
from dlqlab.run.left import leaving_evidence
from dlqlab.run.measure import drain, pull, record_topology, sampled
from dlqlab.run.target_facts import target_facts
from dlqlab.run.watch import Watch, watching

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

PHASES = ("start", "deploy", "preflight", "load", "drain", "collect")
"""The phases that make evidence, in order."""


@dataclass(slots=True, kw_only=True)
class Runner:
    """Runs one scenario. ``port`` 0 takes any free port; ``keep`` leaves an emulator that this run started running.

    With a ``target`` nothing is started or stopped: the run is against that. ``allow_remote`` says that somebody has
    confirmed that load may leave this machine.

    A ``cell`` of a run sends its share of the tasks, under the ``run_id`` of the whole. ``together`` returns when every
    cell has come as far, with a time that is the same for all.
    """

    scenario: Scenario
    console: Console
    plan: Plan = field(default_factory=Plan)
    port: int = lifecycle.DEFAULT_PORT
    keep: bool = False
    runs_root: Path = paths.RUNS
    state_root: Path = paths.STATE
    app: Path = paths.APP
    stage: str = LOCAL_STAGE
    target: Target | None = None
    allow_remote: bool = False
    cell: Cell = ALONE
    run_id: str = ""
    together: Callable[[], float] = time.time
    phases: Phases = field(init=False)
    run: RunDir = field(init=False)
    manifest: Manifest = field(init=False)

    def __post_init__(self) -> None:
        self.run_id = self.run_id or run_id(self.scenario.name)
        self.phases = Phases(self.console)
        self.run = RunDir(self.runs_root / (self.run_id if self.cell == ALONE else str(self.cell.number)))
        self.manifest = Manifest(
            run_id=self.run_id,
            injection=self.plan if self.plan.faults else None,
            scenario=self.scenario,
            target=self.target.label if self.target else "local",
            cores=os.cpu_count(),
            provenance=Provenance.now(),
        )

    def gather(self) -> RunDir:
        """All phases that make evidence; returns the run directory that holds it.

        Raises:
            DlqlabError: a phase broke; the run directory holds what there is.
        """
        self.note(started_ts=time.time())
        with ExitStack() as stack, self.breaking_openly():
            target, emulator = self._start(stack)
            facts = target_facts(target, emulator)
            self.note(emulator=facts.emulator, not_measured=facts.not_measured)
            with watching(self.phases, self.run, emulator) as watch:
                url = self._deploy(target, emulator)
                self._measure(target, emulator, url, watch)
        self.note(finished=True, ended_ts=time.time(), phases=dict(self.phases.seconds))
        return self.run

    @contextmanager
    def breaking_openly(self) -> Iterator[None]:
        """Whatever breaks the block, also Ctrl-C, is in the manifest; the error says where the evidence lies."""
        try:
            with leaving_evidence(self.run):
                yield
        except BaseException as error:
            reason = str(error).partition("\n")[0] or "interrupted"
            broken = Broken(phase=self.phases.current, reason=reason)
            self.note(broken=broken, phases=dict(self.phases.seconds))
            raise

    def note(self, **changes: Any) -> None:
        """Write the manifest anew with these fields: it is true at any moment, also when the run ends here."""
        self.manifest = dataclasses.replace(self.manifest, **changes)
        self.run.write_manifest(self.manifest)

    def _start(self, stack: ExitStack) -> tuple[Target, Emulator | None]:
        if self.target:
            return self.target, None
        emulator = self._emulator(stack)
        return local_target(emulator, stage=self.stage, app=self.app), emulator

    def _emulator(self, stack: ExitStack) -> Emulator:
        running = lifecycle.find(self.port, self.state_root) if self.port else None
        with self.phases.phase("start", "LocalStack") as phase:
            if running:
                phase.note = f"LocalStack runs already at {running.endpoint}"
                return running
            emulator = lifecycle.start(self.port, bound=not self.keep, root=self.state_root, number=self.cell.number)
            if not self.keep:
                stack.callback(lifecycle.stop, emulator)
            phase.note = f"LocalStack at {emulator.endpoint}"
            return emulator

    def _deploy(self, target: Target, emulator: Emulator | None) -> str:
        with self.phases.phase("deploy") as phase:
            url = pipeline.apply(
                target,
                self.scenario,
                progress=lambda text: phase.update(note=text),
                run_id=self.run_id,
                reset_follows=True,
            )
            record_topology(self.run, target)
            pipeline.reset(target)
            self.note(redact_fields=tuple(sorted(read_settings(target).redact_fields)))
            phase.note = f"API at {url}"
        with self.phases.phase("preflight") as phase:
            phase.update(note="retry probe")
            probe = preflight.probe_retries(target)
            phase.update(note="fidelity probes")
            found = preflight.probe_fidelity(target, probe)
            phase.update(note="warm-up")
            run_started_ts = self.together()  # what outages count from: as close to the load as can be
            self.note(run_started_ts=run_started_ts)
            pipeline.configure(target, self.scenario, self.run_id, run_started_ts=run_started_ts)
            preflight.warm_up(target, url, self.scenario.load.users)
            latency = preflight.probe_latency(target, url)
            alone = "the target alone" if self.target else "the emulator alone"
            phase.note = f"functions warm; {alone} is {probe.median_s * 1000:.0f} ms late (median)"
        card = target_facts(target, emulator).fidelity  # not sooner: by now the functions have run
        self.note(retry_probe=probe, fidelity=(*found, *card), latency_probe=LatencyProbe(before=latency))
        return url

    def _measure(self, target: Target, emulator: Emulator | None, url: str, watch: Watch) -> None:
        target = dataclasses.replace(target, patience_s=patience_s(self.plan))
        sqs: SQSClient = target.client("sqs")
        urls = queue_urls(sqs, target.topology.queue_names)
        breaking = injected(emulator, self.plan) if emulator else nullcontext()
        with sampled(self.run, emulator, sqs, urls, watch) as (queues, host), breaking as injected_ts:
            self.note(injected_ts=injected_ts)
            load = self._load(url, host, sqs, urls[target.topology.work.queue.role])
            drained, waited = drain(self.run, target, queues, self.scenario.drain.deadline_s, self.phases)
            self.note(drain_ended_ts=time.time())
        window = Window(load.started_ts, time.time())
        pulled = pull(self.run, target, window, self.phases, run_id=self.run_id)
        self.manifest = pulled.added_to(self.manifest)
        self.note(
            latency_probe=dataclasses.replace(
                self.manifest.latency_probe or LatencyProbe(), after=preflight.probe_latency(target, url)
            ),
            drained=drained,
            drain=waited,
        )

    def _load(self, url: str, host: HostSampler, sqs: "SQSClient", queue_url: str) -> LoadResult:
        with self.phases.phase("load", f"{self.cell.share(self.scenario.load.tasks):,} tasks") as phase:
            self.note(load_started_ts=self.together())
            if self.cell == ALONE:
                point_latest(self.run)

            def show(sent: int, planned: int) -> None:
                phase.update(done=sent, total=planned, note=f"{sent:,} sent")
                if sent:
                    self._send_junk(sqs, queue_url)

            result = start_load(
                self.scenario,
                url=url,
                run=self.run,
                run_id=self.run_id,
                allow_remote=self.allow_remote,
                cell=self.cell,
                on_progress=show,
                on_start=lambda pid: host.add("load", tree(pid)),
            )
            self._send_junk(sqs, queue_url)
            seconds = max(result.ended_ts - result.started_ts, 1e-9)
            phase.note = f"{result.sent:,} tasks sent, {result.sent / seconds:.0f} a second"
        self.note(
            load_started_ts=result.started_ts,
            load_ended_ts=result.ended_ts,
            load=LoadReport(planned=result.planned, sent=result.sent, late_mean_s=result.late_mean_s),
        )
        return result

    def _send_junk(self, sqs: "SQSClient", queue_url: str) -> None:
        """The scenario's junk, once, among the tasks of the first cell."""
        count = 0 if self.cell.number else self.scenario.load.junk_messages
        if count and self.manifest.junk_message_ids is None:
            junk = send_junk(sqs, queue_url, count, self.scenario.seed)
            self.note(junk_message_ids=tuple(message.message_id for message in junk))
