"""Metrics: one line of CloudWatch's embedded metric format (EMF) for each invocation that has something to count.

CloudWatch reads such a line out of the log and needs no call ("Specification: Embedded metric format", CloudWatch user
guide). One line sums up the batch, because each line costs. The numbers come from the events: the two cannot differ.

    {"_aws": {"Timestamp": ms,
              "CloudWatchMetrics": [{"Namespace": "dlqlab", "Dimensions": [["FunctionName"]], "Metrics": [...]}]},
     "FunctionName": "...", "runId": "...", "requestId": "...", "AttemptFailed": [0, 1, 0], ...}

Not Powertools for AWS Lambda: measured (3.37, Python 3.13), importing its Metrics takes 120 ms of CPU time of every
cold start and a line 0.07 ms; this takes none and 0.015 ms.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.events import Context, EventName

NAMESPACE = "dlqlab"
DIMENSION = "FunctionName"
VALUES_MAX = 100
"""Of one metric in one line (EMF specification)."""

Reading = tuple[str, float]
Reader = Callable[[float, Mapping[str, Any]], list[Reading]]


def _succeeded(_ts: float, own: Mapping[str, Any]) -> list[Reading]:
    return [("AttemptFailed", 0), ("AttemptDuration", own["durationS"])]


def _failed(_ts: float, own: Mapping[str, Any]) -> list[Reading]:
    return [("AttemptFailed", 1), ("AttemptDuration", own["durationS"])]


def _dead_lettered(ts: float, own: Mapping[str, Any]) -> list[Reading]:
    age = [] if own["firstTs"] is None else [("DeadLetterAge", max(0.0, round(ts - own["firstTs"], 6)))]
    return [("TaskDeadLettered", 1), *age]


def _one(metric: str) -> Reader:
    return lambda _ts, _own: [(metric, 1)]


READERS: Mapping[EventName, Reader] = {
    EventName.ATTEMPT_SUCCEEDED: _succeeded,
    EventName.ATTEMPT_FAILED: _failed,
    EventName.ATTEMPT_SKIPPED: _one("DeliverySkipped"),
    EventName.TASK_DEAD_LETTERED: _dead_lettered,
    EventName.TASK_REQUEUED: _one("TaskRequeued"),
    EventName.BREAKER_OPENED: _one("BreakerOpened"),
    EventName.BREAKER_CLOSED: _one("BreakerClosed"),
}
UNITS: Mapping[str, str] = {
    "AttemptFailed": "Count",  # 0 or 1 for each attempt: its average is the failure ratio, its sum the failures
    "AttemptDuration": "Seconds",
    "DeliverySkipped": "Count",
    "TaskDeadLettered": "Count",
    "DeadLetterAge": "Seconds",  # from the acceptance of the task to its dead letter
    "TaskRequeued": "Count",
    "BreakerOpened": "Count",
    "BreakerClosed": "Count",
}


class Metrics:
    """What one invocation has to count."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def note(self, name: EventName, ts: float, own: Mapping[str, Any]) -> None:
        """Count an event."""
        reader = READERS.get(name)
        for metric, value in reader(ts, own) if reader else ():
            self._values.setdefault(metric, []).append(value)

    def lines(self, context: Context, now: float) -> list[str]:
        """The lines that say it all, mostly one or none."""
        longest = max((len(values) for values in self._values.values()), default=0)
        return [self._line(context, now, start) for start in range(0, longest, VALUES_MAX)]

    def _line(self, context: Context, now: float, start: int) -> str:
        parts = {name: values[start : start + VALUES_MAX] for name, values in self._values.items()}
        values = {name: part for name, part in parts.items() if part}
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [[DIMENSION]],
            "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in values],
        }
        record = {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
            DIMENSION: context.function,
            "runId": context.run_id,
            "requestId": context.request_id,
            **values,
        }
        return json.dumps(record, separators=(",", ":"))
