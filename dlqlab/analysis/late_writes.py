"""Writes that functions make after their answer: nobody waits for them, and on AWS the environment is frozen by then.

The record knows no invocation of such a call, nor of one during an init.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dlqlab.analysis.flow import Flow, subjects_of
from dlqlab.analysis.recorded_rows import Row
from dlqlab.analysis.writes import WRITES

_SERVICES = frozenset({"sqs", "sns", "events", "dynamodb"})
"""Without those by which extensions, which go on after the answer, bring logs away."""


@dataclass(frozen=True, slots=True)
class LateWrite:
    """``subjects``: the message, or the invocation, that it belongs to; none where several may be meant."""

    function: str
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class LateWrites:
    """Those of a run's functions."""

    flow: Flow

    def __iter__(self) -> Iterator[LateWrite]:
        for call in self.flow.calls:
            function = call["function"]
            if not function or call["request_id"] is not None or not self.flow.is_own_caller(function):
                continue
            if call["service"] in _SERVICES and call["operation"] in WRITES[call["service"]]:
                yield from self._late(call, function)

    def _late(self, call: Row, function: str) -> Iterator[LateWrite]:
        answered = [
            one for rows in self._environments.get(function, {}).values() if (one := _answered(rows, call["ts"]))
        ]
        if answered and not self._may_be_init(function, call["ts"]):
            meant = answered if len(answered) == 1 else [one for one in answered if self._is_about(call, one)]
            yield LateWrite(function, subjects_of(meant[0]) if len(meant) == 1 else ())

    @cached_property
    def _environments(self) -> Mapping[str, Mapping[str, Sequence[Row]]]:
        """The invocations of each execution environment, by function, in the order in which they began."""
        found: dict[str, dict[str, list[Row]]] = {}
        for row in sorted(self.flow.every_invocation, key=lambda one: one["started_ts"]):
            if row["ended_ts"] is not None:
                found.setdefault(row["function"], {}).setdefault(row["environment"] or "", []).append(row)
        return found

    def _may_be_init(self, function: str, ts: float) -> bool:
        rows = [row for some in self._environments[function].values() for row in some if row["init_s"]]
        return any(row["started_ts"] <= ts <= row["ended_ts"] for row in rows)

    def _is_about(self, call: Row, invocation: Row) -> bool:
        return any(self.flow.is_about(call, one) for one in invocation["message_ids"] or ())


def _answered(rows: Sequence[Row], ts: float) -> Row | None:
    """The invocation of one environment that had ended by then, where none has begun since."""
    at = bisect_right(rows, ts, key=lambda row: row["started_ts"])
    last = rows[at - 1] if at else None
    return last if last is not None and last["ended_ts"] <= ts else None
