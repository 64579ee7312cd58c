"""Which of the parts on an emulator a project deployed: those that came with its deployments, and what lies in the same
stacks. What others deployed on the same emulator is none of its pipeline.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dlqlab.contracts.plain import ShapeError, from_plain, to_plain
from dlqlab.contracts.topology import Topology
from dlqlab.deploy.arns import name_of
from dlqlab.deploy.survey.calls import pages
from dlqlab.deploy.survey.survey import PROBES
from dlqlab.errors import DeployError

_FILE = "deployed.json"

type Clients = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Names of what messages go through, by kind."""

    queues: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def named(self) -> frozenset[tuple[str, str]]:
        """Kind and name of each."""
        return frozenset((kind, name) for kind in _KINDS for name in getattr(self, kind))

    def __bool__(self) -> bool:
        return bool(self.named)


_KINDS = ("queues", "functions", "tables", "alarms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What each project deployed at an emulator, by the folder of its file."""

    projects: Mapping[str, Parts] = field(default_factory=dict)

    def by(self, project: str) -> Parts:
        return self.projects.get(project, Parts())

    def by_others(self, project: str) -> frozenset[tuple[str, str]]:
        """What others have that this project has not."""
        return (
            frozenset(one for name, parts in self.projects.items() if name != project for one in parts.named)
            - self.by(project).named
        )


def parts_there(clients: Clients) -> Parts:
    """All parts at a target.

    Raises:
        DeployError: it does not answer.
    """
    try:
        return Parts(
            queues=tuple(sorted(_queue_names(clients))),
            functions=tuple(
                sorted(one["FunctionName"] for one in pages(clients("lambda"), "list_functions", "Functions"))
            ),
            tables=tuple(sorted(pages(clients("dynamodb"), "list_tables", "TableNames"))),
            alarms=tuple(
                sorted(one["AlarmName"] for one in pages(clients("cloudwatch"), "describe_alarms", "MetricAlarms"))
            ),
        )
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"what is deployed cannot be read: {error}") from error


def _queue_names(clients: Clients) -> list[str]:
    urls = pages(clients("sqs"), "list_queues", "QueueUrls")
    names = [name_of(url.replace("/", ":")) for url in urls]
    return [name for name in names if not name.startswith(PROBES)]


def stacks_there(clients: Clients) -> tuple[frozenset[str], ...]:
    """The names of the resources of each stack of CloudFormation."""
    client = clients("cloudformation")
    try:
        stacks = [one["StackName"] for one in pages(client, "describe_stacks", "Stacks")]
        return tuple(
            frozenset(
                name_of(str(one.get("PhysicalResourceId", "")).replace("/", ":"))
                for one in client.describe_stack_resources(StackName=stack)["StackResources"]
            )
            for stack in stacks
        )
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"stacks cannot be read: {error}") from error


def made_by(
    project: str, before: Parts, after: Parts, deployed: Deployed, stacks: Sequence[AbstractSet[str]] = ()
) -> Parts:
    """What a project's deployments made: what came with this one and with those before, and the rest of their stacks.

    Nothing where this one changed nothing and none was seen before.
    """
    there = after.named
    own = (there - before.named) | (deployed.by(project).named & there)
    names = {name for _, name in own}
    joined = {name for stack in stacks if stack & names for name in stack}
    others = deployed.by_others(project)
    return _parts(own | {(kind, name) for kind, name in there if name in joined and (kind, name) not in others})


def all_but_others(project: str, there: Parts, deployed: Deployed) -> Parts:
    """What a project may have where its deployment does not tell: all but what other projects are known to have."""
    return _parts(there.named - deployed.by_others(project))


def only(topology: Topology, own: Parts) -> Topology:
    """The topology without what is not the project's own, and without what leads nowhere then."""
    queues, functions = frozenset(own.queues), frozenset(own.functions)
    return replace(
        topology,
        entries=tuple(one for one in topology.entries if one.queue in queues or one.function in functions),
        queues=tuple(
            replace(one, dead_letters=one.dead_letters if one.dead_letters in queues else None)
            for one in topology.queues
            if one.name in queues
        ),
        functions=tuple(
            replace(one, may_send_to=tuple(name for name in one.may_send_to if name in queues))
            for one in topology.functions
            if one.name in functions
        ),
        consumers=tuple(one for one in topology.consumers if one.queue in queues and one.function in functions),
        pipes=tuple(one for one in topology.pipes if one.source in queues),
        alarms=tuple(one for one in topology.alarms if one.name in own.alarms),
        tables=tuple(one for one in topology.tables if one.name in own.tables),
    )


def left_out(there: Parts, own: Parts) -> str:
    """What is not the project's own, in words: ``2 queues (a, b) and 1 function (c)``; empty where there is nothing."""
    told = []
    for kind in _KINDS:
        names = [name for name in getattr(there, kind) if name not in getattr(own, kind)]
        if names:
            told.append(f"{kind}: {', '.join(names)}")
    return "; ".join(told)


def read_deployed(state: Path) -> Deployed:
    """What is known to be deployed at the emulator of this folder; nothing where nobody wrote it down.

    Raises:
        DeployError: the file cannot be read.
    """
    path = state / _FILE
    if not path.exists():
        return Deployed()
    try:
        return from_plain(Deployed, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ShapeError) as error:
        raise DeployError(f"{path}: cannot be read: {error}") from error


def write_deployed(state: Path, deployed: Deployed, project: str, own: Parts) -> None:
    """Note what a project deployed, beside what others did."""
    path, changed = state / _FILE, Deployed(projects={**deployed.projects, project: own})
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(to_plain(changed), indent=2), encoding="utf-8")
    partial.replace(path)


def _parts(named: Iterable[tuple[str, str]]) -> Parts:
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for kind, name in sorted(named):
        found[kind].append(name)
    return Parts(**{kind: tuple(names) for kind, names in found.items()})
