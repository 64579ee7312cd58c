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
from taskrules.breaker import BreakerPolicy
from taskrules.faults import FaultMode, FaultPlan
from taskrules.retry import Jitter, RetryPolicy


def _check(ok: bool, name: str, value: object, remedy: str) -> None:
    if not ok:
        raise ScenarioError(f"{name} is {value!r}: {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the clients do. The load ends after ``duration_s`` or ``tasks``, whichever comes first."""

    users: int = 8
    rate_per_s: float = 60.0  # tasks a second over all users; 0 is as fast as the users can
    duration_s: float = 30.0
    tasks: int = 1800
    payload_bytes: int = 200
    timeout_s: float = 10.0
    junk_messages: int = 0  # poison bodies written straight to the queue
    scripted_rate: float = 0.0  # share of tasks whose payload is the text ERROR or SUCCESS, half of them each

    def __post_init__(self) -> None:
        _check(1 <= self.users <= 1000, "load.users", self.users, "give 1 to 1000")
        _check(0 <= self.rate_per_s <= 100_000, "load.rate_per_s", self.rate_per_s, "give 0 to 100000, 0 is unlimited")
        _check(0 < self.duration_s <= 86_400, "load.duration_s", self.duration_s, "give over 0 to 86400 seconds")
        _check(1 <= self.tasks <= 10_000_000, "load.tasks", self.tasks, "give 1 to 10000000")
        _check(0 <= self.payload_bytes <= 262_144, "load.payload_bytes", self.payload_bytes, "give 0 to 262144 bytes")
        _check(0 < self.timeout_s <= 60, "load.timeout_s", self.timeout_s, "give over 0 to 60 seconds")
        _check(0 <= self.junk_messages <= 1000, "load.junk_messages", self.junk_messages, "give 0 to 1000")
        _check(0 <= self.scripted_rate <= 1, "load.scripted_rate", self.scripted_rate, "give a ratio of 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The fault plan without its seed; see taskrules.faults."""

    mode: FaultMode = FaultMode.PER_ATTEMPT
    failure_rate: float = 0.3
    permanent_suffix: str = ""
    permanent_rate: float = 0.0
    timeout_rate: float = 0.0
    crash_before_rate: float = 0.0
    crash_after_rate: float = 0.0
    slow_rate: float = 0.0
    slow_s: float = 0.0
    duplicate_rate: float = 0.0
    api_crash_rate: float = 0.0
    outage_start_s: float = 0.0  # after the functions were configured, which is right before the warm-up
    outage_duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The retry policy without its seed; see taskrules.retry."""

    max_retries: int = 2
    base_s: float = 2.0
    factor: float = 2.0
    cap_s: int = 900
    jitter: Jitter = Jitter.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The circuit breaker around the dependency; see chalicelib.breaker."""

    enabled: bool = False
    failure_ratio: float = 0.5
    window_s: int = 10
    min_calls: int = 10
    cool_down_s: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Settings of the queue, the event source mapping and the functions."""

    batch_size: int = 10
    batch_window_s: int = 0
    function_timeout_s: int = 10
    visibility_timeout_s: int = 60
    max_concurrency: int = 0  # 0: not set, AWS's own scaling

    def __post_init__(self) -> None:
        _check(1 <= self.batch_size <= 10_000, "pipeline.batch_size", self.batch_size, "give 1 to 10000")
        _check(0 <= self.batch_window_s <= 300, "pipeline.batch_window_s", self.batch_window_s, "give 0 to 300 seconds")
        _check(
            self.batch_size <= 10 or self.batch_window_s >= 1,
            "pipeline.batch_window_s",
            self.batch_window_s,
            "a batch_size over 10 needs a window of at least 1 s (Lambda refuses it otherwise)",
        )
        _check(
            1 <= self.function_timeout_s <= 900, "pipeline.function_timeout_s", self.function_timeout_s, "give 1 to 900"
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
    """How long to wait, after the load, until every acknowledged task is terminal and both queues are empty."""

    deadline_s: float = 120.0

    def __post_init__(self) -> None:
        _check(1 <= self.deadline_s <= 86_400, "drain.deadline_s", self.deadline_s, "give 1 to 86400 seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What the verdict holds the run against."""

    target_failure_rate: float | None = None  # default: what the fault plan predicts
    confidence: float = 0.95
    max_half_width: float = 0.03  # a wider interval of the failure rate is "not enough data"
    max_median_lateness_s: float = 2.0

    def __post_init__(self) -> None:
        target = self.target_failure_rate
        _check(target is None or 0 <= target <= 1, "judge.target_failure_rate", target, "give a ratio of 0 to 1")
        _check(0.5 <= self.confidence < 1, "judge.confidence", self.confidence, "give 0.5 to below 1")
        _check(0 < self.max_half_width < 1, "judge.max_half_width", self.max_half_width, "give a ratio in (0, 1)")
        _check(
            self.max_median_lateness_s > 0, "judge.max_median_lateness_s", self.max_median_lateness_s, "give over 0 s"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that defines a run."""

    name: str
    description: str = ""
    seed: int = 1
    load: Load = field(default_factory=Load)
    faults: Faults = field(default_factory=Faults)
    retry: Retry = field(default_factory=Retry)
    breaker: Breaker = field(default_factory=Breaker)
    pipeline: Pipeline = field(default_factory=Pipeline)
    drain: Drain = field(default_factory=Drain)
    judge: Judge = field(default_factory=Judge)

    def __post_init__(self) -> None:
        _check(bool(self.name), "name", self.name, "give the scenario a name")
        _check(0 <= self.seed < 2**63, "seed", self.seed, "give a whole number of 0 to 2^63 - 1")
        self._guard("faults", self.fault_plan)
        self._guard("retry", self.retry_policy)
        self._guard("breaker", self.breaker_policy)

    def fault_plan(self) -> FaultPlan:
        """The plan that the app will follow and the oracle predicts from."""
        return FaultPlan(seed=self.seed, **dataclasses.asdict(self.faults))

    def retry_policy(self) -> RetryPolicy:
        """The policy that the app will follow."""
        return RetryPolicy(seed=self.seed, **dataclasses.asdict(self.retry))

    def breaker_policy(self) -> BreakerPolicy | None:
        """The breaker's policy; None where it is switched off."""
        fields = dataclasses.asdict(self.breaker)
        return BreakerPolicy(**fields) if fields.pop("enabled") else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest; ``from_dict`` reads them back."""
        return typing.cast(dict[str, Any], _plain(dataclasses.asdict(self)))

    @staticmethod
    def _guard(section: str, build: typing.Callable[[], object]) -> None:
        try:
            build()
        except ValueError as error:
            raise ScenarioError(f"{section}.{error}") from error


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
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise ScenarioError(f"{prefix}{unknown[0]} is not known: settings here are {', '.join(hints)}")
    return kind(**{name: _convert(hints[name], value, prefix + name) for name, value in data.items()})


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
