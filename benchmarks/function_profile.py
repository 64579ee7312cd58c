"""Where the functions' processor time goes: the app's handlers under a profiler, against a real emulator.

    python -m benchmarks.function_profile [--tasks N] [--lines N]

The app is loaded into a process of its own with the deployed functions' environment and packages, and its handlers are
called as Lambda's runtime client would: a POST for each task, then the messages of the queue in batches of 10. The
mapping of the deployed processor is off meanwhile. Printed are milliseconds of processor time a task, without and then
with the profiler, and the functions that used most of it (in seconds of the clock: waiting for the emulator is in recv
and send). What the runtime client itself costs is not part.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import chalice

from benchmarks.pipeline.systems import STATE, Running, ours
from dlqlab.contracts.scenario import Scenario, from_dict
from dlqlab.waiting import wait_for

CHILD = r"""
import cProfile, io, json, os, pstats, sys, time, uuid

tasks, lines, batch_size, queue_url = int(sys.argv[1]), int(sys.argv[2]), 10, sys.argv[3]
out, sys.stdout = sys.stdout, open(os.devnull, "w")
import app
import boto3

sqs = boto3.client("sqs")

class Context:
    def __init__(self, name):
        self.function_name = name
        self.aws_request_id = str(uuid.uuid4())
    def get_remaining_time_in_millis(self):
        return 10000

def post(n):
    body = json.dumps({"taskId": f"p-{n:08d}", "payload": {"n": n, "padding": "x" * 180}})
    headers = {"content-type": ["application/json"]}
    event = {"resource": "/tasks", "path": "/tasks", "httpMethod": "POST", "isBase64Encoded": False,
        "headers": {"content-type": "application/json"}, "multiValueHeaders": headers,
        "multiValueQueryStringParameters": None, "queryStringParameters": None, "pathParameters": None,
        "stageVariables": None, "body": body,
        "requestContext": {"resourcePath": "/tasks", "httpMethod": "POST", "identity": {"sourceIp": "127.0.0.1"}}}
    answer = app.app(event, Context("api"))
    assert answer["statusCode"] == 202, answer

def received():
    while True:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=batch_size, AttributeNames=["All"])
        messages = answer.get("Messages")
        if not messages:
            return
        yield messages

def process(messages):
    records = [{"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"],
        "attributes": m["Attributes"], "messageAttributes": {}, "md5OfBody": m["MD5OfBody"], "awsRegion": "us-east-1",
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:tasks"} for m in messages]
    answer = app.processor({"Records": records}, Context("processor"))
    assert answer == {"batchItemFailures": []}, answer
    entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
    sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return len(messages)

def profiled(calls, profiler):
    used = done = 0
    for call, argument in calls:
        began = time.process_time()
        if profiler:
            profiler.enable()
        call(argument)
        if profiler:
            profiler.disable()
        used += time.process_time() - began
        done += 1
    return used

def top(profiler):
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(lines)
    return text.getvalue()

first, found = 0, {}
for with_profiler in (None, False, True):  # first a warm-up
    count = 20 if with_profiler is None else tasks
    profilers = [cProfile.Profile() if with_profiler else None for _ in range(2)]
    api = profiled([(post, n) for n in range(first, first + count)], profilers[0])
    batches = list(received())
    processor = profiled([(process, messages) for messages in batches], profilers[1])
    assert sum(map(len, batches)) == count
    first += count
    if with_profiler is False:
        found |= {"api_ms": 1000 * api / count, "processor_ms": 1000 * processor / count}
    if with_profiler:
        found |= {"api": top(profilers[0]), "processor": top(profilers[1])}
out.write(json.dumps(found))
"""


def switch_off(running: Running) -> str:
    """Disable the processor's mapping; the queue's URL."""
    client, topology = running.target.client("lambda"), running.target.topology
    (mapping,) = client.list_event_source_mappings(FunctionName=topology.function("processor").name)[
        "EventSourceMappings"
    ]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def disabled() -> tuple[bool, str]:
        state = client.get_event_source_mapping(UUID=mapping["UUID"])["State"]
        return state == "Disabled", state

    wait_for("the mapping's end", disabled, deadline_s=30)
    url: str = running.target.client("sqs").get_queue_url(QueueName=topology.queue("tasks").name)["QueueUrl"]
    return url


def profile(running: Running, *, tasks: int, lines: int) -> dict[str, str | float]:
    """What the child found: ``api_ms`` and ``processor_ms`` a task, and the profiles as text."""
    url = switch_off(running)
    client = running.target.client("lambda")
    configuration = client.get_function_configuration(FunctionName=running.target.topology.function("processor").name)
    environment = {
        "PATH": os.environ["PATH"],
        **running.target.environment,
        **configuration["Environment"]["Variables"],
    }
    with TemporaryDirectory() as folder:
        script = Path(folder) / "child.py"
        script.write_text(CHILD)
        # Chalice puts its own runtime into the bundle; the harness's other packages must not be seen.
        (Path(folder) / "chalice").symlink_to(Path(chalice.__file__).parent)
        environment["PYTHONPATH"] = os.pathsep.join(
            (folder, str(running.target.project_dir), str(running.target.state_dir / "lambda-base"))
        )
        command = [sys.executable, "-S", str(script), str(tasks), str(lines), url]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, str | float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--lines", type=int, default=25, help="of each profile")
    options = parser.parse_args()
    STATE.mkdir(parents=True, exist_ok=True)
    scenario: Scenario = from_dict({"name": "profile", "faults": {"mode": "none"}}, source="benchmarks")
    with ours(scenario) as running:
        found = profile(running, tasks=options.tasks, lines=options.lines)
    print(f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {options.tasks} tasks")
    for name in ("api", "processor"):
        print(f"\n{name}: {found[f'{name}_ms']:.2f} ms of processor time a task, without the profiler")
        print(found[name])


if __name__ == "__main__":
    main()
