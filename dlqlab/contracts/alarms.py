"""CloudWatch's alarms of a run, as they were set and what became of them: ``alarms.json`` in the run directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlqlab.contracts.plain_files import read_plain, write_plain
from dlqlab.contracts.rundir import RunDir

_FILE = "alarms.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of an alarm's state: when, in seconds since the epoch, and to what: OK, ALARM, INSUFFICIENT_DATA."""

    ts: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A data point: the start of its period, in seconds since the epoch, and the statistic's value."""

    ts: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecord:
    """An alarm on one metric, in the fields of PutMetricAlarm.

    ``changes`` are those since the load began, oldest first; ``points`` the values of its statistic since then, at its
    period. ``published_with`` are the dimensions with which its namespace and metric were published at all, each as
    ``QueueName=orders``; joined by commas.
    """

    name: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = ""
    unit: str | None = None
    period_s: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    threshold: float = 0.0
    operator: str = "GreaterThanOrEqualToThreshold"
    missing_data: str = "missing"
    has_actions: bool = True
    state: str = "INSUFFICIENT_DATA"
    changes: tuple[Change, ...] = ()
    points: tuple[Point, ...] = ()
    published_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """All alarms that were there, when they were looked at, and the names of those that are not on one metric."""

    read_ts: float
    alarms: tuple[AlarmRecord, ...] = ()
    not_judged: tuple[str, ...] = ()


def write_alarms(run: RunDir, alarms: Alarms) -> None:
    write_plain(run.path / _FILE, alarms)


def read_alarms(run: RunDir) -> Alarms | None:
    """The alarms of a run; None where nobody looked.

    Raises:
        EvidenceError: the file cannot be read.
    """
    return read_plain(run.path / _FILE, Alarms)


def dimensions_text(named: Mapping[str, str] | Sequence[Mapping[str, str]]) -> str:
    """``QueueName=orders``, several joined by commas, in the order of their names; none: an empty text."""
    pairs = named.items() if isinstance(named, Mapping) else [(one["Name"], one["Value"]) for one in named]
    return ",".join(f"{name}={value}" for name, value in sorted(pairs))
