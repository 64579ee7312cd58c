"""The whole deployment: apply, configure for a run, reset, destroy."""

from collections.abc import Callable

from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.topology_file import FILE
from dlqlab.deploy import chalice, functions, stack, verify
from dlqlab.deploy.discover import differences, discover
from dlqlab.deploy.reset import reset
from dlqlab.deploy.target import Target
from dlqlab.deploy.visibility import covering
from dlqlab.errors import DeployError

__all__ = [
    "BY_HAND_RUN_ID", "DEPLOY_RUN_ID", "Progress", "apply", "apply_as_declared", "configure", "destroy", "reset", "url",
]  # fmt: skip

Progress = Callable[[str], None]
DEPLOY_RUN_ID = "deploy"
BY_HAND_RUN_ID = "by-hand"
"""What the functions log outside of a run; the same as in app/.chalice/config.json."""


def apply(
    target: Target,
    scenario: Scenario,
    *,
    progress: Progress,
    run_id: str = DEPLOY_RUN_ID,
    reset_follows: bool = False,
) -> str:
    """Deploy what a scenario needs and prove that it works; returns the API's URL. Safe to repeat.

    Tasks and messages that are there already stay and go on. Where a ``reset`` follows, which empties the queues, the
    proof does not wait for the end of its own message.

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
            functions.set_mappings(target, scenario)
            configure(target, scenario, run_id)
    check_as_declared(target)
    progress("proof with a failing task")
    address = url(target)
    try:
        note = verify.prove_failed_task_is_kept(target, address, run_id, scenario, wait_for_end=not reset_follows)
    except DeployError:
        # Unproven: the functions go back to deleting and raising by themselves, which loses nothing.
        variables = functions.run_variables(scenario, run_id, partial=False)
        functions.configure(target, variables, worker_timeout_s=scenario.pipeline.function_timeout_s)
        raise
    progress(note)
    return address


def apply_as_declared(target: Target, *, progress: Progress) -> str | None:
    """Deploy a pipeline as its topology says, without a scenario; returns the API's URL, None where it has none.

    Nothing is sent: what has no log events and no task table of a known form cannot prove that it keeps a failed
    message. Instead the deployment is compared with the topology. Safe to repeat.

    Raises:
        DeployError: a step failed, or the deployment is not what the topology declares; names it.
    """
    with chalice.deployer(target) as deploy_functions:
        progress("resources (CloudFormation)")
        stack.deploy_stack(target, None)
        progress("functions (chalice deploy)")
        deploy_functions()
        progress("event source mappings")
        functions.set_mappings(target)
        functions.wait_active(target)
    check_as_declared(target)
    return url(target) if target.topology.has_api else None


def check_as_declared(target: Target) -> Topology:
    """What is deployed, where that is what the topology declares.

    Raises:
        DeployError: it is not; names every difference.
    """
    deployed = discover(target.client, target.topology)
    found = differences(target.topology, deployed)
    if found:
        raise DeployError(
            f"what is deployed of {target.topology.name} is not what its topology declares: {'; '.join(found)}: mend "
            f"{target.app.name}/{FILE}, or deploy again"
        )
    return deployed


def configure(target: Target, scenario: Scenario, run_id: str, *, run_started_ts: float = 0.0) -> None:
    """Make the deployed functions follow the scenario under this run id; outages count from ``run_started_ts``."""
    variables = functions.run_variables(scenario, run_id, partial=True, run_started_ts=run_started_ts)
    functions.configure(target, variables, worker_timeout_s=scenario.pipeline.function_timeout_s)


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


def destroy(target: Target) -> bool:
    """Remove everything that ``apply`` made; whether there was anything."""
    had_functions = chalice.delete(target)
    functions.wait_unmapped(target)
    return stack.delete_stack(target) or had_functions


def _is_api(target: Target, rest_api_id: str) -> bool:
    """Whether it is still there: an emulator may have been started anew since Chalice took its note."""
    client = target.client("apigateway")
    try:
        client.get_rest_api(restApiId=rest_api_id)
    except client.exceptions.NotFoundException:
        return False
    return True
