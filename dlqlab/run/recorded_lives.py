"""What was recorded, of an emulator that runs or of a run, with the log lines and limits that explain it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dlqlab.contracts.names import log_group
from dlqlab.contracts.recorded import RECORDER
from dlqlab.contracts.recorded_run import read_recording
from dlqlab.contracts.recording import Recording
from dlqlab.contracts.rundir import RunDir, read_json
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.reader import read
from dlqlab.errors import UsageError
from dlqlab.run.recordings import recorder_state

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

TIMEOUT_MAX_S = 900.0
"""The longest that an invocation may take (Lambda quotas)."""
SLACK_S = 1.0
"""By how much a log line may be stamped before or after its invocation."""


class Ran(NamedTuple):
    """An invocation whose log lines are wanted."""

    request_id: str
    function: str
    started_ts: float
    ended_ts: float | None


class Logged(NamedTuple):
    """A log line."""

    ts: float
    stream: str
    text: str


def live_recording(emulator: Emulator, task_key: str | None = None) -> Recording:
    """All that the emulator has recorded up to now.

    Args:
        task_key: where bodies have the key of their task (``Topology.task_key``).

    Raises:
        UsageError: it runs without its recorder.
        EvidenceError: the record cannot be read.
    """
    if RECORDER not in emulator.patches:
        raise UsageError(
            f"the emulator on port {emulator.port} runs without its recorder: start it anew without --no-recorder and "
            "--without-patch recorder"
        )
    return read(Path(recorder_state(emulator.port)["folder"]), task_key=task_key)


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


def run_lines(run: RunDir, ran: Sequence[Ran]) -> Iterator[Logged]:
    """The lines that the run keeps of the functions of these invocations while they ran, or that name them.

    Raises:
        EvidenceError: the lines cannot be read.
    """
    from dlqlab.run.stored_lines import stored_lines  # noqa: PLC0415  (reads tables)

    if not ran or not run.has("events"):
        return
    first, last = _window(ran)
    for line in stored_lines(run, (first, last)):
        ts = line.timestamp_ms / 1000
        if first <= ts <= last:
            yield Logged(ts, line.log_stream, line.message)


def live_lines(logs: "CloudWatchLogsClient", ran: Sequence[Ran]) -> Iterator[Logged]:
    """The lines in CloudWatch of these functions while they ran; none where a function has written none."""
    pages = logs.get_paginator("filter_log_events")
    for each in ran:
        first, last = _window([each])
        request: dict[str, Any] = {"logGroupName": log_group(each.function)}
        request |= {"startTime": int(first * 1000), "endTime": int(last * 1000) + 1}
        try:
            for page in pages.paginate(**request):
                for event in page["events"]:
                    yield Logged(event["timestamp"] / 1000, event["logStreamName"], event["message"].rstrip("\n"))
        except logs.exceptions.ResourceNotFoundException:
            continue


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


def live_limits(sqs: "SQSClient", queues: Iterable[str]) -> Mapping[str, int]:
    """The maxReceiveCount of queues, by name, of the queues that are there and have a redrive policy."""
    found = {}
    for name in set(queues):
        try:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        except sqs.exceptions.QueueDoesNotExist:
            continue
        policy = answer.get("Attributes", {}).get("RedrivePolicy")
        if policy:
            found[name] = int(json.loads(policy)["maxReceiveCount"])
    return found


def _window(ran: Sequence[Ran]) -> tuple[float, float]:
    first = min(each.started_ts for each in ran)
    last = max(each.started_ts + TIMEOUT_MAX_S if each.ended_ts is None else each.ended_ts for each in ran)
    return first - SLACK_S, last + SLACK_S
