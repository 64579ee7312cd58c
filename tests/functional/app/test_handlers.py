"""The handlers as Lambda calls them: real event shapes, cold and warm, with the clock and the log of the process."""

import json
import os
import sys
from types import ModuleType
from typing import Any

import pytest
from chalice.test import Client
from chalicelib import services

from taskrules.events import parse_line
from tests.events.factories import LambdaContext, api_event, sqs_event, sqs_record


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The events on standard output."""
    return [event for line in capsys.readouterr().out.splitlines() if (event := parse_line(line))]


def submit(app_module: ModuleType, body: str, **event: Any) -> dict[str, Any]:
    answer: dict[str, Any] = app_module.app(
        api_event("POST", "/tasks", body=body, headers={"content-type": "application/json"}, **event), LambdaContext()
    )
    return answer


def test_first_invocation_is_cold_the_next_is_warm(
    app_module: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first invocation of an environment says so, and each carries its own request, function and trace."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-aaa;Parent=bbb;Sampled=1")
    for task_id in ("a", "b"):
        submit(app_module, json.dumps({"taskId": task_id, "payload": {}}))
    cold, warm = logged(capsys)

    assert (True, False) == (cold["coldStart"], warm["coldStart"])
    assert ("run-1", "dlqlab-local", "1-aaa") == (cold["runId"], cold["function"], cold["traceId"])
    assert cold["requestId"] != warm["requestId"]


def test_look_up_counts_as_an_invocation(app_module: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """After a health check the environment is warm."""
    app_module.app(api_event("GET", "/health"), LambdaContext())
    submit(app_module, '{"payload": {}}')

    assert [False] == [event["coldStart"] for event in logged(capsys)]


def test_processor_answers_for_its_batch_twice(app_module: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Called cold and warm, the processor reports exactly the failed items of each batch."""
    for message in ("ERROR", "SUCCESS"):
        submit(app_module, json.dumps({"message": message}))
        event = sqs_event(*app_module.world.tasks.receive())
        app_module.world.clock.pass_s(0)
        answer = app_module.processor(event, LambdaContext("dlqlab-local-processor"))
        expected = [record["messageId"] for record in event["Records"]] if message == "ERROR" else []

        assert expected == [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    names = [event["event"] for event in logged(capsys) if event["event"].startswith("attempt")]

    assert ["attempt.started", "attempt.failed", "attempt.started", "attempt.succeeded"] == names


def test_trace_header_of_a_message_is_used(app_module: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a trace in the environment or the body, the one that SQS carries counts."""
    record = sqs_record("junk", trace_header="Root=1-ccc;Sampled=0")
    app_module.processor(sqs_event(record), LambdaContext())

    assert ["1-ccc"] == [event["traceId"] for event in logged(capsys)]


def test_monitor_takes_a_message_that_sqs_moved(app_module: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """A dead letter in the shape of SQS's own move is archived and answered for."""
    record = sqs_record(
        '{"taskId": "who", "payload": {}}',
        queue="dlqlab-local-dead-letters",
        receive_count=4,
        dead_letter_source="dlqlab-local-tasks",
    )
    answer = app_module.monitor(sqs_event(record), LambdaContext("dlqlab-local-monitor"))

    assert {"batchItemFailures": []} == answer
    assert ["unknown task"] == [event["reason"] for event in logged(capsys)]
    assert [record["messageId"]] == list(app_module.world.archive.messages)


def test_chalice_invokes_the_functions_by_their_names(client: Client) -> None:
    """The functions are registered as processor and monitor, on the queues of the stage."""
    for name in ("processor", "monitor"):
        assert {"batchItemFailures": []} == client.lambda_.invoke(name, sqs_event(sqs_record("junk"))).payload


@pytest.mark.parametrize(("body", "status"), [("eyJwYXlsb2FkIjoge319", 202), ("/w==", 400), ("%%%", 400), ("a", 400)])
def test_base64_bodies_are_read(app_module: ModuleType, body: str, status: int) -> None:
    """API Gateway may encode a body; a broken one is a bad request."""
    assert status == submit(app_module, body, is_base64=True)["statusCode"]


def test_body_that_is_no_unicode_is_refused(app_module: ModuleType) -> None:
    """Half a surrogate pair in the event's own JSON is a bad request."""
    assert 400 == submit(app_module, '{"message": "\ud800"}')["statusCode"]


def test_crash_lets_the_log_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated crash flushes standard output and then ends the process with a status that is not 0."""
    calls: list[str] = []
    monkeypatch.setattr(sys.stdout, "flush", lambda: calls.append("flush"))
    monkeypatch.setattr(os, "_exit", lambda code: calls.append(f"exit {code}"))
    services.crash()

    assert ["flush", "exit 1"] == calls


def test_clients_are_made_at_first_use_and_kept(app_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment has one client per service; the import makes none."""
    for name, value in {"REGION": "us-east-1", "ACCESS_KEY_ID": "AKID", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    fresh = services.Services(app_module.settings)

    assert set() == {"dynamodb", "sqs", "store"} & set(vars(fresh))
    assert fresh.sqs is fresh.sqs
    assert fresh.dynamodb is fresh.dynamodb
    assert (type(fresh.store).__name__, type(fresh.archive).__name__) == ("DynamoTaskStore", "DynamoArchive")
    assert fresh.task_queue is not fresh.dead_letters
