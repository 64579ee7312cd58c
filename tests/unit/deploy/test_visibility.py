"""The task queue's visibility timeout while functions are deployed."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dlqlab.contracts.scenario import Pipeline, Scenario
from dlqlab.contracts.topology import Consumer, Function, Queue, Topology
from dlqlab.deploy.visibility import covering


class NotFoundError(Exception):
    """The function does not exist."""


class Clients:
    """Stands for Lambda and SQS: the processor's timeout, and the timeouts that the queue was given."""

    exceptions = SimpleNamespace(ResourceNotFoundException=NotFoundError)

    def __init__(self, timeout_s: int | None) -> None:
        self.timeout_s = timeout_s
        self.set: list[str] = []

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        assert "processor" == FunctionName
        if self.timeout_s is None:
            raise NotFoundError
        return {"Timeout": self.timeout_s}

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"url of {QueueName}"}

    def set_queue_attributes(self, QueueUrl: str, Attributes: dict[str, str]) -> None:
        assert "url of tasks" == QueueUrl
        self.set.append(Attributes["VisibilityTimeout"])


def _target(clients: Clients, folder: Path) -> Any:
    (folder / ".chalice").mkdir()
    (folder / ".chalice" / "config.json").write_text(json.dumps({"lambda_timeout": 10}))
    topology = Topology(
        name="t",
        queues=(Queue(role="w", name="tasks"),),
        functions=(Function(role="f", name="processor"),),
        consumers=(Consumer(queue="w", function="f"),),
    )
    return SimpleNamespace(client=lambda _service: clients, topology=topology, project_dir=folder)


def _scenario(visibility_s: int) -> Scenario:
    pipeline = Pipeline(function_timeout_s=2, visibility_timeout_s=visibility_s)
    return dataclasses.replace(Scenario(name="s"), pipeline=pipeline)


@pytest.mark.parametrize(
    ("visibility_s", "timeout_s", "within", "after"),
    [
        (6, None, ["10"], ["10", "6"]),
        (6, 2, ["10"], ["10", "6"]),
        (20, 30, ["30"], ["30", "20"]),
        (60, None, [], []),
        (60, 60, [], []),
    ],
)
def test_queue_hides_messages_as_long_as_the_function_may_run(
    tmp_path: Path, visibility_s: int, timeout_s: int | None, within: list[str], after: list[str]
) -> None:
    """Chalice's timeout and the function's own are covered meanwhile; the scenario's visibility timeout comes last."""
    clients = Clients(timeout_s)
    with covering(_target(clients, tmp_path), _scenario(visibility_s)):
        seen = list(clients.set)

    assert (within, after) == (seen, clients.set)


def test_failed_deployment_leaves_the_scenarios_visibility_timeout(tmp_path: Path) -> None:
    """However the block ends."""
    clients = Clients(None)
    with pytest.raises(RuntimeError), covering(_target(clients, tmp_path), _scenario(6)):
        raise RuntimeError

    assert ["10", "6"] == clients.set
