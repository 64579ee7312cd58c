"""What is deployed, as a scenario: read from the functions, the mapping and the queues, not from what was asked for."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.settings import Settings, SettingsError

from dlqlab.contracts.scenario import Breaker, Drain, Faults, Judge, Load, Pipeline, Retry, Scenario
from dlqlab.deploy.functions import PARTIAL
from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The processor's variables and timeout, its mapping, and the attributes of the task queue, as AWS returns them."""

    variables: Mapping[str, str]
    timeout_s: int
    mapping: Mapping[str, Any]
    queue: Mapping[str, str]

    def settings(self) -> Settings:
        """The variables as the functions read them.

        Raises:
            DeployError: the functions could not start with them.
        """
        return _settings(self.variables)

    @property
    def is_partial(self) -> bool:
        """Whether the mapping asks for partial batch responses; plain ``chalice deploy`` cannot set that."""
        return PARTIAL in self.mapping.get("FunctionResponseTypes", [])


def read_settings(target: Target) -> Settings:
    """What the deployed functions read as their settings, which all of them share.

    Raises:
        DeployError: there is no processor, or it could not start with its variables.
    """
    return _settings(_processor(target).get("Environment", {}).get("Variables", {}))


def read_deployment(target: Target) -> Deployment:
    """What is deployed at the target.

    Raises:
        DeployError: there is no processor, or not exactly one mapping of it.
    """
    functions: LambdaClient = target.client("lambda")
    sqs: SQSClient = target.client("sqs")
    name = target.names.processor_function
    found = _processor(target)
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    if len(mappings) != 1:
        raise DeployError(f"{name} has {len(mappings)} event source mappings, expected 1: run dlqlab destroy first")
    url = sqs.get_queue_url(QueueName=target.names.task_queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    return Deployment(
        variables=found.get("Environment", {}).get("Variables", {}),
        timeout_s=found["Timeout"],
        mapping=mappings[0],
        queue={str(name): value for name, value in attributes.items()},
    )


def _processor(target: Target) -> "FunctionConfigurationResponseTypeDef":
    functions: LambdaClient = target.client("lambda")
    name = target.names.processor_function
    try:
        return functions.get_function_configuration(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException as error:
        raise DeployError(f"{name} is not deployed at {target.label}: run dlqlab deploy") from error


def _settings(variables: Mapping[str, str]) -> Settings:
    try:
        return Settings.from_env(variables)
    except SettingsError as error:
        raise DeployError(f"the processor's variables: {error}") from error


def scenario_of(deployment: Deployment, *, name: str, load: Load, judge: Judge, drain: Drain) -> Scenario:
    """The scenario that the deployed pipeline follows; the seed is the functions', of faults and jitter.

    Raises:
        DeployError: the functions could not start with their variables.
        ScenarioError: they hold values that no scenario may have.
    """
    settings = deployment.settings()
    breaker = settings.breaker_policy
    scaling = deployment.mapping.get("ScalingConfig") or {}
    return Scenario(
        name=name,
        description="read from what was deployed when the load was collected",
        seed=settings.fault_plan.seed,
        load=load,
        faults=Faults(**_without_seed(settings.fault_plan)),
        retry=Retry(**_without_seed(settings.retry_policy)),
        breaker=Breaker(enabled=True, **dataclasses.asdict(breaker)) if breaker else Breaker(),
        pipeline=Pipeline(
            batch_size=deployment.mapping["BatchSize"],
            batch_window_s=deployment.mapping.get("MaximumBatchingWindowInSeconds", 0),
            function_timeout_s=deployment.timeout_s,
            visibility_timeout_s=int(deployment.queue["VisibilityTimeout"]),
            max_concurrency=scaling.get("MaximumConcurrency", 0),
        ),
        drain=drain,
        judge=judge,
    )


def _without_seed(plan: Any) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(plan).items() if name != "seed"}
