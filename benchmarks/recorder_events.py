"""What one task costs in the flight recorder by step, and whether the recorder's memory is level over many tasks.

    python -m benchmarks.recorder_events [--tasks N] [--rounds N] [--memory N] [--json PATH]

In this process, without an emulator: the events of a task of the task system (six calls, three rows of its message, two
invocations) go through the recorder's own code as the emulator would give them, and are written to a file. Printed is
the processor time a task of each step, of the best of the rounds: everything is in the processor's caches then, so that
an emulator, where it is not, takes some three times as long; ``recorder_cost`` measures that. With ``--memory`` so many
tasks follow, and printed is how much memory the process has after every tenth of them. Linux only.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dlqlab.contracts.recorded import Kind
from dlqlab.contracts.rundir import write_json
from dlqlab.emulator.core import taps
from dlqlab.emulator.recorder.actors import Environment, Environments
from dlqlab.emulator.recorder.chunks import Row, encode, encode_row
from dlqlab.emulator.recorder.describe import message_ids_in
from dlqlab.emulator.recorder.finish import Finisher, failures_of
from dlqlab.emulator.recorder.journal import Journal
from dlqlab.emulator.recorder.requests import Connection, Watch
from dlqlab.emulator.recorder.rows import ASKED, ENDED
from dlqlab.emulator.recorder.witness import Witness

FLUSH_TASKS = 12
"""That come together in a fifth of a second at 60 a second."""
QUEUE = "arn:aws:sqs:us-east-1:000000000000:tasks"
URL = "http://127.0.0.1:4566/queue/us-east-1/000000000000/tasks"
PRODUCTS = ("chair", "notebook", "Straßenkarte", "お茶")
API_KEY, WORKER_KEY = "LSIAQAAAAAAAFTWMZOSZ", "LSIAQAAAAAAABTHOYSLH"

Call = tuple[bytes, dict[bytes, bytes], bytes, dict[str, Any]]
"""Target, headers, body, and the body's members."""
_SIGNER = 60
"""So much of the header Authorization tells signers apart."""


class Bench:
    """The recorder, and a task's events for it."""

    def __init__(self, folder: Path) -> None:
        environments = Environments()
        environments.add(API_KEY, Environment("api", "api-request"))
        environments.add(WORKER_KEY, Environment("worker", "worker-request"))
        self.journal = Journal(folder, _finisher().by_tag)
        self.witness = Witness(self.journal)
        watch = Watch(self.witness, environments)
        self.connections: defaultdict[bytes, Connection] = defaultdict(watch.connection)
        """By signer, as functions and clients keep theirs."""

    def calls(self, calls: Sequence[Call]) -> None:
        for target, headers, body, members in calls:
            connection = self.connections[headers.get(b"authorization", b"")[:_SIGNER]]
            connection.began(b"POST", target, headers, body)
            if members:  # as those do who serve it
                key = members.get("Key") or {
                    name: members["Item"][name] for name in members.get("Item", ()) if name == "taskId"
                }
                taps.said = body, members.get("TableName", URL), key or None, members.get("UpdateExpression")
            connection.answered("200 OK", b"{}")

    def messages(self, messages: Sequence[tuple[str, str]]) -> None:
        message = self.witness.message
        for message_id, body in messages:
            message(Kind.SENT, QUEUE, message_id, receive_count=0, delay_s=0, body=body, trace_header="Root=1-a")
            message(Kind.RECEIVED, QUEUE, message_id, receive_count=1, visible_after_s=60)
            message(Kind.DELETED, QUEUE, message_id, receive_count=1)

    def invocations(self, events: Sequence[bytes]) -> None:
        give, stamp = self.journal.give_finished, self.witness.stamp
        of_client = None, None, "arn", "client", "load", "client-request", "execute-api"
        of_mapping = QUEUE, None, None, "mapping", "m", None, None
        for event in events:
            seq, ts = stamp()
            give((ASKED, seq, ts, "api-request", "api", of_client, None, False))
            ran = "e1", None, 0.004, "ok", None, None
            give((ENDED, seq, stamp()[1], *ran, None, None, None, 26.0, "Root=1-a"))
            seq, ts = stamp()
            ids = message_ids_in(event)
            give((ASKED, seq, ts, "worker-request", "worker", of_mapping, ids, True))
            failures = failures_of(ids, "ok", b'{"batchItemFailures":[]}', reports=True)
            give((ENDED, seq, stamp()[1], *ran, *failures, 26.0, "Root=1-a"))


def body_of(number: int) -> str:
    payload = {"n": number, "product": PRODUCTS[number % len(PRODUCTS)], "price": 188.63, "tags": ["gift", "return"]}
    task = {"taskId": f"t-1-{number:08}", "payload": payload, "generation": 1, "padding": "x" * 160}
    return json.dumps(task, separators=(",", ":"))


def event_of(message_id: str, body: str) -> bytes:
    return json.dumps({"Records": [{"messageId": message_id, "body": body}]}).encode()


def calls_of(number: int) -> Iterator[Call]:
    """A client's request and the five calls that it leads to."""
    yield b"/_aws/execute-api/api1/api/tasks", {b"x-request-id": b"r", b"user-agent": b"load"}, b"{}", {}
    key = {"taskId": {"S": f"t-1-{number:08}"}}
    item = {"TableName": "items", "Item": {**key, "payload": {"S": body_of(number)}, "status": {"S": "QUEUED"}}}
    update = {
        "TableName": "items",
        "Key": key,
        "UpdateExpression": "SET a = :a, b = :b REMOVE c",
        "ReturnValues": "NONE",
    }
    yield _signed(API_KEY, "dynamodb", "DynamoDB_20120810.PutItem", item)
    yield _signed(API_KEY, "sqs", "AmazonSQS.SendMessage", {"QueueUrl": URL, "MessageBody": body_of(number)})
    for access_key in (API_KEY, WORKER_KEY, WORKER_KEY):
        yield _signed(access_key, "dynamodb", "DynamoDB_20120810.UpdateItem", update)


def _signed(access_key: str, service: str, target: str, members: Any) -> Call:
    scope = f"{access_key}/20260101/us-east-1/{service}/aws4_request"
    headers = {
        b"host": b"127.0.0.1:4566",
        b"x-amz-target": target.encode(),
        b"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}".encode(),
        b"x-amzn-trace-id": b"Root=1-6b0b73c2-a8aaf7cfa67ebd4f6aed10d0;Parent=75d4c1f9bc4ceb8a;Sampled=1",
    }
    return b"/", headers, json.dumps(members).encode(), members


def measure(tasks: int, rounds: int, folder: Path) -> dict[str, float]:
    """Microseconds of processor time a task, by step."""
    bench = Bench(folder)
    calls = [call for number in range(tasks) for call in calls_of(number)]
    messages = [(f"00000000-0000-0000-0000-{number:012}", body_of(number)) for number in range(tasks)]
    events = [event_of(*message) for message in messages]
    steps: dict[str, Callable[[], object]] = {
        "calls": lambda: bench.calls(calls),
        "rows of messages": lambda: bench.messages(messages),
        "invocations": lambda: bench.invocations(events),
    }
    found = {
        f"on the thread that serves: {name}": _best(step, tasks, rounds, bench.journal) for name, step in steps.items()
    }
    bench.journal.take()
    for step in steps.values():
        step()
    given = bench.journal.take()
    encoded = [row for row in given if isinstance(row, bytes)]
    unfinished = [row for row in given if not isinstance(row, bytes)]
    found["on the recorder's thread: finishing"] = _finishing(unfinished, tasks, rounds)
    finish = _finisher()
    rows = encoded + [encode_row(one) for row in unfinished for one in finish(row)]
    size = FLUSH_TASKS * len(rows) // tasks
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]
    found["on the recorder's thread: chunks"] = _best(lambda: [encode(part) for part in parts], tasks, rounds)
    found["all"] = sum(found.values())
    return found


def _finisher() -> Finisher:
    return Finisher(keeps_bodies=True, keys_of=lambda _table: ("taskId",))


def _finishing(rows: Sequence[Row], tasks: int, rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        finish, began = _finisher(), time.thread_time()
        for row in rows:
            for one in finish(row):
                encode_row(one)
        best = min(best, time.thread_time() - began)
    return 1e6 * best / tasks


def _best(step: Callable[[], object], tasks: int, rounds: int, journal: Journal | None = None) -> float:
    best = float("inf")
    for _ in range(rounds):
        if journal is not None:
            journal.take()
        began = time.thread_time()
        step()
        best = min(best, time.thread_time() - began)
    return 1e6 * best / tasks


def memory_mib(tasks: int, folder: Path) -> list[tuple[int, float]]:
    """How many MiB of memory the process has after so many tasks, with a record that is written as they come."""
    bench, found = Bench(folder), []
    for number in range(tasks):
        message = (f"00000000-0000-0000-0000-{number:012}", body_of(number))
        bench.calls(list(calls_of(number)))
        bench.messages([message])
        bench.invocations([event_of(*message)])
        if number % FLUSH_TASKS == 0:
            bench.journal.flush()
        if (number + 1) % (tasks // 10) == 0:
            found.append((number + 1, _resident_mib()))
    bench.journal.close()
    return found


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--memory", type=int, default=0, help="tasks over which memory is looked at")
    parser.add_argument("--json", type=Path, help="where the numbers go")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        steps = measure(options.tasks, options.rounds, Path(folder) / "steps")
        for name, us in steps.items():
            print(f"{us:8.2f} us a task  {name}")
        memory = memory_mib(options.memory, Path(folder) / "memory") if options.memory else []
        for tasks, mib in memory:
            print(f"{mib:8.1f} MiB after {tasks:,} tasks")
    if options.json:
        write_json(options.json, {"us_a_task": steps, "mib_after_tasks": memory})


if __name__ == "__main__":
    main()
