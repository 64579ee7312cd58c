"""A scenario: load, faults, retry policy and pipeline settings as data, one TOML file each.

A file gives only what differs from the defaults below; a key that is not known, of a wrong type or out of its range
is an error that names it. ``seed`` stands at the top and holds for the load, the faults and the jitter alike.
"""

import dataclasses
import math
import tomllib
import types
import typing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from dlqlab.errors import ScenarioError
from taskrules.bounds import check, setting
from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultPlan
from taskrules.retry import RetryPolicy


def _check(ok: bool, name: str, value: object, remedy: str) -> None:
    if not ok:
        raise ScenarioError(f"{name} is {value!r}: {remedy}")


def _hold(section: str, settings: object) -> None:
    """Hold a section to the bounds of its fields; "" is the top level."""
    try:
        check(settings)
    except ValueError as error:
        raise ScenarioError(f"{section}.{error}" if section else str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the clients do. The load ends after ``duration_s`` or ``tasks``, whichever comes first."""

    users: int = setting(8, "requests that can be under way at a time", 1, 1000)
    rate_per_s: float = setting(
        60.0,
        "tasks over all users; 0 is as fast as the users can",
        0,
        100_000,
        give="0 to 100000, 0 is unlimited",
    )
    duration_s: float = setting(
        30.0, "no task is sent after this time", 0, 86_400, over=True, give="over 0 to 86400 seconds"
    )
    tasks: int = setting(1800, "no more than these are sent", 1, 10_000_000)
    payload_bytes: int = setting(200, "length of each payload as JSON", 0, 262_144, give="0 to 262144 bytes")
    timeout_s: float = setting(
        10.0,
        "a request without an answer for this long is given up, and its outcome unknown",
        0,
        60,
        over=True,
        give="over 0 to 60 seconds",
    )
    junk_messages: int = setting(0, "messages that are not tasks, written straight to the queue", 0, 1000)
    scripted_rate: float = setting(
        0.0,
        "share of tasks whose payload is the text `ERROR` or `SUCCESS`, half of them each",
        0,
        1,
        give="a ratio of 0 to 1",
    )

    def __post_init__(self) -> None:
        _hold("load", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker(BreakerPolicy):
    """The circuit breaker around the dependency: its policy, and whether there is one."""

    enabled: bool = setting(False, "whether a circuit breaker guards the dependency")

    def policy(self) -> BreakerPolicy | None:
        """What the app follows; None where the breaker is switched off."""
        names = [field.name for field in dataclasses.fields(BreakerPolicy)]
        return BreakerPolicy(**{name: getattr(self, name) for name in names}) if self.enabled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Settings of the queue, the event source mapping and the functions."""

    batch_size: int = setting(10, "most messages of one invocation of the processor", 1, 10_000)
    batch_window_s: int = setting(
        0,
        "how long a batch may wait to fill; over 10 messages Lambda wants at least 1 s",
        0,
        300,
        give="0 to 300 seconds",
    )
    function_timeout_s: int = setting(10, "timeout of the processor", 1, 900)
    visibility_timeout_s: int = setting(
        60,
        "how long a received message is hidden; AWS advises 6 function timeouts",
        give="function_timeout_s to 43200",
    )
    max_concurrency: int = setting(
        0,
        "MaximumConcurrency of the mapping, 2 to 1000; 0 leaves it unset",
        give="2 to 1000, or 0 for none",
    )

    def __post_init__(self) -> None:
        _hold("pipeline", self)
        _check(
            self.batch_size <= 10 or self.batch_window_s >= 1,
            "pipeline.batch_window_s",
            self.batch_window_s,
            "a batch_size over 10 needs a window of at least 1 s (Lambda refuses it otherwise)",
        )
        _check(
            self.function_timeout_s <= self.visibility_timeout_s <= 43_200,
            "pipeline.visibility_timeout_s",
            self.visibility_timeout_s,
            f"give function_timeout_s ({self.function_timeout_s}) to 43200: a shorter one hands a task to a second "
            "function while the first still works (Lambda refuses it)",
        )
        _check(
            self.max_concurrency == 0 or 2 <= self.max_concurrency <= 1000,
            "pipeline.max_concurrency",
            self.max_concurrency,
            "give 2 to 1000, or 0 for none",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How long to wait, after the load, until every acknowledged task is terminal and all queues are empty."""

    deadline_s: float = setting(
        120.0,
        "how long a run waits after the load for empty queues and finished tasks",
        1,
        86_400,
        give="1 to 86400 seconds",
    )

    def __post_init__(self) -> None:
        _hold("drain", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What the verdict holds the run against."""

    target_failure_rate: float | None = setting(
        None,
        "what the failure rate is held against; default: what the fault plan predicts",
        0,
        1,
        give="a ratio of 0 to 1",
    )
    confidence: float = setting(0.95, "level of all intervals", 0.5, 1, below=True, give="0.5 to below 1")
    max_half_width: float = setting(
        0.03,
        "a wider interval of the failure rate is an unknown, not a valid verdict",
        0,
        1,
        over=True,
        below=True,
        give="a ratio in (0, 1)",
    )
    max_median_lateness_s: float = setting(2.0, "a later median retry is invalid", 0, over=True, give="over 0 s")

    def __post_init__(self) -> None:
        _hold("judge", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that defines a run.

    ``faults`` and ``retry`` are the very plan and policy that the app follows and the oracle predicts from: whatever
    seed they are given with, they have the scenario's.
    """

    name: str = setting("", "what the run is called; default: the file's name")
    description: str = setting("", "one line for people")
    seed: int = setting(
        1,
        "of task ids, payloads, faults and jitter",
        0,
        2**63 - 1,
        give="a whole number of 0 to 2^63 - 1",
    )
    load: Load = field(default_factory=Load)
    faults: FaultPlan = field(default_factory=FaultPlan)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: Breaker = field(default_factory=Breaker)
    pipeline: Pipeline = field(default_factory=Pipeline)
    drain: Drain = field(default_factory=Drain)
    judge: Judge = field(default_factory=Judge)

    def __post_init__(self) -> None:
        _check(bool(self.name), "name", self.name, "give the scenario a name")
        _hold("", self)
        for section in ("faults", "retry"):
            object.__setattr__(self, section, dataclasses.replace(getattr(self, section), seed=self.seed))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest; ``from_dict`` reads them back."""
        found = typing.cast(dict[str, Any], _plain(dataclasses.asdict(self)))
        for section in ("faults", "retry"):
            del found[section]["seed"]
        return found


def from_dict(data: dict[str, Any], *, source: str) -> Scenario:
    """A scenario from plain values; ``source`` names the file in errors.

    Raises:
        ScenarioError: a key is unknown, of a wrong type or out of range.
    """
    try:
        return typing.cast(Scenario, _build(Scenario, data, ""))
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from error


def load_scenario(path: Path) -> Scenario:
    """The scenario of a TOML file; its name is the file's unless it gives one.

    Raises:
        ScenarioError: the file is missing, not TOML, or not a scenario.
    """
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: is not TOML: {error}") from error
    return from_dict({"name": path.stem, **data}, source=str(path))


def _build(kind: type, data: object, prefix: str) -> object:
    if not isinstance(data, dict):
        raise ScenarioError(f"{prefix.rstrip('.')} is {data!r}: give a table of settings")
    hints = settings_of(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise ScenarioError(f"{prefix}{unknown[0]} is not known: settings here are {', '.join(hints)}")
    given = {name: _convert(hints[name], value, prefix + name) for name, value in data.items()}
    try:
        return kind(**given)
    except ValueError as error:  # of a policy, which knows nothing of sections
        raise ScenarioError(f"{prefix}{error}") from error


def settings_of(kind: type) -> dict[str, Any]:
    """The settings of a section, or of the top level, with their types. The seed stands at the top for all."""
    hints = typing.get_type_hints(kind)
    return {name: hint for name, hint in hints.items() if name != "seed" or kind is Scenario}


def _convert(hint: Any, value: object, name: str) -> object:
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast(type, hint), value, name + ".")
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        choices = [str(member) for member in hint]
        _check(value in choices, name, value, f"give one of {', '.join(choices)}")
        return hint(typing.cast(str, value))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    # bool is an int in Python: "users = true" must not mean one user.
    _check(type(value) is hint, name, value, f"give a {hint.__name__}")
    _check(not isinstance(value, float) or math.isfinite(value), name, value, "give a finite number")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, StrEnum) else value
