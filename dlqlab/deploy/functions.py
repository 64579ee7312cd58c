"""Configuring deployed functions for a run: their variables, timeouts, and their event source mappings."""

from collections.abc import Mapping
from typing import Any, Final

from dlqlab.contracts.scenario import Pipeline, Scenario
from dlqlab.contracts.topology import Consumer
from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for
from taskrules.settings import as_variable

UPDATE_DEADLINE_S = 60.0
PARTIAL: Final = "ReportBatchItemFailures"


def run_variables(scenario: Scenario, run_id: str, *, partial: bool, run_started_ts: float = 0.0) -> dict[str, str]:
    """The variables that make the functions follow a scenario; see taskrules.settings.

    The start of the run is among them only where an outage counts from it.
    """
    breaker = scenario.breaker.policy()
    return {
        "RUN_ID": run_id,
        "SEED": str(scenario.seed),
        "FAULT_PLAN": as_variable(scenario.faults),
        "RETRY_POLICY": as_variable(scenario.retry),
        "FUNCTION_TIMEOUT_S": str(scenario.pipeline.function_timeout_s),
        "PARTIAL_BATCH_RESPONSES": "1" if partial else "0",
        "RUN_STARTED_TS": f"{run_started_ts if scenario.faults.outage_duration_s else 0.0:.6f}",
        "BREAKER": as_variable(breaker) if breaker else "",
    }


def configure(target: Target, variables: Mapping[str, str], *, worker_timeout_s: int) -> None:
    """Give every function these variables besides its own, and wait until the change is in force.

    Raises:
        DeployError: a function did not take the change.
    """
    client = target.client("lambda")
    worker = target.topology.work.consumer
    for name in target.topology.function_names.values():
        current = client.get_function_configuration(FunctionName=name)
        merged = current.get("Environment", {}).get("Variables", {}) | dict(variables)
        timeout_s = worker_timeout_s if name == worker.name else current["Timeout"]
        if merged != current.get("Environment", {}).get("Variables") or timeout_s != current["Timeout"]:
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": merged}, Timeout=timeout_s
            )
    wait_active(target)


def wait_active(target: Target) -> None:
    """Wait until every function is active, and the last change of it in force.

    Raises:
        DeployError: one did not take it.
    """
    client = target.client("lambda")
    for name in target.topology.function_names.values():
        _wait_updated(client, name)


def set_mappings(target: Target, scenario: Scenario | None = None) -> None:
    """Set the mappings as declared, which Chalice cannot wholly do (ReportBatchItemFailures).

    With a scenario its batching is set on the queue of work.

    Raises:
        DeployError: a queue and its consumer are not joined by exactly one mapping.
    """
    client, topology = target.client("lambda"), target.topology
    for consumer in topology.consumers:
        name, queue = topology.function(consumer.function).name, topology.queue(consumer.queue).name
        mapping = mapping_of(client, name, queue)
        if scenario and consumer.queue == topology.work.queue.role:
            wanted = _settings(consumer, scenario.pipeline)
        else:
            wanted = _settings(consumer, None)
        changes = {key: value for key, value in wanted.items() if (mapping.get(key) or None) != (value or None)}
        if changes:
            client.update_event_source_mapping(UUID=mapping["UUID"], **changes)


def _settings(consumer: Consumer, pipeline: Pipeline | None) -> dict[str, Any]:
    """What a mapping is to have, as UpdateEventSourceMapping takes it; what nobody says anything about is left out."""
    settings: dict[str, Any] = {
        "BatchSize": consumer.batch_size,
        "MaximumBatchingWindowInSeconds": consumer.batch_window_s,
        "ScalingConfig": {"MaximumConcurrency": consumer.max_concurrency} if consumer.max_concurrency else None,
    }
    if pipeline:
        limit = {"MaximumConcurrency": pipeline.max_concurrency} if pipeline.max_concurrency else {}
        settings = {
            "BatchSize": pipeline.batch_size,
            "MaximumBatchingWindowInSeconds": pipeline.batch_window_s,
            "ScalingConfig": limit,
        }
    said = {key: value for key, value in settings.items() if value is not None}
    return said | {"FunctionResponseTypes": list(consumer.response_types)}


def wait_unmapped(target: Target) -> None:
    """Wait until no event source mapping is left: Lambda removes one some time after it was told to.

    Raises:
        DeployError: one is still there at the deadline.
    """
    client = target.client("lambda")
    functions = set(target.topology.function_names.values())

    def probe() -> tuple[bool, list[str]]:
        pages = client.get_paginator("list_event_source_mappings").paginate()
        arns = [mapping["FunctionArn"] for page in pages for mapping in page["EventSourceMappings"]]
        left = [arn for arn in arns if arn.rpartition(":")[2] in functions]
        return not left, left

    try:
        wait_for("the end of the event source mappings", probe, deadline_s=UPDATE_DEADLINE_S)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error


def mapping_of(client: Any, function: str, queue: str) -> dict[str, Any]:
    """The event source mapping that joins a queue to a function, both by name.

    Raises:
        DeployError: there is none, or there are several.
    """
    found = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    mappings = [mapping for mapping in found if mapping["EventSourceArn"].rpartition(":")[2] == queue]
    if len(mappings) != 1:
        raise DeployError(
            f"{function} has {len(mappings)} event source mappings, expected 1 of {queue}: run dlqlab destroy first"
        )
    return dict(mappings[0])


def _wait_updated(client: Any, name: str) -> None:
    def probe() -> tuple[bool, str]:
        found = client.get_function_configuration(FunctionName=name)
        status = f"{found['State']}, last update {found['LastUpdateStatus']}"
        if found["LastUpdateStatus"] == "Failed":
            raise DeployError(f"{name}: {found.get('LastUpdateStatusReason', 'the update failed')}")
        return found["State"] == "Active" and found["LastUpdateStatus"] == "Successful", status

    try:
        wait_for(f"function {name}", probe, deadline_s=UPDATE_DEADLINE_S, interval_s=0.05)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error
