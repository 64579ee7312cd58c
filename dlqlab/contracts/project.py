"""The project file: what dlqlab has to know about somebody's own pipeline, in one file in his repository.

``dlqlab.toml`` lies beside the template or the code; nothing else of dlqlab does. Everything may be left out but where
messages are sent. docs/project-file.md says what each field means.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import jmespath
import jmespath.exceptions

from dlqlab.contracts.done import KINDS as DONE_KINDS
from dlqlab.contracts.done import Done
from dlqlab.contracts.function_needs import Network, check_layers
from dlqlab.contracts.injection import Fault, Plan
from dlqlab.contracts.places import KINDS as PLACES
from dlqlab.contracts.plain import ShapeError, UnknownFieldError, from_plain
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.scenario import Drain, Judge, Load
from dlqlab.errors import ScenarioError, UsageError
from taskrules.bounds import check, setting

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


def _table(meaning: str) -> Any:
    """A table of texts, empty by default."""
    return field(default_factory=dict, metadata=setting(None, meaning).metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """How the pipeline is deployed."""

    tool: Tool = setting(Tool.NONE, "what deploys it; `none` where it is deployed already")
    folder: str = setting(".", "where the tool runs, from the file's folder")
    command: tuple[str, ...] = setting((), "what is run in place of the tool's usual commands, word by word")
    template: str = setting("template.yaml", "the template that `cloudformation` deploys")
    stack: str = setting("", "name of the stack; default: the project's")
    args: tuple[str, ...] = setting((), "added to the tool's last command")
    env: Mapping[str, str] = _table("added to the tool's environment")
    timeout_s: int = setting(900, "how long all of it may take", 1, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where the load goes in: one of `http`, `queue`, `topic`, `bus`, `bucket` and `stream`; without any of them the
    only way in that is found. Templates may stand in `http`, `body`, `group` and in the values of `headers` and
    `attributes`.
    """

    http: str = setting("", "a route, such as `POST /orders`")
    queue: str = setting("", "a queue's name, or a part of it that only one has")
    topic: str = setting("", "a topic's name, or a part of it")
    bus: str = setting("", "a bus of EventBridge")
    bucket: str = setting("", "a bucket; each task is an object `KEY.json`")
    stream: str = setting("", "a Kinesis stream's name, or a part of it; the key is the partition key")
    url: str = setting("", "the API's URL with its stage, where several APIs are deployed")
    headers: Mapping[str, str] = _table("headers of each request")
    attributes: Mapping[str, str] = _table("message attributes, for queues and topics")
    body: str = setting('{"id": "{{key}}"}', "template of the body")
    rows: str = setting("", "a CSV or JSONL file whose columns the template may use")
    group: str = setting("{{choice a b c d}}", "template of the message group, for FIFO queues and topics")
    detail_type: str = setting("dlqlab", "detail type of the events, for a bus")
    source: str = setting("dlqlab", "source of the events, for a bus")

    @property
    def kind(self) -> str:
        """The name of the one that is given; empty where none or several are."""
        given = [name for name in ENTRIES if getattr(self, name)]
        return given[0] if len(given) == 1 else ""

    @property
    def name(self) -> str:
        """The value of the one that is given."""
        return str(getattr(self, self.kind)) if self.kind else ""


ENTRIES = ("http", "queue", "topic", "bus", "bucket", "stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a task is."""

    key: str = setting(
        "",
        "JMESPath to its key in the bodies of messages, as `order.id || id`; default: what stands for `{{key}}`, and "
        "the chain of messages",
    )
    accepted: tuple[int, ...] = setting((), "HTTP statuses that say that a request is taken; default: every 2xx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What the work itself is, so that it can be counted: once for each message that is worked off."""

    calls: tuple[str, ...] = setting(
        (), "calls of functions, as `dynamodb:PutItem bills`; their item's key has to be in the message's body"
    )
    compare: tuple[str, ...] = setting(
        (),
        "what `run --same-end` compares, as `dynamodb orders`, `s3 receipts` or `sqs dead`, by a part of the name; "
        "default: all tables, buckets and queues",
    )
    volatile: tuple[str, ...] = setting(
        (),
        "attributes that may differ from play to play and are not guessed, as `updatedBy`, `detail.host` or, of one "
        "place, `dynamodb orders updatedBy`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """How much is sent; ends after `duration_s` or `tasks`, whichever comes first."""

    users: int = setting(8, "requests that can be under way at a time", 1, 1000)
    rate_per_s: float = setting(20.0, "tasks over all users; 0 is as fast as the users can", 0, 100_000)
    duration_s: float = setting(30.0, "no task is sent after this time", 1, 86_400)
    tasks: int = setting(300, "no more than these are sent", 1, 10_000_000)
    locustfile: str = setting(
        "",
        "your own locustfile instead, from the file's folder: its host is the API's or function's URL or the endpoint, "
        "and it runs for `duration_s` with `users`; no ledger is kept of it",
    )
    timeout_s: float = setting(30.0, "a request without an answer for this long is given up", 1, 60)

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
class Judging:
    """What intervals are held against."""

    confidence: float = setting(0.95, "level of all intervals", 0.5, 1, below=True, give="0.5 to below 1")
    max_half_width: float = setting(
        0.03, "a wider interval of a promised rate is unknown", 0, 1, over=True, below=True, give="a ratio in (0, 1)"
    )

    def judge(self) -> Judge:
        """The same as the checks take it."""
        return Judge(confidence=self.confidence, max_half_width=self.max_half_width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything that the file says."""

    name: str = setting("", "what runs are called; default: the folder's name")
    seed: int = setting(1, "of keys and bodies", 0, 2**63 - 1, give="a whole number of 0 to 2^63 - 1")
    deploy: Deploy = field(default_factory=Deploy)
    entry: Entry = field(default_factory=Entry)
    task: Task = field(default_factory=Task)
    done: Done = field(default_factory=Done)
    promise: Promise = field(default_factory=Promise)
    effects: Effects = field(default_factory=Effects)
    load: Flood = field(default_factory=Flood)
    drain: Drain = field(default_factory=Drain)
    judge: Judging = field(default_factory=Judging)
    network: Network = field(default_factory=Network)
    faults: tuple[Fault, ...] = ()
    layers: Mapping[str, str] = _table(
        "what a layer of another account holds, by its ARN, `*` for any characters: requirements of PyPI, `npm:` and "
        "packages of npm, or the path of a folder or zip file, from the file's folder"
    )

    def __post_init__(self) -> None:
        check_layers(self.layers)

    def plan(self) -> Plan:
        """The faults from outside, as the emulator takes them.

        Raises:
            ValueError: one makes no sense; names the field, its value and the remedy.
        """
        return Plan(faults=self.faults, seed=self.seed, task_key=self.task.key or None)


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
    _hold(project, path)
    _check(project, path)
    try:
        project.plan()
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    return project


def _hold(project: Project, path: Path) -> None:
    """Hold every section to the bounds of its fields."""
    for name, section in {"": project, **{one.name: getattr(project, one.name) for one in fields(project)}}.items():
        if is_dataclass(section):
            try:
                check(section)
            except ValueError as error:
                raise UsageError(f"{path}: {name}{'.' if name else ''}{error}") from error


def _check(project: Project, path: Path) -> None:
    entry = project.entry
    given = [name for name in ENTRIES if getattr(entry, name)]
    if len(given) > 1:
        raise UsageError(f"{path}: entry gives {' and '.join(given)}: give one of them")
    if entry.http and len(entry.http.split()) != 2:  # noqa: PLR2004  (method and path)
        raise UsageError(f"{path}: entry.http is {entry.http!r}: give a method and a path, such as 'POST /orders'")
    _check_task(project, path)
    for call in project.effects.calls:
        if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+( \S+)?", call):
            raise UsageError(f"{path}: effects.calls holds {call!r}: give it as 'dynamodb:PutItem bills'")
    for place in project.effects.compare:
        if not re.fullmatch(rf"({'|'.join(PLACES)}) \S+", place):
            raise UsageError(
                f"{path}: effects.compare holds {place!r}: give it as 'dynamodb orders', 's3 x' or 'sqs x'"
            )
    if project.deploy.tool is Tool.COMMAND and not project.deploy.command:
        raise UsageError(f"{path}: deploy.tool is 'command' and deploy.command is missing: give the command's words")


def _check_task(project: Project, path: Path) -> None:
    """What a task is, what sends it, and when it is done."""
    done, locustfile = project.done, project.load.locustfile
    if locustfile and not (path.parent / locustfile).is_file():
        raise UsageError(f"{path}: load.locustfile is {locustfile!r}: there is no such file in {path.parent}")
    if project.task.key:
        try:
            jmespath.compile(project.task.key)
        except jmespath.exceptions.JMESPathError as error:
            raise UsageError(
                f"{path}: task.key is {project.task.key!r}: give a JMESPath, such as 'order.id'"
            ) from error
    given = [name for name in DONE_KINDS if getattr(done, name)]
    if len(given) > 1:
        raise UsageError(f"{path}: done gives {' and '.join(given)}: give one of them")
    if given and given != ["queue"] and not done.values:
        raise UsageError(
            f"{path}: done.values is missing: give the states in which a task has ended, as ['done', 'failed']"
        )
    if done.http and ("{{key}}" not in done.http or len(done.http.split()) != 2):  # noqa: PLR2004  (method and path)
        raise UsageError(
            f"{path}: done.http is {done.http!r}: give a method and a path, such as 'GET /orders/{{{{key}}}}'"
        )
    if (done.values or done.key) and not given:
        raise UsageError(f"{path}: done says not where: give one of {', '.join(DONE_KINDS)}")
