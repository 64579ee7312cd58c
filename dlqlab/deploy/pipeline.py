"""The whole deployment: apply, configure for a run, reset, destroy."""

from collections.abc import Callable
from typing import Any

from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy import chalice, functions, stack, verify
from dlqlab.deploy.target import Target
from dlqlab.deploy.visibility import covering
from dlqlab.errors import DeployError

Progress = Callable[[str], None]
DEPLOY_RUN_ID = "deploy"
BY_HAND_RUN_ID = "by-hand"
"""What the functions log outside of a run; the same as in app/.chalice/config.json."""


def apply(target: Target, scenario: Scenario, *, progress: Progress, run_id: str = DEPLOY_RUN_ID) -> str:
    """Deploy what a scenario needs and prove that it works; returns the API's URL. Safe to repeat.

    The functions are configured under ``run_id``. A run that gives its own need not configure them again, which would
    replace every execution environment, unless it has an outage whose clock must start later.

    Raises:
        DeployError: a step failed; names it.
    """
    with chalice.deployer(target) as deploy_functions:
        progress("queues, tables, log groups (CloudFormation)")
        stack.deploy_stack(target, scenario)
        with covering(target, scenario):
            progress("functions and API (chalice deploy)")
            deploy_functions()
            progress("ReportBatchItemFailures on the event source mappings")
            functions.set_partial_responses(target, scenario)
            configure(target, scenario, run_id)
    progress("proof with a failing task")
    address = url(target)
    try:
        verify.prove_failed_task_is_kept(target, address, run_id)
    except DeployError:
        # Unproven: the functions go back to deleting and raising by themselves, which loses nothing.
        variables = functions.run_variables(scenario, run_id, partial=False)
        functions.configure(target, variables, processor_timeout_s=scenario.pipeline.function_timeout_s)
        raise
    return address


def configure(target: Target, scenario: Scenario, run_id: str, *, run_started_ts: float = 0.0) -> None:
    """Make the deployed functions follow the scenario under this run id; outages count from ``run_started_ts``."""
    variables = functions.run_variables(scenario, run_id, partial=True, run_started_ts=run_started_ts)
    functions.configure(target, variables, processor_timeout_s=scenario.pipeline.function_timeout_s)


def url(target: Target) -> str:
    """The API's URL.

    Raises:
        DeployError: nothing is deployed at this target.
    """
    api = chalice.deployed(target).get("rest_api")
    if api is None or not _is_api(target, api["rest_api_id"]):
        where = target.endpoint or target.label
        raise DeployError(f"nothing is deployed for stage {target.stage} at {where}: run dlqlab deploy")
    return target.api_url(api["rest_api_id"])


def reset(target: Target) -> None:
    """Forget all tasks: empty queues, empty tables. For emulators only: it deletes data."""
    verify.purge(target)
    dynamodb = target.client("dynamodb")
    names = target.names
    for table, key in (
        (names.task_table, "taskId"),
        (names.archive_table, "archiveId"),
        (names.breaker_table, "breakerId"),
    ):
        _clear(dynamodb, table, key)


def destroy(target: Target) -> None:
    """Remove everything that ``apply`` made."""
    chalice.delete(target)
    functions.wait_unmapped(target)
    stack.delete_stack(target)


def _is_api(target: Target, rest_api_id: str) -> bool:
    """Whether it is still there: an emulator may have been started anew since Chalice took its note."""
    client = target.client("apigateway")
    try:
        client.get_rest_api(restApiId=rest_api_id)
    except client.exceptions.NotFoundException:
        return False
    return True


def _clear(dynamodb: Any, table: str, key: str) -> None:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression=key)
    keys = [item for page in pages for item in page["Items"]]
    for start in range(0, len(keys), 25):
        waiting = {table: [{"DeleteRequest": {"Key": item}} for item in keys[start : start + 25]]}
        while waiting:
            waiting = dynamodb.batch_write_item(RequestItems=waiting).get("UnprocessedItems") or {}
