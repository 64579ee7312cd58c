"""How a target behaves, in numbers: LocalStack as this project patches it, LocalStack as it is sold, and AWS.

Each number is a field whose metadata names its unit and where it comes from: ``explain`` lists them. What AWS does not
document is marked as an assumption; ``calibrate`` replaces durations by what a measured run shows.
"""
# ruff: noqa: RUF009  (a default that a function makes is shared by all, and every one of these is immutable)

import dataclasses
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dlqlab.errors import UsageError
from dlqlab.pollers import STARTING_POLLERS

GRID = 256
"""Steps of an empirical distribution: its quantiles at 0, 1/256, ..., 1."""


class DistributionKind(StrEnum):
    """The families of durations."""

    CONSTANT = "constant"  # value
    EXPONENTIAL = "exponential"  # mean
    LOGNORMAL = "lognormal"  # median, standard deviation of the logarithm
    EMPIRICAL = "empirical"  # GRID + 1 quantiles, straight lines between them


@dataclass(frozen=True, slots=True)
class Duration:
    """A distribution of seconds."""

    kind: DistributionKind
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        wanted = {DistributionKind.LOGNORMAL: 2, DistributionKind.EMPIRICAL: GRID + 1}.get(self.kind, 1)
        if len(self.values) != wanted or not all(math.isfinite(value) and value >= 0 for value in self.values):
            raise UsageError(f"{self.kind} of {self.values[:4]}: give {wanted} finite numbers of 0 or more")
        if self.kind is DistributionKind.EMPIRICAL and any(
            b < a for a, b in zip(self.values, self.values[1:], strict=False)
        ):
            raise UsageError("quantiles of an empirical distribution must not fall")

    @property
    def mean_s(self) -> float:
        if self.kind is DistributionKind.LOGNORMAL:
            return self.values[0] * math.exp(self.values[1] ** 2 / 2)
        if self.kind is DistributionKind.EMPIRICAL:
            # Of the straight lines: each counts with the middle of its ends.
            return (sum(self.values) - (self.values[0] + self.values[-1]) / 2) / GRID
        return self.values[0]

    def quantile_s(self, q: float) -> float:
        """The duration that a share q of all stays below."""
        if self.kind is DistributionKind.EXPONENTIAL:
            return -math.log(1 - q) * self.values[0]
        if self.kind is DistributionKind.LOGNORMAL:
            return self.values[0] * math.exp(self.values[1] * statistics.NormalDist().inv_cdf(q))
        if self.kind is DistributionKind.EMPIRICAL:
            step, part = divmod(q * GRID, 1)
            low, high = self.values[int(step)], self.values[min(GRID, int(step) + 1)]
            return low + (high - low) * part
        return self.values[0]


def fixed(seconds: float) -> Duration:
    return Duration(DistributionKind.CONSTANT, (seconds,))


def exponential(mean_s: float) -> Duration:
    return Duration(DistributionKind.EXPONENTIAL, (mean_s,))


def lognormal(median_s: float, sigma: float) -> Duration:
    return Duration(DistributionKind.LOGNORMAL, (median_s, sigma))


def empirical(quantiles: Sequence[float]) -> Duration:
    """From GRID + 1 quantiles at equal steps of probability."""
    return Duration(DistributionKind.EMPIRICAL, tuple(float(value) for value in quantiles))


class Order(StrEnum):
    """Which visible message is delivered first."""

    SENT = "sent"  # by its first arrival: a retry overtakes new work
    VISIBLE = "visible"  # by when it became visible: a retry queues up behind


ASSUMED = "assumption; AWS does not document it: calibrate from a run"
MEASURED = "measured on this project's emulator at rest (tests/recorded); calibrate from a run of yours"
SCALING = "AWS Lambda developer guide, event source mapping scaling for SQS"
QUOTAS = "AWS service quotas"
EMULATOR = "dlqlab/emulator"


def _set(default: Any, unit: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """One target. The defaults are LocalStack with this project's patches."""

    name: str = "localstack"
    order: Order = _set(Order.SENT, "", "LocalStack keeps visible messages by send time (measured)")
    back_after_receives: int = _set(3, "receives", f"{EMULATOR}/sqs/redelivery_order.py: then at the end; 0 is never")
    pollers_start: int = _set(
        STARTING_POLLERS, "batches", f"{EMULATOR}/mappings/concurrent_pollers.py, after the {SCALING}"
    )
    pollers_per_min: float = _set(300.0, "batches/min", f"{EMULATOR}/mappings/scaling.py, after the {SCALING}")
    pollers_max: int = _set(10, "batches", "DLQLAB_POLLERS_MAX; MaximumConcurrency replaces it")
    concurrency_max: int = _set(1000, "environments", "LocalStack config, LAMBDA_LIMITS_CONCURRENT_EXECUTIONS")
    in_flight_max: int = _set(10**9, "messages", "LocalStack has no limit (source)")
    retention_s: float = _set(345_600.0, "s", "app/resources.yaml, MessageRetentionPeriod")
    visibility_tick_s: float = _set(0.0, "s", f"{EMULATOR}/sqs/visibility_timers.py; 0 is exact")
    poll_interval_s: float = _set(0.0, "s", f"{EMULATOR}/mappings/concurrent_pollers.py: no pause after a batch")
    empty_wait_s: float = _set(0.0, "s", f"{EMULATOR}/mappings/concurrent_pollers.py: waits at the queue")
    empty_wait_factor: float = _set(1.5, "", "LocalStack source, utils/backoff.py")
    empty_wait_max_s: float = _set(10.0, "s", "LocalStack config, ..._MAX_BACKOFF_ON_EMPTY_POLL_SEC")
    long_poll_s: float = _set(20.0, "s", f"{EMULATOR}/mappings/concurrent_pollers.py; a wait ends after it")
    stale_handle_deletes: bool = _set(default=False, unit="", source=f"{EMULATOR}/sqs/receipt_handles.py")
    receive_count_goes_on: bool = _set(default=True, unit="", source="LocalStack (measured): in the DLQ too")
    warm_environments: int = _set(5, "environments", "the runner's warm-up of the processor")
    environment_idle_s: float = _set(600.0, "s", "LocalStack config, LAMBDA_KEEPALIVE_MS")
    throttle_pause_s: float = _set(1.0, "s", ASSUMED)
    sweep_period_s: float = _set(60.0, "s", "app/app.py: the sweeper's schedule")
    sweep_after_s: float = _set(15.0, "s", "app: PENDING_AFTER_S")
    warm_up_s: float = _set(7.0, "s", "recorded runs: configuration of the functions to the start of the load")
    enqueue_s: Duration = _set(lognormal(0.030, 0.4), "s", f"request sent to message in the queue; {MEASURED}")
    answer_s: Duration = _set(lognormal(0.012, 0.4), "s", f"message in the queue to answer at the client; {MEASURED}")
    api_busy_s: Duration = _set(lognormal(0.018, 0.4), "s", f"duration of the API's invocation; {MEASURED}")
    deliver_s: Duration = _set(lognormal(0.008, 0.4), "s", f"batch received to function started; {MEASURED}")
    head_s: Duration = _set(lognormal(0.002, 0.4), "s", f"function started to its first record; {MEASURED}")
    success_s: Duration = _set(lognormal(0.009, 0.3), "s", f"attempt.started to attempt.succeeded; {MEASURED}")
    turn_s: Duration = _set(lognormal(0.0003, 0.5), "s", f"attempt.succeeded to the next record; {MEASURED}")
    failure_s: Duration = _set(lognormal(0.009, 0.3), "s", f"attempt.started to attempt.failed; {MEASURED}")
    hide_s: Duration = _set(lognormal(0.004, 0.4), "s", f"attempt.failed to the next record; {MEASURED}")
    skip_s: Duration = _set(lognormal(0.006, 0.4), "s", f"a record without an attempt; {MEASURED}")
    tail_s: Duration = _set(lognormal(0.002, 0.4), "s", f"last record to the end of the function; {MEASURED}")
    settle_s: Duration = _set(lognormal(0.008, 0.4), "s", f"end of the function to the poller's return; {MEASURED}")
    reappear_s: Duration = _set(lognormal(0.009, 0.5), "s", "end of hiding to visible again; the runs' retry probe")
    monitor_s: Duration = _set(lognormal(0.015, 0.3), "s", f"a dead letter's turn in the monitor; {MEASURED}")
    cold_start_s: Duration = _set(lognormal(0.9, 0.2), "s", f"init of an execution environment; {MEASURED}")

    def __post_init__(self) -> None:
        for name in ("pollers_start", "pollers_max", "concurrency_max", "in_flight_max"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}: give 1 or more")
        for name in (
            "back_after_receives",
            "pollers_per_min",
            "visibility_tick_s",
            "poll_interval_s",
            "empty_wait_s",
            "throttle_pause_s",
        ):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise UsageError(f"{name} is {getattr(self, name)}: give 0 or more")
        for name in ("retention_s", "sweep_period_s", "long_poll_s"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise UsageError(f"{name} is {getattr(self, name)}: give over 0 seconds")


LOCALSTACK = Parameters()

STOCK = Parameters(
    name="localstack-stock",
    back_after_receives=0,
    stale_handle_deletes=True,
    pollers_start=1,
    pollers_per_min=0.0,
    pollers_max=1,
    long_poll_s=1.0,
    visibility_tick_s=1.0,
    reappear_s=fixed(0.0),
    poll_interval_s=1.0,
    empty_wait_s=1.0,
    warm_environments=1,
)
"""LocalStack as it is, with one poller, its pauses, its back-off on an empty queue and its clock of 1 s."""

AWS = Parameters(
    name="aws",
    order=Order.VISIBLE,
    pollers_per_min=300.0,
    pollers_max=1250,
    in_flight_max=120_000,
    long_poll_s=20.0,
    warm_environments=0,
    enqueue_s=lognormal(0.030, 0.4),
    answer_s=lognormal(0.015, 0.4),
    api_busy_s=lognormal(0.025, 0.4),
    deliver_s=lognormal(0.020, 0.5),
    head_s=lognormal(0.002, 0.4),
    success_s=lognormal(0.012, 0.4),
    turn_s=lognormal(0.0003, 0.5),
    failure_s=lognormal(0.012, 0.4),
    hide_s=lognormal(0.008, 0.4),
    skip_s=lognormal(0.006, 0.4),
    tail_s=lognormal(0.002, 0.4),
    settle_s=lognormal(0.010, 0.4),
    reappear_s=fixed(0.0),
    monitor_s=lognormal(0.020, 0.4),
    cold_start_s=lognormal(0.45, 0.25),
)
"""The documented scaling of AWS; its durations are assumptions for a 128 MB to 512 MB Python function."""

AWS_SOURCES = {
    "order": "SQS developer guide: at-least-once, unordered; a message received 3 times goes to the back of the queue",
    "back_after_receives": "SQS developer guide, CloudWatch metrics; here every message comes back at the end",
    "pollers_start": SCALING,
    "pollers_per_min": f"{SCALING}: up to 300 more a minute",
    "pollers_max": f"{SCALING}: up to 1,250 concurrent batches (older texts: 1,000)",
    "concurrency_max": f"{QUOTAS}: 1,000 concurrent executions an account and Region, by default",
    "in_flight_max": "SQS developer guide: about 120,000 in flight a standard queue, then OverLimit",
    "visibility_tick_s": "SQS API reference: counts from the call",
    "poll_interval_s": SCALING,
    "empty_wait_s": f"{SCALING}: long polling",
    "long_poll_s": "SQS API reference: WaitTimeSeconds up to 20",
    "stale_handle_deletes": "SQS API reference, DeleteMessage: an old receipt handle may leave the message",
    "receive_count_goes_on": "assumption: a move keeps the message's attributes",
    "warm_environments": "nothing is warm before the load",
    "environment_idle_s": ASSUMED,
}
RULES = {parameters.name: parameters for parameters in (LOCALSTACK, STOCK, AWS)}


def parameters_of(rules: str) -> Parameters:
    """The parameter set of that name: whose rules are simulated.

    Raises:
        UsageError: there is none.
    """
    if rules not in RULES:
        raise UsageError(f"no rules {rules!r}: there are those of {', '.join(RULES)}")
    return RULES[rules]


def explain(parameters: Parameters) -> list[dict[str, str]]:
    """Each parameter with its value, unit and source: name, value, unit, source."""
    aws = AWS_SOURCES if parameters.name.startswith(AWS.name) else {}
    rows = []
    for one in dataclasses.fields(parameters):
        if one.name == "name":
            continue
        value = getattr(parameters, one.name)
        source = aws.get(one.name, one.metadata["source"])
        if isinstance(value, Duration):
            source = source.split("; ")[0] + f"; {ASSUMED}" if aws else source
            value = f"{value.kind}, mean {value.mean_s:.4g}"
        rows.append({"name": one.name, "value": str(value), "unit": one.metadata["unit"], "source": source})
    return rows
