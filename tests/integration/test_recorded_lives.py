"""The life of a task, and why it is a dead letter, asked of the emulator that the deployed pipeline runs on."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlqlab.cli.actions import trace as actions
from dlqlab.emulator.host import lifecycle
from dlqlab.emulator.host.lifecycle import Emulator
from dlqlab.errors import UsageError
from dlqlab.waiting import wait_for
from tests.integration.conftest import Deployed

pytestmark = pytest.mark.integration


@pytest.fixture
def asked(
    emulator: Emulator, deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs a command on the tests' emulator, which is not one of this project's; returns what it printed."""
    assert deployed.url
    monkeypatch.setattr(actions, "running", lambda port: emulator if port == emulator.port else lifecycle.find(port))

    def ask(command: str, key: str, *, as_json: bool = False, **more: Any) -> str:
        capsys.readouterr()
        getattr(actions, command)(key, emulator.port, None, as_json=as_json, **more)
        return capsys.readouterr().out

    return ask


def archived(deployed: Deployed, task_id: str) -> None:
    wait_for(
        "the archive",
        lambda: (any(item.get("taskId") == task_id for item in deployed.archive()), task_id),
        deadline_s=30,
    )


def test_dead_letter_is_explained_and_traced(deployed: Deployed, asked: Callable[..., str], tmp_path: Path) -> None:
    """Three failed attempts, the move, the archive: by task id, by message id, as text, JSON and a page."""
    task_id = f"dead-{uuid.uuid4().hex[:8]}"
    assert deployed.submit(task_id, "ERROR") == 202
    assert deployed.wait_terminal([task_id])[task_id]["status"] == "FAILED"
    archived(deployed, task_id)

    told = json.loads(asked("why", task_id, as_json=True))
    [message] = told["messages"]
    assert [(each["fate"], each["error"]) for each in message["receives"]] == [
        ("failed", "TransientFault: message ERROR always fails")
    ] * 3
    assert message["max_receive_count"] == 3
    assert message["where"].startswith("was dead-lettered: moved from ")
    assert any('"attempt.failed"' in line for line in message["last_lines"])
    assert "received 3 times, tried 3 times" in asked("why", message["message_id"])

    life = json.loads(asked("trace", message["message_id"], as_json=True, html_path=None))
    assert [request["call"]["operation"] for request in life["requests"]] == ["POST"]
    tasks, dead = life["stays"]
    assert (tasks["left"], dead["left"]) == ("moved", "deleted")
    assert [len(each["attempts"]) for each in tasks["deliveries"]] == [1, 1, 1]
    assert [[hiding["seconds"] for hiding in each["hidden"]] for each in tasks["deliveries"]] == [[1.0], [1.0], [0.0]]
    archive = deployed.target.topology.table("archive").name
    assert archive in {call["resource"] for call in dead["deliveries"][-1]["attempts"][-1]["calls"]}

    html = tmp_path / "life.html"
    asked("trace", task_id, html_path=html)
    assert f"The life of {task_id}" in html.read_text()


def test_retried_and_completed_tasks_are_traced_by_the_clients_request(
    deployed: Deployed, asked: Callable[..., str]
) -> None:
    """The request id of the API's invocation leads to the message that it sent, and this to its one receive."""
    task_id = f"done-{uuid.uuid4().hex[:8]}"
    assert deployed.submit(task_id, "SUCCESS") == 202
    deployed.wait_terminal([task_id])
    by_task = json.loads(asked("trace", task_id, as_json=True, html_path=None))
    [request] = [each for each in by_task["requests"] if each["call"]["operation"] == "POST"]

    text = asked("trace", request["attempts"][0]["request_id"], html_path=None)

    assert f"id {by_task['stays'][0]['message_id']}" in text
    assert "receive 1: done, deleted by the mapping" in text


def test_unknown_key_says_what_was_searched(asked: Callable[..., str]) -> None:
    with pytest.raises(
        UsageError, match=r"nothing has the key 'no-such-key': searched message ids, .* in [\d,]+ events"
    ):
        asked("why", "no-such-key")
