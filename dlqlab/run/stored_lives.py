"""What a run keeps about lives of tasks: the recording, the clients' ledger, limits of queues, log lines."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.errors import UsageError

TIMEOUT_MAX_S = 900.0
"""The longest that an invocation may take (Lambda quotas)."""
SLACK_S = 1.0
"""By how much a log line may be stamped before or after its invocation."""
_WORD = re.compile(r"[\w-]+")
"""Request ids are among the words of a line."""


class Ran(NamedTuple):
    """An invocation whose log lines are wanted; ``environment`` ends the name of its log stream."""

    request_id: str
    function: str
    started_ts: float
    ended_ts: float | None
    environment: str | None = None

    @property
    def window(self) -> tuple[float, float]:
        """When its lines may have been stamped."""
        ended_ts = self.started_ts + TIMEOUT_MAX_S if self.ended_ts is None else self.ended_ts
        return self.started_ts - SLACK_S, ended_ts + SLACK_S


class Logged(NamedTuple):
    """A log line."""

    ts: float
    stream: str
    text: str


def run_recording(run: RunDir) -> Recording:
    """What was recorded of a run.

    Raises:
        UsageError: nothing was.
        EvidenceError: the record cannot be read.
    """
    found = read_recording(run)
    if found is None:
        raise UsageError(f"run {run.path.name} holds no recording: it was made without the emulator's recorder")
    return found


def ledger_of(run: RunDir) -> Mapping[str, Sequence[str]]:
    """The clients' request ids by task id; empty where the run has no ledger.

    Raises:
        EvidenceError: it cannot be read.
    """
    if not run.has("ledger"):
        return {}
    ledger = run.read("ledger")
    known = ledger[ledger["task_id"].notna() & ledger["request_id"].notna()]
    found: dict[str, list[str]] = {}
    for task_id, request_id in zip(known["task_id"].tolist(), known["request_id"].tolist(), strict=True):
        found.setdefault(task_id, []).append(request_id)
    return found


def run_limits(run: RunDir) -> Mapping[str, int]:
    """The maxReceiveCount of queues, by name, as deployed where anybody looked, else as declared.

    Raises:
        EvidenceError: the topology cannot be read.
    """
    if not run.topology_path.exists():
        return {}
    value = read_json(run.topology_path)
    found: dict[str, int] = {}
    for topology in (value.get("declared"), value.get("deployed")):
        for queue in (topology or {}).get("queues", ()):
            if queue.get("max_receive_count") is not None:
                found[queue["name"]] = queue["max_receive_count"]
    return found


def run_lines(run: RunDir, ran: Collection[Ran]) -> Mapping[str, Sequence[Logged]]:
    """By request id the lines that the run keeps of these invocations: those that name them, and those of their
    environments that name no invocation, while they ran.

    Raises:
        EvidenceError: the lines cannot be read.
    """
    from dlqlab.run.stored_lines import stored_lines  # noqa: PLC0415  (reads tables)

    if not ran:
        return {}
    wanted = {each.request_id for each in ran}
    stored = stored_lines(run, wanted)
    kept = _Kept((Logged(line.timestamp_ms / 1000, line.log_stream, line.message) for line in stored), wanted)
    return {each.request_id: kept.of(each) for each in ran}


class _Kept:
    """Lines by the invocations that they name, and by their environments."""

    def __init__(self, lines: Iterable[Logged], wanted: AbstractSet[str]) -> None:
        self._naming: dict[str, list[Logged]] = {}
        self._of: dict[str, list[Logged]] = {}
        for line in lines:
            for request_id in wanted & set(_WORD.findall(line.text)):
                self._naming.setdefault(request_id, []).append(line)
            self._of.setdefault(line.stream.rpartition("]")[2], []).append(line)
        for some in self._of.values():
            some.sort()

    def of(self, ran: Ran) -> list[Logged]:
        first, last = ran.window
        beside = self._of.get(ran.environment, []) if ran.environment else []
        during = beside[bisect_left(beside, (first,)) : bisect_right(beside, (last,))]
        return list(dict.fromkeys([*self._naming.get(ran.request_id, ()), *during]))
