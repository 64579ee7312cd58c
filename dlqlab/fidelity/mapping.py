"""The long probe: what an event source mapping adds, by a function of the probe's own. About ten seconds.

Send to start is measured by the function's own clock against this machine's: read it together with clock_skew.
"""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlqlab.fidelity.findings import PREFIX, Clients, Finding, Probe
from dlqlab.fidelity.probes import temporary_queue
from dlqlab.pollers import STARTING_POLLERS
from dlqlab.waiting import wait_for

ROLE = "arn:aws:iam::000000000000:role/dlqlab-probe"
"""An emulator takes any role; on AWS give one that may read the probe's queue and write logs."""
DEADLINE_S = 30.0
"""For each of its waits."""
SINGLES = 10
FLOOD = 15
WORK_S = 0.2
WAIT_MAX_S = 0.5
SOURCE = """
import json, time

def handler(event, context):
    for record in event.get("Records", []):
        body = json.loads(record["body"])
        started = time.time()
        time.sleep(body["work_s"])
        print(json.dumps({"probe": body["id"], "started_ts": started, "ended_ts": time.time()}), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One message as the function saw it."""

    id: str
    started_ts: float
    ended_ts: float


def mapping_probe(role: str = ROLE) -> Probe:
    """Asks for poll_wait (send to start on an idle queue), pollers (batches at once) and function_log_lag."""
    return Probe(
        names=("poll_wait", "pollers", "function_log_lag"), ask=lambda client, limit_s: _ask(client, limit_s, role)
    )


def poll_wait(sent: dict[str, float], seen: Sequence[Seen]) -> Finding:
    """Send to start of messages that found an idle queue. AWS: the pollers wait at the queue, tens of milliseconds."""
    waits = np.array([one.started_ts - sent[one.id] for one in seen if one.id in sent])
    median_s, p95_s = float(np.median(waits)), float(np.quantile(waits, 0.95))
    took = f"{median_s * 1000:.0f} ms at the median, {p95_s * 1000:.0f} ms at p95 (n = {len(waits)})"
    return Finding(
        name="poll_wait",
        ok=median_s <= WAIT_MAX_S,
        statement=f"a message sent to an idle queue reaches the function after {took}",
        measured={"median_s": round(median_s, 6), "p95_s": round(p95_s, 6), "n": len(waits)},
    )


def pollers(seen: Sequence[Seen]) -> Finding:
    """The most invocations at one time under a backlog."""
    most = most_at_once([(one.started_ts, one.ended_ts) for one in seen])
    return Finding(
        name="pollers",
        ok=most >= STARTING_POLLERS,
        statement=f"at most {most} batches of a mapping ran at once; Lambda starts with {STARTING_POLLERS}",
        measured={"pollers": most, "n": len(seen)},
    )


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """The greatest number of spans that hold one moment; one that ends where another starts does not count with it."""
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    running = most = 0
    for _, step in steps:
        running += step
        most = max(most, running)
    return most


def _ask(client: Clients, deadline_s: float, role: str) -> list[Finding]:
    sqs, logs = client("sqs"), client("logs")
    with temporary_queue(sqs, VisibilityTimeout="30") as url, _function(client, url, role) as group:
        _send(sqs, url, "warm", FLOOD, WORK_S)
        _wait(logs, group, "warm", FLOOD, deadline_s)
        sent = {}
        for number in range(SINGLES):
            name = f"single-{number}"
            sent[name] = time.time()
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"id": name, "work_s": 0}))
            _wait(logs, group, name, 1, deadline_s)
        singles, _ = _wait(logs, group, "single", SINGLES, deadline_s)
        _send(sqs, url, "flood", FLOOD, WORK_S)
        flood, seen_ts = _wait(logs, group, "flood", FLOOD, deadline_s)
    lag_s = seen_ts - max(one.ended_ts for one in flood)
    lag = Finding(
        name="function_log_lag",
        ok=lag_s <= WAIT_MAX_S * 10,
        statement=f"the last line of a function could be read {lag_s * 1000:.0f} ms after it was printed",
        measured={"lag_s": round(lag_s, 6)},
    )
    return [poll_wait(sent, singles), pollers(flood), lag]


def _send(sqs: Any, url: str, kind: str, count: int, work_s: float) -> None:
    for start in range(0, count, 10):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps({"id": f"{kind}-{number}", "work_s": work_s})}
            for number in range(start, min(count, start + 10))
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _wait(logs: Any, group: str, kind: str, count: int, deadline_s: float) -> tuple[list[Seen], float]:
    """The function's reports about messages of this kind, and when the last of them could be read."""

    def probe() -> tuple[bool, list[Seen]]:
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            lines = [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return False, []  # the group is made by the first invocation
        seen = [_parse(line) for line in lines if '"probe"' in line]
        chosen = [one for one in seen if one.id == kind or one.id.startswith(f"{kind}-")]
        return len(chosen) >= count, chosen

    found = wait_for(f"{count} messages at the function", probe, deadline_s=deadline_s, interval_s=0.05)
    return found, time.time()


def _parse(line: str) -> Seen:
    value = json.loads(line)
    return Seen(id=value["probe"], started_ts=value["started_ts"], ended_ts=value["ended_ts"])


@contextmanager
def _function(client: Clients, queue_url: str, role: str) -> Iterator[str]:
    """A function on the queue, one message a batch; yields its log group and removes all three."""
    functions, logs, sqs = client("lambda"), client("logs"), client("sqs")
    name = f"{PREFIX}-{uuid.uuid4().hex[:12]}"
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("probe.py", SOURCE)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="probe.handler",
        Timeout=10,
        Code={"ZipFile": bundle.getvalue()},
    )
    group = f"/aws/lambda/{name}"
    mapping = None
    try:
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        mapping = functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=1)["UUID"]
        yield group
    finally:
        if mapping:
            functions.delete_event_source_mapping(UUID=mapping)
        functions.delete_function(FunctionName=name)
        _forget(logs, group)


def _forget(logs: Any, group: str) -> None:
    if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.delete_log_group(logGroupName=group)
