"""One deployment on one emulator that stays warm: rows of a matrix are run on it, one after another, and judged."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

from dlqlab import paths
from dlqlab.analysis.doubled import last_part
from dlqlab.analysis.draw_keys import keys_of
from dlqlab.analysis.facts import Facts
from dlqlab.analysis.injected import Oracle
from dlqlab.analysis.judge import judge
from dlqlab.analysis.message_checks.faults import in_force_of
from dlqlab.analysis.reach import reach, sentence
from dlqlab.contracts.evidence import RunEvidence, load_evidence
from dlqlab.contracts.injection import Plan, given_key
from dlqlab.contracts.project import Project, Tool
from dlqlab.contracts.recorded import ActorKind
from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.topology import Topology
from dlqlab.deploy.target import emulator_target
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import EvidenceError
from dlqlab.run.project_deployment import deploy_project
from dlqlab.run.project_runner import ProjectRunner
from dlqlab.torture.judged import Usual, judged
from dlqlab.torture.matrix import Row, Target
from dlqlab.torture.own_rows import since
from dlqlab.torture.result import Answer, answer

ROWS = "rows"
_DRAIN_OVER_S = 30.0
_SERVICES = frozenset({"logs", "xray", "execute-api", "lambda-url"})
"""Whose calls are no row's target: what the runtime does, and requests of clients."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """Where rows are run. ``folder`` is that of the matrix; the first row deploys."""

    project: Project
    root: Path
    folder: Path
    emulator: Emulator
    tasks: int
    state_root: Path = paths.STATE
    topology: Topology | None = None
    targets: tuple[Target, ...] = ()
    """Of the first row: the calls that the functions were seen to make."""
    naming: frozenset[str] = frozenset()
    """Of the first row: functions that answered with batchItemFailures though their mapping does not ask for them."""
    rows: str = ROWS
    """Folder of the rows' run directories, in that of the matrix."""
    deployed_by: Callable[[Emulator], None] | None = None
    """Who deploys, where it is not the project's own tool."""
    _is_deployed: bool = field(default=False, init=False)

    def deploy(self) -> None:
        """Deploy before any row is run.

        Raises:
            DeployError: it fails.
        """
        if self.deployed_by is not None:
            self.deployed_by(self.emulator)
        else:
            folder = self.folder / self.rows
            folder.mkdir(parents=True, exist_ok=True)
            target = emulator_target(self.emulator)
            log = folder / "deploy.log"
            found = deploy_project(self.project, self.root, target, log=log, progress=lambda _: None)
            self.topology = found.topology  # a stack makes other names up each time
        self._is_deployed = True

    def run(self, row: Row, *, seed: int, baseline: Answer | None = None, bodies_seed: int | None = None) -> Answer:
        """Run a row and judge it.

        Args:
            row: what is run.
            seed: of the keys of its tasks, and of the draws.
            baseline: the row without faults.
            bodies_seed: what bodies are drawn by, where that is another seed.

        Raises:
            DlqlabError: a phase of the run broke.
        """
        began_s = time.monotonic()
        plan = Plan(faults=row.faults, seed=seed, task_key=self.project.task.key or None, tasks=row.tasks)
        runner = self._runner(plan, bodies_seed)
        run = runner.gather()
        self._is_deployed = True
        evidence = own_evidence(run)
        self._learn(evidence)
        if not evidence.manifest.drained:
            self._purge()
        usual = replace(baseline.usual, calls=self.targets) if baseline else Usual()
        found = _judged(run, evidence, row, plan, baseline, usual)
        return replace(
            found,
            seed=seed,
            run=str(run.path.relative_to(self.folder)),
            took_s=round(time.monotonic() - began_s, 1),
        )

    def _runner(self, plan: Plan, bodies_seed: int | None) -> ProjectRunner:
        load, tasks = self.project.load, len(plan.tasks) or self.tasks
        needed_s = 2 * tasks / load.rate_per_s if load.rate_per_s else 0.0
        is_there = replace(self.project.deploy, tool=Tool.NONE, command=())
        deploy = is_there if self._is_deployed else self.project.deploy
        project = replace(
            self.project,
            seed=plan.seed,
            faults=(),
            deploy=deploy,
            load=replace(load, tasks=tasks, duration_s=max(load.duration_s, needed_s)),
            drain=replace(self.project.drain, deadline_s=deadline_s(self.topology, self.project.drain.deadline_s)),
        )
        return ProjectRunner(
            project=project,
            root=self.root,
            console=Console(quiet=True),
            plan=plan,
            port=self.emulator.port,
            keep=True,
            runs_root=self.folder / self.rows,
            state_root=self.state_root,
            bodies_seed=bodies_seed,
        )

    def _learn(self, evidence: RunEvidence) -> None:
        if self.topology is None:
            self.topology = evidence.topology
            self.targets = targets_of(evidence)
            self.naming = naming_of(evidence)

    def _purge(self) -> None:
        """Nothing that a row left behind may be worked on in the next one."""
        sqs = emulator_target(self.emulator).client("sqs")
        for name in self.topology.queue_names.values() if self.topology else ():
            sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])


def deadline_s(topology: Topology | None, longest_s: float) -> float:
    """How long a row waits for its end: until the slowest message has used up its receives, and never longer than the
    project waits. Dead letters that nobody works on stay where they are.
    """
    if topology is None:
        return longest_s
    worked = {one.queue for one in topology.consumers}
    needed_s = [
        (one.visibility_timeout_s or 30) * ((one.max_receive_count or 3) + 1)
        for one in topology.queues
        if one.role in worked
    ]
    return min(longest_s, max(needed_s, default=0) + _DRAIN_OVER_S)


def own_evidence(run: RunDir) -> RunEvidence:
    """The evidence of a row, without the messages of the row before."""
    evidence = load_evidence(run)
    began_ts = evidence.manifest.load_started_ts
    if evidence.recording is None or began_ts is None:
        return evidence
    return replace(evidence, recording=since(evidence.recording, began_ts))


def targets_of(evidence: RunEvidence) -> tuple[Target, ...]:
    """The calls that the functions of a pipeline were seen to make, with how often."""
    if evidence.recording is None or evidence.topology is None:
        return ()
    own = set(evidence.topology.function_names.values())
    found = Counter(
        (row["function"], f"{row['service']}:{row['operation']}", last_part(row["resource"]) or "*")
        for row in evidence.recording.calls.to_pylist()
        if row["actor_kind"] == ActorKind.INVOCATION
        and row["function"] in own
        and row["operation"]
        and row["service"] not in _SERVICES
    )
    return tuple(Target(*key, n=n) for key, n in found.items())


def naming_of(evidence: RunEvidence) -> frozenset[str]:
    """The functions that answered with batchItemFailures though their mapping does not ask for them."""
    if evidence.recording is None:
        return frozenset()
    rows = evidence.recording.invocations.select(["function", "named_ids", "reports_failures"]).to_pylist()
    return frozenset(row["function"] for row in rows if row["named_ids"] is not None and not row["reports_failures"])


def _judged(run: RunDir, evidence: RunEvidence, row: Row, plan: Plan, baseline: Answer | None, usual: Usual) -> Answer:
    facts = Facts(evidence)
    if evidence.recording is None:
        raise EvidenceError(
            f"{run.path.name}: {evidence.manifest.not_measured.get('recording', 'nothing is recorded')}"
        )
    verdict = judge(evidence)
    write_json(run.verdict_path, verdict.to_json())
    oracle = Oracle(facts.flow, plan, in_force_of(evidence.manifest))
    found = judged(facts, verdict, plan, oracle, usual)
    keys = keys_of(facts.flow, oracle.strikes, by_path=plan.task_key is not None)
    done = answer(row, found, evidence.manifest.scenario.load.tasks, baseline)
    return replace(
        done,
        tasks_of={one: key for one in done.messages if (key := keys.get(one) or given_key(one))},
        struck=_struck(oracle),
        never=sentence(reach(facts.flow)),
    )


def _struck(oracle: Oracle) -> dict[str, tuple[str, ...]]:
    """The keys of the tasks that each fault struck, by its name."""
    found: dict[str, dict[str, None]] = {}
    for row in oracle.strikes:
        found.setdefault(row["fault"], {})[row["task_key"]] = None
    return {name: tuple(keys) for name, keys in found.items()}


@contextmanager
def emulator_of(port: int, state_root: Path = paths.STATE) -> Iterator[Emulator]:
    """The emulator that runs on the port, else one that is started there and ends with the block."""
    running = lifecycle.find(port, state_root) if port else None
    if running:
        yield running
        return
    emulator = lifecycle.start(port, bound=True, root=state_root)
    try:
        yield emulator
    finally:
        lifecycle.stop(emulator)
