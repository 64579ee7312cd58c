"""What the functions' own code costs: CPU milliseconds per POST and per processed record, AWS answered by a stub.

The stub takes the place of the connection, so what a client does to build, sign and read a call is part of the cost.

    python benchmarks/app_cost.py [APP_FOLDER ...]

Each folder is a Chalice app as under ``app``; two of them (say, this one and that of another commit, made with ``git
worktree``) are measured in turn, round by round, so that a busy machine slows both. Each round is a process of its own.
Prints the median over the rounds and, for two folders, the ratio of the second to the first.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 7
CALLS = 400
WARM_UP_CALLS = 50
BATCH = 10
ROOT = Path(__file__).parents[1]

CHILD = r"""
import io, json, os, sys, time, uuid
import botocore.awsrequest, botocore.httpsession

class Raw(io.BytesIO):
    def stream(self, *_a, **_k):
        yield self.read()

ITEMS = {}

def answer(headers, body):
    target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", b"")
    target = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    body = json.loads(body)
    if target == "PutItem":
        ITEMS[body["Item"]["taskId"]["S"]] = body["Item"]
    if target == "UpdateItem" and body.get("ReturnValues") == "ALL_NEW":
        item = ITEMS[body["Key"]["taskId"]["S"]]
        values = body["ExpressionAttributeValues"]
        return {"Attributes": {**item, "status": {"S": "PROCESSING"}, "attempts": {"N": "1"},
                "claim": values[":claim"], "carrier": values[":message"], "leaseUntil": values[":lease"],
                "updatedAt": values[":now"], "history": values[":started"]}}
    return {"GetQueueUrl": {"QueueUrl": "http://127.0.0.1:1/queue"},
            "SendMessage": {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": "0" * 32}}.get(target, {})

def send(_session, request):
    raw = json.dumps(answer(request.headers, request.body)).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(raw))}
    return botocore.awsrequest.AWSResponse(request.url, 200, headers, Raw(raw))

class Connection:  # in place of the one of an app that has clients of its own
    def __init__(self, *_):
        pass
    def post(self, _path, headers, body):
        return 200, json.dumps(answer(headers, body)).encode()

botocore.httpsession.URLLib3Session.send = send
try:
    from chalicelib import clients
    clients.Connection = Connection
except ImportError:
    pass  # an app with botocore's clients
calls, warm_up, batch_size = map(int, sys.argv[1:4])
import app

class Context:
    function_name = "f"
    def __init__(self):
        self.aws_request_id = str(uuid.uuid4())
    def get_remaining_time_in_millis(self):
        return 10000

def post(n):
    return {"resource": "/tasks", "path": "/tasks", "httpMethod": "POST", "isBase64Encoded": False,
        "headers": {"content-type": "application/json"},
        "multiValueHeaders": {"content-type": ["application/json"]}, "multiValueQueryStringParameters": None,
        "queryStringParameters": None, "pathParameters": None, "stageVariables": None,
        "requestContext": {"resourcePath": "/tasks", "httpMethod": "POST", "identity": {"sourceIp": "127.0.0.1"}},
        "body": json.dumps({"taskId": f"t-1-{n:08d}", "payload": {"n": n, "padding": "x" * 180}})}

def records(first):
    return {"Records": [{"messageId": f"m{n}", "receiptHandle": f"r{n}", "awsRegion": "us-east-1", "md5OfBody": "0",
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:dlqlab-local-tasks",
        "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
        "body": json.dumps({"taskId": f"t-1-{n:08d}", "payload": {"n": n, "padding": "x" * 180}, "generation": 1,
                            "runId": "r", "traceId": None})} for n in range(first, first + batch_size)]}

def timed(call, first, count):
    began = time.process_time()
    for n in range(first, first + count):
        call(n)
    return (time.process_time() - began) * 1000 / count

out, sys.stdout = sys.stdout, open(os.devnull, "w")
def one_post(n):
    assert app.app(post(n), Context())["statusCode"] == 202
def one_batch(n):
    assert app.processor(records(n * batch_size), Context()) == {"batchItemFailures": []}
timed(one_post, 0, warm_up)
post_ms = timed(one_post, warm_up, calls)
batches = calls // batch_size
timed(one_batch, 0, 2)
record_ms = timed(one_batch, 2, batches) / batch_size
out.write(json.dumps({"post_ms": post_ms, "record_ms": record_ms}))
"""


def environment(app: Path) -> dict[str, str]:
    stages = json.loads((app / ".chalice" / "config.json").read_text())["stages"]
    stage: dict[str, str] = stages["local"]["environment_variables"]
    own = {
        "FAULT_PLAN": json.dumps({"mode": "none"}),
        "PARTIAL_BATCH_RESPONSES": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "PYTHONPATH": str(app),
    }
    return os.environ | stage | own


def measure(app: Path) -> dict[str, float]:
    """One round in a process of its own."""
    command = [sys.executable, "-c", CHILD, str(CALLS), str(WARM_UP_CALLS), str(BATCH)]
    done = subprocess.run(command, env=environment(app), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{app}: {done.stderr}")
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def main() -> None:
    apps = [Path(name).resolve() for name in sys.argv[1:]] or [ROOT / "app"]
    rounds = [[measure(app) for app in apps] for _ in range(ROUNDS)]
    for name in ("post_ms", "record_ms"):
        medians = [statistics.median(found[place][name] for found in rounds) for place in range(len(apps))]
        shown = "  ".join(f"{value:6.3f}" for value in medians)
        ratio = statistics.median(found[1][name] / found[0][name] for found in rounds) if len(apps) == 2 else None
        print(f"{name:<10} {shown}" + (f"  ratio {ratio:.3f}" if ratio else ""))


if __name__ == "__main__":
    main()
