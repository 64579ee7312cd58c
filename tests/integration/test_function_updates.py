"""What runs while its function is updated or deleted ends by itself, and what comes later uses what is new."""

import json
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.waiting import wait_for
from tests.integration.conftest import ROLE, DeployedFunction, Invocation, bundle, queue_arn, read_log

pytestmark = pytest.mark.integration
SOURCE = """
import json, os, tempfile, time
VERSION = {version}
def handler(event, context):
    open(os.path.join(tempfile.gettempdir(), 'begun-' + context.function_name), 'w').close()
    time.sleep(1.5)
    import late
    print(json.dumps({{'version': VERSION, 'event': event}}))
    return VERSION
"""
FILES = {"late.py": "x = 1\n"}


def begun(emulator: Emulator, name: str) -> list[Path]:
    """A file for each environment of the function whose handler has begun."""
    return list(Path(emulator.state, "lambda-tmp").glob(f"*/begun-{name}"))


def wait_until_begun(emulator: Emulator, name: str) -> None:
    wait_for("the handler", lambda: (bool(begun(emulator, name)), None), deadline_s=30, interval_s=0.02)


def code(version: int) -> bytes:
    return bundle({"app.py": SOURCE.format(version=version), **FILES})


def make_function(aws: Callable[[str], Any], **settings: Any) -> DeployedFunction:
    """A function that nobody deletes for us."""
    name = f"f-{uuid.uuid4().hex[:8]}"
    created = aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": code(1)},
        Timeout=30,
        **settings,
    )
    return DeployedFunction(name, created["FunctionArn"], aws("lambda"))


def update_code(client: Any, name: str) -> None:
    client.update_function_code(FunctionName=name, ZipFile=code(2))
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def update_configuration(client: Any, name: str) -> None:
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "2"}})
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def delete(client: Any, name: str) -> None:
    client.delete_function(FunctionName=name)


CHANGES = {"code": update_code, "configuration": update_configuration, "deletion": delete}


@pytest.fixture(scope="module")
def changed(emulator: Emulator, aws: Callable[[str], Any]) -> dict[str, tuple[DeployedFunction, Invocation]]:
    """Each change made while an invocation runs, all at the same time: the function and what the caller got."""
    functions = {what: make_function(aws) for what in CHANGES}
    got: dict[str, Invocation] = {}

    def call(what: str) -> None:
        got[what] = functions[what].invoke({"a": 1})

    threads = [threading.Thread(target=call, args=(what,)) for what in CHANGES]
    for thread in threads:
        thread.start()
    for what, function in functions.items():
        wait_until_begun(emulator, function.name)
        CHANGES[what](aws("lambda"), function.name)
    for thread in threads:
        thread.join(60)
    return {what: (functions[what], got[what]) for what in CHANGES}


@pytest.mark.parametrize("what", CHANGES)
def test_invocation_that_runs_has_its_true_result(
    changed: dict[str, tuple[DeployedFunction, Invocation]], what: str
) -> None:
    """Its code stays until its end: it imports a module of its bundle after the change."""
    answer = changed[what][1]

    assert (None, 1) == (answer.error, answer.payload)
    assert json.dumps({"version": 1, "event": {"a": 1}}) in answer.log


@pytest.mark.parametrize(("what", "version"), [("code", 2), ("configuration", 1)])
def test_later_invocation_uses_the_new_version(
    changed: dict[str, tuple[DeployedFunction, Invocation]], what: str, version: int
) -> None:
    """In an environment of its own."""
    answer = changed[what][0].invoke()

    assert (None, version) == (answer.error, answer.payload)
    assert any("Init Duration" in line for line in answer.log)


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_of_the_old_version_stays(
    changed: dict[str, tuple[DeployedFunction, Invocation]], emulator: Emulator, what: str
) -> None:
    """Neither its environment nor its code; a deleted function has none at all."""
    name = changed[what][0].name
    rest = {"code": 1, "configuration": 1, "deletion": 0}[what]

    def probe() -> tuple[bool, list[Path]]:
        found = list(Path(emulator.state, "tmp", "lambda").glob(f"*/{name}-*"))
        return len(found) == rest and len(begun(emulator, name)) <= rest, found

    wait_for("the end of the old version", probe, deadline_s=20)


def test_slot_of_an_invocation_that_outlives_its_version_is_freed(
    emulator: Emulator, aws: Callable[[str], Any]
) -> None:
    """A reserved concurrency of one is taken while it runs, and free after it."""
    function = make_function(aws)
    aws("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    thread = threading.Thread(target=function.invoke)
    thread.start()
    wait_until_begun(emulator, function.name)
    update_configuration(aws("lambda"), function.name)
    thread.join(30)
    answer = function.invoke()
    delete(aws("lambda"), function.name)

    assert (None, 1) == (answer.error, answer.payload)


def test_mapping_goes_on_over_updates(
    emulator: Emulator, aws: Callable[[str], Any], make_queue: Callable[..., str], cleanups: ExitStack
) -> None:
    """A batch that runs while mapping and function are updated is done once, and the next one by the new code."""
    url, function = make_queue(VisibilityTimeout="60"), make_function(aws)
    cleanups.callback(delete, aws("lambda"), function.name)
    arn = queue_arn(aws, url)
    mapping = aws("lambda").create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn, BatchSize=1)
    cleanups.callback(aws("lambda").delete_event_source_mapping, UUID=mapping["UUID"])
    aws("sqs").send_message(QueueUrl=url, MessageBody="old")
    wait_until_begun(emulator, function.name)
    aws("lambda").update_event_source_mapping(UUID=mapping["UUID"], BatchSize=2)
    update_code(aws("lambda"), function.name)
    aws("sqs").send_message(QueueUrl=url, MessageBody="new")

    def probe() -> tuple[bool, list[tuple[str, int]]]:
        try:
            stored = read_log(aws, function.name)
        except aws("logs").exceptions.ResourceNotFoundException:
            return False, []
        lines = [json.loads(event["message"]) for event in stored if event["message"].startswith("{")]
        seen = [(line["event"]["Records"][0]["body"], line["version"]) for line in lines]
        return len(seen) > 1, seen

    assert [("old", 1), ("new", 2)] == sorted(wait_for("both messages", probe, deadline_s=30), key=lambda one: one[1])


def test_asynchronous_invocations_outlive_updates_and_deletion(
    emulator: Emulator, aws: Callable[[str], Any], make_queue: Callable[..., str]
) -> None:
    """One that runs and one that comes with the update are done at once; one that runs at the deletion is reported."""
    url, function = make_queue(), make_function(aws)
    destination = {"OnSuccess": {"Destination": queue_arn(aws, url)}}
    aws("lambda").put_function_event_invoke_config(FunctionName=function.name, DestinationConfig=destination)

    def send(event: str) -> None:
        aws("lambda").invoke(FunctionName=function.name, InvocationType="Event", Payload=json.dumps({"event": event}))

    def reports(number: int) -> dict[str, int]:
        found: dict[str, int] = {}

        def probe() -> tuple[bool, dict[str, int]]:
            answer = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
            bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            found.update({body["requestPayload"]["event"]: body["responsePayload"] for body in bodies})
            return len(found) >= number, found

        return wait_for("the destination", probe, deadline_s=30)

    send("runs")
    wait_until_begun(emulator, function.name)
    update_code(aws("lambda"), function.name)
    send("comes")
    updated = reports(2)
    for path in begun(emulator, function.name):
        path.unlink()
    send("last")
    wait_until_begun(emulator, function.name)
    delete(aws("lambda"), function.name)

    assert {"runs": 1, "comes": 2} == updated
    assert {"last": 2} == reports(1)
