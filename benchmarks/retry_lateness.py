"""How late the emulator makes retries on an idle system: messages hidden for 2 s and for 60 s, one after another.

    python -m benchmarks.retry_lateness [--count N] [--backoffs 2 60] [--apart S] [--json PATH]

A function hides each message for its backoff when it sees it first, and reports it as failed. Late is what its second
start is later than the moment before that call plus the backoff: what is in it is the emulator's alone, the call, the
queue, the poller and the invocation. Each backoff has a queue of its own; its
messages are sent some seconds apart, so that no two are due at once and pollers are idle in between, and those of a
long backoff overlap. Both emulators run at the same time, so that both have the same neighbours. The baseline,
``patches off``, has LocalStack's own poller, clock and settings.
"""

import argparse
import io
import json
import math
import shutil
import statistics
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pipeline.systems import STATE, STOCK_SETTINGS
from dlqlab.contracts.rundir import write_json
from dlqlab.deploy.target import Target, local_target
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.patches import ALL
from dlqlab.waiting import wait_for

GOALS_S = {"p50": 0.1, "p99": 0.3}
ROLE = "arn:aws:iam::000000000000:role/benchmark"
SOURCE = """
import json, time
import boto3
sqs = boto3.client('sqs')
def handler(event, context):
    started = time.time()
    failed = []
    for record in event['Records']:
        task = json.loads(record['body'])
        if record['attributes']['ApproximateReceiveCount'] == '1':
            handle, backoff_s = record['receiptHandle'], task['backoff_s']
            due_ts = time.time() + backoff_s
            sqs.change_message_visibility(QueueUrl=task['url'], ReceiptHandle=handle, VisibilityTimeout=backoff_s)
            print(json.dumps({'id': record['messageId'], 'backoff_s': backoff_s, 'due_ts': due_ts}))
            failed.append({'itemIdentifier': record['messageId']})
        else:
            print(json.dumps({'id': record['messageId'], 'started_ts': started}))
    return {'batchItemFailures': failed}
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """An emulator with the function and a queue for each backoff."""

    name: str
    target: Target
    function: str
    urls: Mapping[int, str]

    def send(self, backoff_s: int) -> None:
        body = json.dumps({"url": self.urls[backoff_s], "backoff_s": backoff_s})
        self.target.client("sqs").send_message(QueueUrl=self.urls[backoff_s], MessageBody=body)

    def late_s(self) -> dict[int, list[float]]:
        """The lateness of every retry so far, by backoff."""
        lines = [json.loads(text) for text in self._log() if text.startswith("{")]
        due = {line["id"]: line for line in lines if "due_ts" in line}
        late: dict[int, list[float]] = {backoff_s: [] for backoff_s in self.urls}
        for line in lines:
            if "started_ts" in line:
                first = due[line["id"]]
                late[first["backoff_s"]].append(line["started_ts"] - first["due_ts"])
        return late

    def _log(self) -> Iterator[str]:
        pages = self.target.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=f"/aws/lambda/{self.function}"):
            yield from (event["message"].strip() for event in page["events"])


@contextmanager
def bench(
    name: str, backoffs_s: Sequence[int], *, patches: tuple[str, ...], extra: Mapping[str, str]
) -> Iterator[Bench]:
    """Started on a free port of 127.0.0.1, warm, and stopped by its own id."""
    STATE.mkdir(parents=True, exist_ok=True)
    emulator = lifecycle.start(ANY_PORT, bound=True, patches=patches, root=STATE, extra=extra)
    try:
        target = local_target(emulator)
        functions = target.client("lambda")
        function = f"late-{uuid.uuid4().hex[:8]}"
        functions.create_function(
            FunctionName=function,
            Runtime="python3.13",
            Role=ROLE,
            Handler="late.handler",
            Code={"ZipFile": _package()},
            Timeout=60,
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=function)
        functions.invoke(FunctionName=function, Payload=json.dumps({"Records": []}))
        yield Bench(name, target, function, {backoff_s: _queue(target, function) for backoff_s in backoffs_s})
    finally:
        lifecycle.stop(emulator)
    shutil.rmtree(emulator.state)


def _queue(target: Target, function: str) -> str:
    """A queue that the function is mapped to."""
    sqs = target.client("sqs")
    made = sqs.create_queue(QueueName=f"late-{uuid.uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "300"})
    url: str = made["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    target.client("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    return url


def _package() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("late.py", SOURCE)
    return archive.getvalue()


def send_all(benches: Sequence[Bench], backoffs_s: Sequence[int], *, count: int, apart_s: float) -> None:
    """The messages of each backoff at its own steady pace; the shorter the backoff, the sooner it begins its turn."""
    offsets = {backoff_s: apart_s * place / len(backoffs_s) for place, backoff_s in enumerate(backoffs_s)}
    schedule = sorted((offsets[backoff_s] + apart_s * n, backoff_s) for backoff_s in backoffs_s for n in range(count))
    began = time.monotonic()
    for due_s, backoff_s in schedule:
        time.sleep(max(0.0, began + due_s - time.monotonic()))
        for each in benches:
            each.send(backoff_s)


def row(late_s: Sequence[float]) -> dict[str, float]:
    """Least, median, p99 and most; p99 is the least value that 99 % are not above."""
    ordered = sorted(late_s)
    return {
        "n": len(ordered),
        "least": ordered[0],
        "p50": statistics.median(ordered),
        "p99": ordered[math.ceil(0.99 * len(ordered)) - 1],
        "most": ordered[-1],
    }


def measure(backoffs_s: Sequence[int], *, count: int, apart_s: float) -> dict[str, dict[int, dict[str, float]]]:
    """Rows by emulator and backoff."""
    with ExitStack() as stack:
        benches = [
            stack.enter_context(bench("patches off", backoffs_s, patches=(), extra=STOCK_SETTINGS)),
            stack.enter_context(bench("ours", backoffs_s, patches=ALL, extra={})),
        ]
        send_all(benches, backoffs_s, count=count, apart_s=apart_s)

        def seen() -> tuple[bool, dict[str, dict[int, int]]]:
            numbers = {each.name: {key: len(found) for key, found in each.late_s().items()} for each in benches}
            return all(n == count for found in numbers.values() for n in found.values()), numbers

        wait_for("every retry", seen, deadline_s=max(backoffs_s) + 120, interval_s=3.0)
        return {each.name: {backoff_s: row(found) for backoff_s, found in each.late_s().items()} for each in benches}


def show(found: Mapping[str, Mapping[int, Mapping[str, float]]]) -> None:
    columns = ("n", "least", "p50", "p99", "most")
    print(f"{'':<14}{'backoff':>8}" + "".join(f"{name:>9}" for name in columns) + "   seconds late")
    for name, rows in found.items():
        for backoff_s, values in rows.items():
            numbers = "".join(f"{values[key]:>9.0f}" if key == "n" else f"{values[key]:>9.3f}" for key in columns)
            print(f"{name:<14}{backoff_s:>6} s{numbers}")
    for backoff_s, values in found["ours"].items():
        baseline = found["patches off"][backoff_s]
        for key, bound_s in GOALS_S.items():
            met = "met" if values[key] <= bound_s else "NOT met"
            ratio = values[key] / baseline[key]
            print(f"{backoff_s:>3} s, {key}: ours / patches off {ratio:.3f}; goal <= {bound_s:g} s: {met}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=40, help="messages of each backoff")
    parser.add_argument("--backoffs", type=int, nargs="+", default=[2, 60], help="seconds")
    parser.add_argument("--apart", type=float, default=3.0, help="seconds between two messages of a backoff")
    parser.add_argument("--json", type=Path, default=STATE / "retry_lateness.json", help="where the numbers go")
    options = parser.parse_args()
    began_ts = time.time()
    found: dict[str, Any] = measure(options.backoffs, count=options.count, apart_s=options.apart)
    show(found)
    write_json(options.json, {"started_ts": began_ts, "apart_s": options.apart, "late_s": found})
    print(f"JSON: {options.json}")


if __name__ == "__main__":
    main()
