"""Configuring deployed functions for a run: their variables, timeouts, and their event source mappings."""

from collections.abc import Mapping
from typing import Any

from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for
from taskrules.settings import as_variable

UPDATE_DEADLINE_S = 60.0
PARTIAL = "ReportBatchItemFailures"


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


def configure(target: Target, variables: Mapping[str, str], *, processor_timeout_s: int) -> None:
    """Give every function these variables besides its own, and wait until the change is in force.

    Raises:
        DeployError: a function did not take the change.
    """
    client = target.client("lambda")
    for role, name in target.names.functions.items():
        current = client.get_function_configuration(FunctionName=name)
        merged = current.get("Environment", {}).get("Variables", {}) | dict(variables)
        timeout_s = processor_timeout_s if role == "processor" else current["Timeout"]
        if merged != current.get("Environment", {}).get("Variables") or timeout_s != current["Timeout"]:
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": merged}, Timeout=timeout_s
            )
    for name in target.names.functions.values():
        _wait_updated(client, name)


def set_partial_responses(target: Target, scenario: Scenario) -> None:
    """Set what Chalice cannot: ReportBatchItemFailures on both mappings; and the scenario's batching.

    Raises:
        DeployError: a function does not have exactly one mapping.
    """
    client = target.client("lambda")
    pipeline = scenario.pipeline
    for role in ("processor", "monitor"):
        mapping = _mapping(client, target.names.functions[role])
        wanted: dict[str, Any] = {"FunctionResponseTypes": [PARTIAL]}
        if role == "processor":
            wanted |= {"BatchSize": pipeline.batch_size, "MaximumBatchingWindowInSeconds": pipeline.batch_window_s}
            if pipeline.max_concurrency:
                wanted["ScalingConfig"] = {"MaximumConcurrency": pipeline.max_concurrency}
            elif mapping.get("ScalingConfig"):
                wanted["ScalingConfig"] = {}
        if any(mapping.get(key) != value for key, value in wanted.items()):
            client.update_event_source_mapping(UUID=mapping["UUID"], **wanted)


def wait_unmapped(target: Target) -> None:
    """Wait until no event source mapping is left: Lambda removes one some time after it was told to.

    Raises:
        DeployError: one is still there at the deadline.
    """
    client = target.client("lambda")
    functions = set(target.names.functions.values())

    def probe() -> tuple[bool, list[str]]:
        pages = client.get_paginator("list_event_source_mappings").paginate()
        arns = [mapping["FunctionArn"] for page in pages for mapping in page["EventSourceMappings"]]
        left = [arn for arn in arns if arn.rpartition(":")[2] in functions]
        return not left, left

    try:
        wait_for("the end of the event source mappings", probe, deadline_s=UPDATE_DEADLINE_S)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error


def _mapping(client: Any, function: str) -> dict[str, Any]:
    mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    if len(mappings) != 1:
        raise DeployError(f"{function} has {len(mappings)} event source mappings, expected 1: run dlqlab destroy first")
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
