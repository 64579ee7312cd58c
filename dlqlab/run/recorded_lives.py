"""What an emulator that runs has recorded, with the log lines and limits that explain it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlqlab.contracts.names import log_group
from dlqlab.contracts.recorded import RECORDER
from dlqlab.contracts.recording import Recording
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.emulator.recorder.reader import read
from dlqlab.errors import UsageError
from dlqlab.run.recordings import recorder_state
from dlqlab.run.stored_lives import Logged, Ran

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient


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


def live_lines(logs: "CloudWatchLogsClient", ran: Sequence[Ran]) -> Iterator[Logged]:
    """The lines in CloudWatch of these functions while they ran; none where a function has written none."""
    pages = logs.get_paginator("filter_log_events")
    for each in ran:
        first, last = each.window
        request: dict[str, Any] = {"logGroupName": log_group(each.function)}
        request |= {"startTime": int(first * 1000), "endTime": int(last * 1000) + 1}
        try:
            for page in pages.paginate(**request):
                for event in page["events"]:
                    yield Logged(event["timestamp"] / 1000, event["logStreamName"], event["message"].rstrip("\n"))
        except logs.exceptions.ResourceNotFoundException:
            continue


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
