"""What is deployed, read back as a scenario."""

import pytest

from dlqlab.contracts.scenario import Drain, Judge, Load, Scenario, from_dict
from dlqlab.deploy.functions import run_variables
from dlqlab.errors import DeployError
from dlqlab.run.deployed import Deployment, scenario_of

TABLES = {"TASK_TABLE": "t", "ARCHIVE_TABLE": "a", "TASK_QUEUE": "q", "DEAD_LETTER_QUEUE": "d", "BREAKER_TABLE": "b"}
SCENARIO = from_dict(
    {
        "name": "s",
        "seed": 9,
        "load": {"tasks": 7},
        "faults": {"mode": "per_task", "failure_rate": 0.25, "outage_duration_s": 3.0},
        "retry": {"max_retries": 4, "base_s": 1.5, "jitter": "full"},
        "breaker": {"enabled": True, "cool_down_s": 7},
        "pipeline": {"batch_size": 20, "batch_window_s": 2, "visibility_timeout_s": 90, "max_concurrency": 5},
        "drain": {"deadline_s": 9.0},
        "judge": {"max_half_width": 0.2},
    },
    source="tests",
)


def deployed(scenario: Scenario, *, partial: bool = True) -> Deployment:
    """What AWS returns of a pipeline that was configured for the scenario."""
    pipeline = scenario.pipeline
    scaling = {"ScalingConfig": {"MaximumConcurrency": pipeline.max_concurrency}} if pipeline.max_concurrency else {}
    return Deployment(
        variables=TABLES | run_variables(scenario, "r", partial=partial),
        timeout_s=pipeline.function_timeout_s,
        mapping={
            "BatchSize": pipeline.batch_size,
            "MaximumBatchingWindowInSeconds": pipeline.batch_window_s,
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if partial else [],
            **scaling,
        },
        queue={"VisibilityTimeout": str(pipeline.visibility_timeout_s)},
    )


@pytest.mark.parametrize("scenario", [SCENARIO, Scenario(name="s")], ids=["all set", "defaults"])
def test_deployed_scenario_is_the_one_that_was_deployed(scenario: Scenario) -> None:
    """Everything but the description comes back from the variables, the mapping and the queue."""
    found = scenario_of(deployed(scenario), name="s", load=scenario.load, judge=scenario.judge, drain=scenario.drain)
    expected = scenario.to_dict() | {"description": found.description}

    assert expected == found.to_dict()


def test_plain_deployment_has_the_apps_defaults() -> None:
    """Without a scenario the functions follow the app's defaults, and so does what is judged."""
    plain = Deployment(
        variables=TABLES | {"SEED": "1"}, timeout_s=10, mapping={"BatchSize": 10}, queue={"VisibilityTimeout": "60"}
    )
    found = scenario_of(plain, name="by-hand", load=Load(), judge=Judge(), drain=Drain())

    assert Scenario(name="by-hand", description=found.description) == found
    assert plain.is_partial is False
    assert "by-hand" == plain.settings().run_id


def test_variables_that_the_functions_refuse_are_an_error() -> None:
    """What could not start cannot be judged by."""
    broken = Deployment(variables={}, timeout_s=10, mapping={"BatchSize": 10}, queue={"VisibilityTimeout": "60"})

    with pytest.raises(DeployError, match="TASK_TABLE is not set"):
        broken.settings()
