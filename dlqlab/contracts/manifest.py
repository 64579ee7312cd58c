"""The manifest: what a run directory says about its run, as one type that every writer and every reader shares.

``manifest.json`` holds every field by its name; what ``Provenance`` has stands beside them, and ``seed``, which is the
scenario's. What a run did not reach, or what nobody measured, is null. A directory of an earlier version may lack what
was not written then; it reads as the field's default.
"""

import dataclasses
import importlib.metadata
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import dlqlab
from dlqlab import paths
from dlqlab.contracts.done import Done
from dlqlab.contracts.injection import Plan
from dlqlab.contracts.lookup import MANIFEST
from dlqlab.contracts.plain import ShapeError, from_plain, to_plain
from dlqlab.contracts.promise import Promise
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.errors import EvidenceError, ScenarioError

PACKAGES = (
    "localstack-core", "moto-ext", "awslambdaric", "boto3", "chalice", "locust", "pandas", "matplotlib", "papermill",
)  # fmt: skip
"""Whose versions could change a result."""
ALWAYS_WRITTEN = ("run_id", "scenario", "finished", "drained", "load_started_ts", "load_ended_ts", "drain_ended_ts")
"""Keys that every version has written and every judgement needs; null is a value."""


def run_id(name: str) -> str:
    """A name for a run that begins now: ``2026-01-31T10-00-00Z-<name>``."""
    return f"{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}-{name}"


@dataclass(frozen=True, slots=True)
class Git:
    """Commit of the checkout and whether files differ from it; nulls outside of git."""

    sha: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made the run: versions of everything that could change a result, the commit, the command line."""

    versions: Mapping[str, str] = field(default_factory=dict)
    git: Git = Git()
    command: tuple[str, ...] = ()

    @classmethod
    def now(cls) -> Self:
        """Of this process. Of the command line without the folder that the program lies in."""
        return cls(versions=_versions(), git=_git_state(), command=("dlqlab", *sys.argv[1:]))


_PROVENANCE = tuple(one.name for one in dataclasses.fields(Provenance))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryProbe:
    """How late the target alone delivers a message again; ``when`` is said where that was not before the load."""

    n: int
    median_s: float
    p95_s: float
    backoff_s: int
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Median milliseconds of a request to the API and of an invocation of the processor, at rest."""

    api_ms: float
    processor_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyProbe:
    """The same probe before the load and after the drain; None where it was not made."""

    before: Latency | None = None
    after: Latency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What the load generator says of itself; None where its ledger does not say.

    The last four are known of a load by hand: its own seed, the endpoints, the workers, and whether the ledger says
    what the clients were asked to send.
    """

    planned: int | None
    sent: int
    late_mean_s: float | None = None
    seed: int | None = None
    hosts: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    settings_known: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainReport:
    """How long the drain was waited for, and why the wait ended."""

    waited_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Rows by table as they were written; whether the logs had gone quiet; items in the tables of another run.

    ``recorded`` is rows by table of what the emulator recorded; None where there is no record: ``not_measured`` says
    why, under ``recording``.
    """

    rows: Mapping[str, int]
    logs_settled: bool
    foreign_items: int
    recorded: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """How an emulator of ours was started; ``ports`` is of a run on several."""

    patches: tuple[str, ...] = ()
    port: int | None = None
    ports: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEntry:
    """A line of the fidelity card; ``ok`` is whether it is as on AWS, None where that is not known."""

    name: str
    ok: bool | None
    statement: str
    measured: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why a run did not come to its end, where it could still say so."""

    phase: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationFacts:
    """Of a simulated run: seed of the durations, tasks simulated and in the evidence, and what the rules rest on."""

    seed: int
    tasks: int
    sampled: int
    took_s: float
    parameters: object = None
    calibration: Mapping[str, object] | None = None

    @property
    def is_sampled(self) -> bool:
        """Whether the tables hold some of the simulated tasks only."""
        return self.sampled < self.tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that is said about a run beside its tables; times in seconds since the epoch.

    A time that the run did not reach is None. ``run_started_ts`` is what outages count from. ``functions_run_id`` is
    what the functions logged as their run: of a load by hand that is not the run's own name. ``phases`` is seconds by
    phase. ``emulator`` is None where the target is none of ours. ``not_measured`` says by subject what nobody looked
    at. ``specimen`` names a pipeline that takes no scenario: its ``scenario`` is empty, and
    ``promise``, ``effects``, ``volatile`` and ``done`` are what its owner says (``project``). ``injection`` is the plan
    of faults from outside, in force since ``injected_ts``. ``redact_fields`` is None where the functions' settings were
    not read. ``cells`` is how many emulators shared a run, None for one.
    """

    run_id: str
    scenario: Scenario
    specimen: str | None = None
    promise: Promise = field(default_factory=Promise)
    effects: tuple[str, ...] = ()
    injection: Plan | None = None
    volatile: tuple[str, ...] = ()
    done: Done = field(default_factory=Done)
    functions_run_id: str | None = None
    target: str = "local"
    simulated: bool = False
    by_hand: bool = False
    finished: bool = False
    drained: bool = False
    broken: Broken | None = None
    started_ts: float | None = None
    run_started_ts: float | None = None
    injected_ts: float | None = None
    load_started_ts: float | None = None
    load_ended_ts: float | None = None
    drain_ended_ts: float | None = None
    ended_ts: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    load: LoadReport | None = None
    drain: DrainReport | None = None
    collected: Collected | None = None
    junk_message_ids: tuple[str, ...] | None = None
    redact_fields: tuple[str, ...] | None = None
    partial_batch_responses: bool | None = None
    retry_probe: RetryProbe | None = None
    latency_probe: LatencyProbe | None = None
    emulator: EmulatorSettings | None = None
    not_measured: Mapping[str, str] = field(default_factory=dict)
    fidelity: tuple[CardEntry, ...] = ()
    simulation: SimulationFacts | None = None
    cells: int | None = None
    cores: int | None = None
    provenance: Provenance = Provenance()

    @property
    def logged_run_id(self) -> str:
        """The run id in the functions' log events."""
        return self.functions_run_id or self.run_id

    def to_json(self) -> dict[str, object]:
        """Plain values for ``manifest.json``; ``from_json`` reads them back."""
        own = {one.name: to_plain(getattr(self, one.name)) for one in dataclasses.fields(self)}
        own["scenario"] = self.scenario.to_dict()
        own["seed"] = self.scenario.seed
        del own["provenance"]
        return own | {name: to_plain(getattr(self.provenance, name)) for name in _PROVENANCE}

    @classmethod
    def from_json(cls, value: Mapping[str, object], *, source: str = MANIFEST) -> Self:
        """The manifest of plain values; ``source`` names the file in errors.

        Raises:
            EvidenceError: a key is unknown, missing or of a wrong shape; names the file, the key and what wrote it.
        """
        own = {key: item for key, item in value.items() if key not in {"seed", *_PROVENANCE}}
        made_by = {key: value[key] for key in _PROVENANCE if key in value}
        try:
            scenario = _scenario(value)
            return from_plain(cls, own | {"scenario": scenario, "provenance": from_plain(Provenance, made_by)})
        except (ValueError, ScenarioError) as error:
            raise EvidenceError(f"{source}: {error}{_written_by(value)}") from error


def _scenario(value: Mapping[str, object]) -> Scenario:
    """The scenario of a manifest in which nothing is missing that every version has written."""
    for key in ALWAYS_WRITTEN:
        if key not in value:
            raise ShapeError(key, "is missing")
    scenario = value["scenario"]
    if not isinstance(scenario, dict):
        raise ShapeError("scenario", f"is {scenario!r}: give a table")
    return from_dict(scenario, source="scenario")


def _written_by(value: Mapping[str, object]) -> str:
    """The version that wrote the manifest, where it is another one: what it wrote may have another shape."""
    versions = value.get("versions")
    found = versions.get("dlqlab") if isinstance(versions, Mapping) else None
    if found in {None, dlqlab.__version__}:
        return ""
    return f" (written by dlqlab {found}; this is {dlqlab.__version__})"


def _versions() -> dict[str, str]:
    return {
        "dlqlab": dlqlab.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _git_state() -> Git:
    try:
        return Git(sha=_git("rev-parse", "HEAD"), dirty=bool(_git("status", "--porcelain")))
    except (OSError, subprocess.CalledProcessError):
        return Git()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
