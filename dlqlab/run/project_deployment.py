"""A project deployed at an emulator by its own tool, and the topology of what it deployed there."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dlqlab.contracts.project import Project, Tool
from dlqlab.contracts.topology import Topology
from dlqlab.deploy.own_parts import (
    Parts,
    all_but_others,
    left_out,
    made_by,
    only,
    parts_there,
    read_deployed,
    stacks_there,
    write_deployed,
)
from dlqlab.deploy.survey.survey import survey
from dlqlab.deploy.target import Target
from dlqlab.deploy.tools import deploy_by_tool
from dlqlab.errors import DeployError
from dlqlab.wording import count


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a project has at an emulator. ``others`` are parts there that are not its own: ``queues: a, b``."""

    topology: Topology
    own: Parts
    there: Parts
    others: str

    @property
    def summary(self) -> str:
        """``1 entry, 2 queues, 1 function``."""
        topology = self.topology
        parts = (
            count(len(topology.entries), "entry", "entries"),
            count(len(topology.queues), "queue"),
            count(len(topology.functions), "function"),
        )
        said = ", ".join(parts)
        return f"{said}; left out, as others' {self.others}" if self.others else said


def deploy_project(
    project: Project, root: Path, target: Target, *, log: Path, progress: Callable[[str], None]
) -> Deployment:
    """Deploy a project, and find what of all that is there is its own.

    Args:
        root: the folder of its file.
        log: gets all that its tool prints.
        progress: gets a word about what is done.

    Raises:
        DeployError: the tool is missing, fails or takes too long; or no queue is deployed then.
    """
    before, known = parts_there(target.client), read_deployed(target.state_dir)
    deploy_by_tool(project, root, target.tool_environment(), target.client, log=log, progress=progress)
    progress("topology")
    deploys = project.deploy.tool is not Tool.NONE or bool(project.deploy.command)
    after, key = parts_there(target.client), str(root.resolve())
    made = made_by(key, before, after, known, stacks_there(target.client)) if deploys else Parts()
    own = made or all_but_others(key, after, known)
    found = only(survey(target.client, name=project.name).topology, own)
    if not found.queues:
        raise DeployError("no queue is deployed: there is nothing to watch (deploy.tool, deploy.folder)")
    if made:
        write_deployed(target.state_dir, known, key, made)
    topology = dataclasses.replace(found, task_key=project.task.key or None)
    return Deployment(topology=topology, own=own, there=after, others=left_out(after, own))
