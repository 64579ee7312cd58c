"""The resources that functions need: one CloudFormation stack per stage."""

from typing import Any

from botocore.exceptions import ClientError

from dlqlab.contracts.scenario import Scenario
from dlqlab.contracts.topology import Topology
from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for

DEADLINE_S = 300.0
MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_S = "{max_receive_count}", "{visibility_timeout_s}"
"""Parameters of a template that stand for what a scenario says."""
_SCENARIO = frozenset({MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_S})
_GONE = "GONE"


def stack_name(topology: Topology) -> str | None:
    """The stack's name; None where there is no template, and so no stack."""
    deploy = topology.deploy
    return (deploy.stack or topology.name) if deploy.template else None


def parameters(topology: Topology, scenario: Scenario | None) -> dict[str, str]:
    """The template's parameters; those that follow a scenario are left to the template's defaults without one."""
    given = topology.deploy.parameters
    if scenario is None:
        return {key: value for key, value in given.items() if value not in _SCENARIO}
    values = {
        MAX_RECEIVE_COUNT: str(scenario.retry.max_attempts),
        VISIBILITY_TIMEOUT_S: str(scenario.pipeline.visibility_timeout_s),
    }
    return {key: values.get(value, value) for key, value in given.items()}


def deploy_stack(target: Target, scenario: Scenario | None) -> dict[str, str]:
    """Create or update the stack; returns its outputs. Does nothing where there is no template.

    Raises:
        DeployError: CloudFormation refused or failed; names the resource and its reason.
    """
    topology = target.topology
    name = stack_name(topology)
    if name is None:
        return {}
    cloudformation = target.client("cloudformation")
    request: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": _template(target),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters(topology, scenario).items()
        ],
    }
    exists = _status(cloudformation, name) != _GONE
    try:
        (cloudformation.update_stack if exists else cloudformation.create_stack)(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeployError(f"stack {name}: {error}") from error
    status = _settled(cloudformation, name)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise DeployError(f"stack {name} is {status}: {_first_failure(cloudformation, name)}")
    outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def delete_stack(target: Target) -> bool:
    """Remove the stack and wait until it is gone; whether there was one.

    Raises:
        DeployError: it could not be removed.
    """
    cloudformation = target.client("cloudformation")
    name = stack_name(target.topology)
    if name is None or _status(cloudformation, name) == _GONE:
        return False
    cloudformation.delete_stack(StackName=name)
    status = _settled(cloudformation, name)
    if status not in {_GONE, "DELETE_COMPLETE"}:
        raise DeployError(f"stack {name} is {status}: {_first_failure(cloudformation, name)}")
    return True


def _template(target: Target) -> str:
    path = target.app / str(target.topology.deploy.template)
    try:
        return path.read_text()
    except OSError as error:
        raise DeployError(f"{path}: the template cannot be read: {error.strerror}") from error


def _settled(cloudformation: Any, name: str) -> str:
    def probe() -> tuple[bool, str]:
        status = _status(cloudformation, name)
        return not status.endswith("_IN_PROGRESS"), status

    try:
        return wait_for(f"stack {name}", probe, deadline_s=DEADLINE_S, interval_s=0.1)
    except DeadlinePassedError as error:
        raise DeployError(str(error)) from error


def _status(cloudformation: Any, name: str) -> str:
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return _GONE
        raise


def _first_failure(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    if not failed:
        return "no resource says why"
    first = min(failed, key=lambda event: event["Timestamp"])
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"
