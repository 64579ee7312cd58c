"""One real emulator for all integration tests, and factories that clean up after themselves."""

import base64
import io
import json
import os
import textwrap
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from dlqlab.contracts.scenario import from_dict
from dlqlab.deploy import pipeline
from dlqlab.deploy.target import Target, local_target
from dlqlab.emulator import settings
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for

ROLE = "arn:aws:iam::000000000000:role/test"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A LocalStack of its own on a free port; it ends with the session, and with the test process if that dies."""
    root = tmp_path_factory.mktemp("state")
    project = {settings.PROJECT_FILE: str(root / "dlqlab.toml")}  # which tests write
    running = lifecycle.start(ANY_PORT, bound=True, root=root, extra=project)
    yield running
    lifecycle.stop(running)


def make_client(emulator: Emulator, service: str, key: tuple[str, str] = ("test", "test")) -> Any:
    """A boto3 client of the emulator that does not retry, so that a test sees what happened.

    Args:
        emulator: that serves it.
        service: its name in botocore.
        key: the access key's id and the secret; those of the account's root.
    """
    key_id, secret = key
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=emulator.endpoint,
        region_name=settings.REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Callable[[str], Any]:
    """Clients by service name, one each."""
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = make_client(emulator, service)
        return clients[service]

    return client


@pytest.fixture
def cleanups() -> Iterator[ExitStack]:
    """Callables to run after the test, last first."""
    with ExitStack() as stack:
        yield stack


@dataclass(frozen=True)
class Invocation:
    """What an invocation returned."""

    payload: Any
    error: str | None
    log: list[str]


@dataclass(frozen=True)
class DeployedFunction:
    """A function of a test."""

    name: str
    arn: str
    client: Any

    def invoke(self, event: Any = None) -> Invocation:
        """Invoke and wait; the log is what LogType=Tail returns."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event or {}), LogType="Tail")
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")  # cut anywhere
        return Invocation(json.loads(answer["Payload"].read() or "null"), answer.get("FunctionError"), log.splitlines())


def bundle(files: dict[str, str]) -> bytes:
    """A deployment package of texts by path."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for path, text in files.items():
            package.writestr(path, textwrap.dedent(text))
    return archive.getvalue()


FunctionFactory = Callable[..., DeployedFunction]


@pytest.fixture
def make_function(aws: Callable[[str], Any], cleanups: ExitStack) -> FunctionFactory:
    """Deploys a function from source text; more files of the bundle by path."""

    def make(source: str, *, files: dict[str, str] | None = None, **settings: Any) -> DeployedFunction:
        name = f"f-{uuid.uuid4().hex[:8]}"
        created = aws("lambda").create_function(
            FunctionName=name,
            Role=ROLE,
            Code={"ZipFile": bundle({"app.py": source, **(files or {})})},
            **{"Runtime": "python3.13", "Handler": "app.handler", **settings},
        )
        cleanups.callback(aws("lambda").delete_function, FunctionName=name)
        return DeployedFunction(name, created["FunctionArn"], aws("lambda"))

    return make


@pytest.fixture
def make_queue(aws: Callable[[str], Any], cleanups: ExitStack) -> Callable[..., str]:
    """Makes queues with unique names, FIFO ones with deduplication by content; returns the URL."""

    def make(*, is_fifo: bool = False, **attributes: str) -> str:
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if is_fifo else {}
        name = f"q-{uuid.uuid4().hex[:8]}{'.fifo' if is_fifo else ''}"
        url: str = aws("sqs").create_queue(QueueName=name, Attributes=fifo | attributes)["QueueUrl"]
        cleanups.callback(aws("sqs").delete_queue, QueueUrl=url)
        return url

    return make


def queue_arn(aws: Callable[[str], Any], url: str) -> str:
    attributes = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def read_log(aws: Callable[[str], Any], function: str) -> list[dict[str, Any]]:
    """Every stored log line of a function."""
    pages = aws("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    return [event for page in pages for event in page["events"]]


def checkout() -> Path:
    return Path(os.path.realpath(__file__)).parents[2]


QUICK = from_dict(
    {
        "name": "quick",
        "seed": 7,
        "retry": {"max_retries": 2, "base_s": 1, "factor": 1},
        "pipeline": {"visibility_timeout_s": 20},
    },
    source="tests",
)
"""The pipeline with retries that do not keep a test waiting."""


@dataclass(frozen=True)
class Deployed:
    """A deployed pipeline."""

    target: Target
    url: str

    def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str | None = "application/json"
    ) -> tuple[int, Any]:
        """One request over HTTP; status and JSON."""
        headers = {"Content-Type": content_type} if content_type else {}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def submit(self, task_id: str, payload: Any = "SUCCESS") -> int:
        body = json.dumps({"taskId": task_id, "payload": payload}).encode()
        return self.request("POST", "/tasks", body)[0]

    def task(self, task_id: str) -> dict[str, Any]:
        """The task as the API shows it."""
        status, answer = self.request("GET", f"/tasks/{task_id}")
        assert status == 200, answer
        return dict(answer)

    def wait_terminal(self, task_ids: Iterable[str], deadline_s: float = 60) -> dict[str, dict[str, Any]]:
        """The tasks once all of them are COMPLETED or FAILED."""
        wanted = list(task_ids)

        def probe() -> tuple[bool, dict[str, dict[str, Any]]]:
            tasks = {task_id: self.task(task_id) for task_id in wanted}
            return all(task["status"] in {"COMPLETED", "FAILED"} for task in tasks.values()), tasks

        return wait_for("terminal tasks", probe, deadline_s=deadline_s, interval_s=0.3)

    def archive(self) -> list[dict[str, Any]]:
        items = self.target.client("dynamodb").scan(TableName=self.target.topology.table("archive").name)["Items"]
        return [{key: next(iter(value.values())) for key, value in item.items()} for item in items]


@pytest.fixture(scope="session")
def deployed(emulator: Emulator) -> Deployed:
    """The pipeline as dlqlab deploys it, with quick retries and the default fault plan."""
    target = local_target(emulator)
    url = pipeline.apply(target, QUICK, progress=lambda _text: None)
    pipeline.configure(target, QUICK, "integration")
    return Deployed(target, url)


def map_stream(aws: Callable[[str], Any], cleanups: ExitStack, function: str, arn: str, **options: Any) -> str:
    """Have the function read the stream from its beginning until the test ends; the mapping's id."""
    made = aws("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=arn, **{"StartingPosition": "TRIM_HORIZON", **options}
    )
    found: str = made["UUID"]
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=found)
    return found


def json_lines(aws: Callable[[str], Any], function: DeployedFunction, count: int) -> list[dict[str, Any]]:
    """What the function has printed as JSON, once it is so many lines."""

    def probe() -> tuple[bool, list[dict[str, Any]]]:
        try:
            texts = [event["message"] for event in read_log(aws, function.name)]
        except aws("logs").exceptions.ResourceNotFoundException:
            texts = []
        found = [json.loads(text) for text in texts if text.startswith("{")]
        return len(found) >= count, found

    found: list[dict[str, Any]] = wait_for(f"{count} lines of {function.name}", probe, deadline_s=40)
    return found
