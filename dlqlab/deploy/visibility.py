"""The task queue's visibility timeout while Lambda compares it with the processor's timeout."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.target import Target

_CHALICE_DEFAULT_S = 60


@contextmanager
def covering(target: Target, scenario: Scenario) -> Iterator[None]:
    """Hide messages for as long as the processor may run at any moment of the block; then as the scenario says.

    Lambda refuses to create or update a mapping whose queue has a shorter visibility timeout than its function has a
    timeout ("Creating and configuring an Amazon SQS event source mapping", AWS Lambda developer guide). Chalice gives
    the function the timeout of its configuration, and one that is there already may have another: the scenario's own
    comes last. Nothing is changed where the scenario's visibility timeout is long enough for all of them.
    """
    wanted_s = scenario.pipeline.visibility_timeout_s
    needed_s = max(wanted_s, _chalice_timeout_s(target), _current_timeout_s(target))
    if needed_s == wanted_s:
        yield
        return
    _set(target, needed_s)
    try:
        yield
    finally:
        _set(target, wanted_s)


def _set(target: Target, seconds: int) -> None:
    sqs = target.client("sqs")
    url = sqs.get_queue_url(QueueName=target.topology.work.queue.name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})


def _chalice_timeout_s(target: Target) -> int:
    config = json.loads((target.project_dir / ".chalice" / "config.json").read_text())
    return int(config.get("lambda_timeout", _CHALICE_DEFAULT_S))


def _current_timeout_s(target: Target) -> int:
    """0 where the function does not exist yet."""
    client = target.client("lambda")
    try:
        return int(client.get_function_configuration(FunctionName=target.topology.work.consumer.name)["Timeout"])
    except client.exceptions.ResourceNotFoundException:
        return 0
