"""Asynchronous invocations: events that Lambda keeps, tries again where they fail, and in the end drops or hands on.

Source: "How Lambda handles errors and retries with asynchronous invocation" (AWS Lambda developer guide): two more
attempts unless the function is configured otherwise; then the event goes to the on-failure destination or dead-letter
queue, and without one it is discarded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from dlqlab.analysis.flow import Flow
from dlqlab.analysis.recorded_rows import Row
from dlqlab.contracts.recorded import Outcome
from dlqlab.contracts.topology import EVENT_RETRIES

_SENDERS = frozenset({"sns", "events", "s3", "scheduler"})
"""Services that invoke functions asynchronously."""
_CALLERS = frozenset({"client", "invocation"})
"""Those that may wait for the answer, or not."""
_ACCEPTED = 202
"""Status of an Invoke whose caller does not wait."""
_UNCOUNTED = frozenset({Outcome.THROTTLED})
"""An event that found no environment free is tried again for hours, and that is no attempt."""


class End(StrEnum):
    """What became of an event; the names of the sets of the check."""

    DONE = "done"
    HANDED_ON = "handed_on"
    DROPPED = "dropped"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Event:
    """One asynchronous invocation with all its attempts."""

    request_id: str
    function: str
    attempts: Sequence[Row]
    end: End

    @property
    def error(self) -> str:
        """How its last attempt failed."""
        last = self.attempts[-1]
        said = ": ".join(filter(None, (last["error_type"], last["error_message"])))
        return said or str(last["outcome"])


class Events:
    """The asynchronous invocations of the functions of one pipeline."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        topology = flow.topology
        self._functions = {one.name: one for one in topology.functions} if topology else {}

    def all(self) -> Iterator[Event]:
        """Every event, in the order in which they were first tried."""
        found: dict[str, list[Row]] = {}
        for row in self._flow.every_invocation:
            is_own = self._flow.is_own_caller(row["function"]) and not self._flow.is_over(row["ended_ts"])
            if is_own and self._is_asynchronous(row):
                found.setdefault(row["request_id"], []).append(row)
        for request_id, rows in found.items():
            name = rows[0]["function"]
            yield Event(request_id, name, rows, self._end(name, rows))

    def _is_asynchronous(self, row: Row) -> bool:
        if row["source"] in _CALLERS:
            return self._answers.get((row["client_request_id"], row["function"])) == {_ACCEPTED}
        return row["source"] in _SENDERS

    @cached_property
    def _answers(self) -> Mapping[tuple[str, str], set[int]]:
        """The statuses of the calls of Invoke, by who called and the function."""
        found: dict[tuple[str, str], set[int]] = {}
        for row in self._flow.calls:
            if (row["service"], row["operation"]) == ("lambda", "Invoke") and row["request_id"]:
                name = (row["resource"] or "").rpartition(":function:")[2].partition(":")[0]
                found.setdefault((row["request_id"], name), set()).add(row["status"])
        return found

    def _end(self, name: str, rows: Sequence[Row]) -> End:
        last = rows[-1]["outcome"]
        if last == Outcome.OK:
            return End.DONE
        tried = sum(row["outcome"] not in _UNCOUNTED for row in rows)
        function = self._functions.get(name)
        retries = EVENT_RETRIES if function is None or function.event_retries is None else function.event_retries
        if last is None or last in _UNCOUNTED or tried <= retries:
            return End.OPEN
        if function is None or function.drops_failed_events is None:
            return End.OPEN  # nobody knows whether something takes it
        return End.DROPPED if function.drops_failed_events else End.HANDED_ON
