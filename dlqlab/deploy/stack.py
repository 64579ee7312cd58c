"""The resources that functions need: one CloudFormation stack per stage."""

from typing import Any

from botocore.exceptions import ClientError

from dlqlab import paths
from dlqlab.contracts.scenario import Scenario
from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError
from dlqlab.waiting import DeadlinePassedError, wait_for

TEMPLATE = paths.APP / "resources.yaml"
DEADLINE_S = 300.0
_GONE = "GONE"


def stack_name(stage: str) -> str:
    return f"dlqlab-{stage}"


def parameters(stage: str, scenario: Scenario) -> dict[str, str]:
    """The template's parameters for a scenario."""
    return {
        "Stage": stage,
        "MaxReceiveCount": str(scenario.retry_policy().max_attempts),
        "VisibilityTimeout": str(scenario.pipeline.visibility_timeout_s),
    }


def deploy_stack(target: Target, scenario: Scenario) -> dict[str, str]:
    """Create or update the stack; returns its outputs.

    Raises:
        DeployError: CloudFormation refused or failed; names the resource and its reason.
    """
    cloudformation = target.client("cloudformation")
    name = stack_name(target.stage)
    request: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": TEMPLATE.read_text(),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters(target.stage, scenario).items()
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
    name = stack_name(target.stage)
    if _status(cloudformation, name) == _GONE:
        return False
    cloudformation.delete_stack(StackName=name)
    status = _settled(cloudformation, name)
    if status not in {_GONE, "DELETE_COMPLETE"}:
        raise DeployError(f"stack {name} is {status}: {_first_failure(cloudformation, name)}")
    return True


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
