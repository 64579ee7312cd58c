"""The project file: what dlqlab has to know about somebody's own pipeline, in one file in his repository.

``dlqlab.toml`` lies beside the template or the code; nothing else of dlqlab does. Everything may be left out but where
messages are sent. docs/project-file.md says what each field means.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dlqlab.contracts.function_needs import Network, check_layers
from dlqlab.contracts.plain import ShapeError, UnknownFieldError, from_plain
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.scenario import Drain, Judge, Load
from dlqlab.errors import ScenarioError, UsageError

FILE = "dlqlab.toml"


class Tool(StrEnum):
    """What deploys the pipeline."""

    SAM = "sam"
    CDK = "cdk"
    SERVERLESS = "serverless"
    CHALICE = "chalice"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    COMMAND = "command"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """How it is deployed. ``folder`` is below the file's; ``command`` replaces what is run for the tool.

    ``args`` are added to the tool's last command, ``env`` to its environment. ``template`` is that of CloudFormation.
    """

    tool: Tool = Tool.NONE
    folder: str = "."
    command: tuple[str, ...] = ()
    template: str = "template.yaml"
    stack: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: int = field(default=900, metadata={"range": (1, 3600)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where the load goes in: exactly one of ``http`` (``POST /orders``), ``queue``, ``topic``, ``bus`` and ``bucket``.

    ``url`` is that of the API where several are deployed; else the only one is taken. ``body`` is a template (docs/
    project-file.md), ``rows`` a CSV or JSONL file whose columns it may use. ``group`` is the template of a FIFO queue's
    or topic's message group; ``detail_type`` and ``source`` are those of events.
    """

    http: str = ""
    queue: str = ""
    topic: str = ""
    bus: str = ""
    bucket: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"id": "{{key}}"}'
    rows: str = ""
    group: str = "{{choice a b c d}}"
    detail_type: str = "dlqlab"
    source: str = "dlqlab"

    @property
    def kind(self) -> str:
        """The name of the one that is given; empty where none or several are."""
        given = [name for name in ENTRIES if getattr(self, name)]
        return given[0] if len(given) == 1 else ""

    @property
    def name(self) -> str:
        """The value of the one that is given."""
        return str(getattr(self, self.kind)) if self.kind else ""


ENTRIES = ("http", "queue", "topic", "bus", "bucket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """``key``: a JMESPath expression that finds a task's key in a message's body. ``accepted``: the HTTP statuses that
    say that a request is taken; every 2xx by default.
    """

    key: str = ""
    accepted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """``calls``: what is the work itself, as ``dynamodb:PutItem bills``: service, operation, and a part of the name of
    the resource. Each is to happen once for a task that is done; its item's key is to be found in the message's body.
    """

    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """How much is sent; ends after ``duration_s`` or ``tasks``, whichever comes first."""

    users: int = field(default=8, metadata={"range": (1, 1000)})
    rate_per_s: float = field(default=20.0, metadata={"range": (0, 100_000)})
    duration_s: float = field(default=30.0, metadata={"range": (1, 86_400)})
    tasks: int = field(default=300, metadata={"range": (1, 10_000_000)})
    timeout_s: float = field(default=30.0, metadata={"range": (1, 60)})

    def load(self) -> Load:
        """The same as the load generator takes it."""
        return Load(
            users=self.users,
            rate_per_s=self.rate_per_s,
            duration_s=self.duration_s,
            tasks=self.tasks,
            timeout_s=self.timeout_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything that the file says. ``layers`` and ``network`` are for the emulator."""

    name: str = ""
    seed: int = field(default=1, metadata={"range": (0, 2**63 - 1)})
    deploy: Deploy = field(default_factory=Deploy)
    entry: Entry = field(default_factory=Entry)
    task: Task = field(default_factory=Task)
    promise: Promise = field(default_factory=Promise)
    effects: Effects = field(default_factory=Effects)
    load: Flood = field(default_factory=Flood)
    drain: Drain = field(default_factory=Drain)
    judge: Judge = field(default_factory=Judge)
    layers: Mapping[str, str] = field(default_factory=dict)
    """What a layer of another account holds, by its ARN, ``*`` for any characters: requirements of PyPI or, after
    ``npm:``, of npm, parted by blanks; or the path of a folder or zip file, from the project file's folder.
    """
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        check_layers(self.layers)


def find_project(start: Path) -> Path | None:
    """The file in a folder or the nearest one above it that has one, up to the repository that it lies in."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists():
            return None
    return None


def read_project(path: Path) -> Project:
    """The project of a file; its name is the folder's unless it gives one.

    Raises:
        UsageError: it cannot be read or used; names the field, its value, and what to give.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
    try:
        project = from_plain(Project, {"name": path.resolve().parent.name, **value})
    except UnknownFieldError as error:
        raise UsageError(f"{path}: {error}: give {', '.join(error.known)}") from error
    except (ShapeError, ScenarioError) as error:
        raise UsageError(f"{path}: {error}") from error
    _check(project, path)
    return project


def _check(project: Project, path: Path) -> None:
    entry = project.entry
    given = [name for name in ENTRIES if getattr(entry, name)]
    if len(given) > 1:
        raise UsageError(f"{path}: entry gives {' and '.join(given)}: give one of them")
    if entry.http and len(entry.http.split()) != 2:  # noqa: PLR2004  (method and path)
        raise UsageError(f"{path}: entry.http is {entry.http!r}: give a method and a path, such as 'POST /orders'")
    for call in project.effects.calls:
        if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+( \S+)?", call):
            raise UsageError(f"{path}: effects.calls holds {call!r}: give it as 'dynamodb:PutItem bills'")
    if project.deploy.tool is Tool.COMMAND and not project.deploy.command:
        raise UsageError(f"{path}: deploy.tool is 'command' and deploy.command is missing: give the command's words")
