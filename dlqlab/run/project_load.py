"""The load of a run of somebody's own pipeline: into the entry of his file, or by a locustfile of his own."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlqlab.contracts.project import Project
from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.deploy.target import Target
from dlqlab.load.first_message import check_first
from dlqlab.load.messages import EntrySettings
from dlqlab.load.own_locustfile import OwnLoad, start_own_load
from dlqlab.load.starter import LoadResult, start_load
from dlqlab.run.own_entries import entry_settings, host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLoad:
    """What a project sends to its pipeline at a target; ``root`` is the folder of its file.

    ``numbers`` and ``bodies_seed`` are as in ``EntrySettings``.
    """

    project: Project
    root: Path
    target: Target
    numbers: tuple[int, ...] = ()
    bodies_seed: int | None = None

    def entry(self) -> tuple[str, EntrySettings | None]:
        """Where the load goes, and what is sent there; None where that is the business of a locustfile of its own.

        Raises:
            UsageError: the file names no entry, or one that is not there, which lists those that are; or its messages
                cannot be sent.
        """
        if self.project.load.locustfile:
            return host_of(self.project, self.target), None
        url, found = entry_settings(self.project, self.root, self.target)
        entry = dataclasses.replace(found, numbers=self.numbers, bodies_seed=self.bodies_seed)
        check_first(entry, self.project.seed)
        return url, entry

    def send(
        self,
        run: RunDir,
        url: str,
        entry: EntrySettings | None,
        on_progress: Callable[[int, int], None],
        on_start: Callable[[int], None],
    ) -> LoadResult:
        """Send all of it; ``url`` and ``entry`` are those of ``entry()``.

        Raises:
            LoadError: Locust failed or overran its time.
            UsageError: there is no such locustfile.
        """
        scenario = scenario_of(self.project)
        if entry is None:
            own = OwnLoad(locustfile=self._locustfile, host=url, load=scenario.load)
            environment = self.target.tool_environment()
            return start_own_load(own, run, environment, on_progress=on_progress, on_start=on_start)
        return start_load(
            scenario,
            url=url,
            run=run,
            run_id=run.path.name,
            on_progress=on_progress,
            on_start=on_start,
            entry=entry,
        )

    def said(self, result: LoadResult, url: str, entry: EntrySettings | None) -> str:
        """``40 tasks sent, 20 a second, to queue orders``."""
        what, to = "requests", f"{url} by {self._locustfile.name}"
        if entry is not None:
            what, to = "tasks sent", _way_in(entry)
        seconds = max(result.ended_ts - result.started_ts, 1e-9)
        return f"{result.sent:,} {what}, {result.sent / seconds:.0f} a second, to {to}"

    @property
    def _locustfile(self) -> Path:
        return (self.root / self.project.load.locustfile).resolve()


def scenario_of(project: Project) -> Scenario:
    """Load, drain and judgement of a project in the form that the run's parts take; faults and retries are unknown."""
    description = f"{project.load.tasks:,} tasks into {project.entry.name or 'its entry'}"
    given = {"name": project.name, "description": description, "seed": project.seed, "faults": {"mode": "none"}}
    scenario = from_dict(given, source="dlqlab.toml")
    return dataclasses.replace(scenario, load=project.load.load(), drain=project.drain, judge=project.judge.judge())


def _way_in(entry: EntrySettings) -> str:
    """``POST /orders``, ``queue orders``."""
    if entry.kind == "http":
        return f"{entry.method} {entry.address}"
    return f"{entry.kind} {entry.address.rpartition('/')[2].rpartition(':')[2]}"
