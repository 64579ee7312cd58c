"""What is deployed, as a scenario: read from the functions, the mapping and the queues, not from what was asked for."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlqlab.contracts.scenario import Breaker, Drain, Judge, Load, Pipeline, Scenario
from dlqlab.deploy.functions import PARTIAL, mapping_of
from dlqlab.deploy.target import Target
from dlqlab.errors import DeployError
from taskrules.settings import Settings, SettingsError

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
    return _settings(_worker(target).get("Environment", {}).get("Variables", {}))


def read_deployment(target: Target) -> Deployment:
    """What is deployed at the target.

    Raises:
        DeployError: there is no processor, or not exactly one mapping of it.
    """
    functions: LambdaClient = target.client("lambda")
    sqs: SQSClient = target.client("sqs")
    work, found = target.topology.work, _worker(target)
    url = sqs.get_queue_url(QueueName=work.queue.name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    return Deployment(
        variables=found.get("Environment", {}).get("Variables", {}),
        timeout_s=found["Timeout"],
        mapping=mapping_of(functions, work.consumer.name, work.queue.name),
        queue={str(name): value for name, value in attributes.items()},
    )


def _worker(target: Target) -> "FunctionConfigurationResponseTypeDef":
    functions: LambdaClient = target.client("lambda")
    name = target.topology.work.consumer.name
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
        faults=settings.fault_plan,
        retry=settings.retry_policy,
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
