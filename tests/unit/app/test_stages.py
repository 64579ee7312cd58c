"""Stages, policies and resources agree with each other and with what the functions call."""

import importlib
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from taskrules.metrics import NAMESPACE, UNITS

APP = Path(__file__).parents[3] / "app"
CONFIG: dict[str, Any] = json.loads((APP / ".chalice" / "config.json").read_text())
STAGES = ["local", "dev", "prod"]
GRANTS = {
    "api": {
        ("task-items", "dynamodb:PutItem"),
        ("task-items", "dynamodb:GetItem"),
        ("task-items", "dynamodb:UpdateItem"),
        ("task-items", "dynamodb:DeleteItem"),
        ("tasks", "sqs:GetQueueUrl"),
        ("tasks", "sqs:SendMessage"),
    },
    "processor": {
        ("task-items", "dynamodb:GetItem"),
        ("task-items", "dynamodb:UpdateItem"),
        ("breakers", "dynamodb:GetItem"),
        ("breakers", "dynamodb:UpdateItem"),
        ("tasks", "sqs:ReceiveMessage"),
        ("tasks", "sqs:SendMessage"),
        ("tasks", "sqs:DeleteMessage"),
        ("tasks", "sqs:GetQueueAttributes"),
        ("tasks", "sqs:GetQueueUrl"),
        ("tasks", "sqs:ChangeMessageVisibility"),
        ("dead-letters", "sqs:GetQueueUrl"),
        ("dead-letters", "sqs:SendMessage"),
    },
    "monitor": {
        ("task-items", "dynamodb:GetItem"),
        ("task-items", "dynamodb:UpdateItem"),
        ("archive", "dynamodb:PutItem"),
        ("dead-letters", "sqs:ReceiveMessage"),
        ("dead-letters", "sqs:DeleteMessage"),
        ("dead-letters", "sqs:GetQueueAttributes"),
        ("dead-letters", "sqs:GetQueueUrl"),
        ("dead-letters", "sqs:ChangeMessageVisibility"),
    },
    "sweeper": {
        ("task-items", "dynamodb:GetItem"),
        ("task-items", "dynamodb:Scan"),
        ("task-items", "dynamodb:UpdateItem"),
        ("task-items/index/pending", "dynamodb:Query"),
        ("tasks", "sqs:GetQueueUrl"),
        ("tasks", "sqs:GetQueueAttributes"),
        ("tasks", "sqs:SendMessage"),
    },
}


def _function(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    """A short function of CloudFormation, kept as {name: argument}."""
    if node.id == "scalar":
        return {suffix: loader.construct_scalar(node)}
    return {suffix: loader.construct_sequence(node, deep=True)}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")  # comes with the emulator, without types
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", _function)  # type: ignore[attr-defined]  # of SafeLoader
    loaded: dict[str, Any] = yaml.load((APP / "resources.yaml").read_text(), loader)
    return loaded


def names(template: dict[str, Any], stage: str) -> dict[str, str]:
    """Names of queues and tables of a stage, by resource."""
    return {
        resource: value["Properties"][key]["Sub"].replace("${Stage}", stage)
        for resource, value in template["Resources"].items()
        for key in ("QueueName", "TableName")
        if key in value["Properties"]
    }


def resources_of(statement: dict[str, Any]) -> list[str]:
    """The patterns of a statement."""
    found: str | list[str] = statement["Resource"]
    return [found] if isinstance(found, str) else found


def statements(function: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((APP / ".chalice" / f"policy-{function}.json").read_text())["Statement"]
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_functions_look_for_what_the_template_makes(template: dict[str, Any], stage: str) -> None:
    """The names in a stage's environment are those of its resources."""
    env = CONFIG["stages"][stage]["environment_variables"]
    expected = {
        "TaskQueue": env["TASK_QUEUE"],
        "DeadLetterQueue": env["DEAD_LETTER_QUEUE"],
        "TaskTable": env["TASK_TABLE"],
        "ArchiveTable": env["ARCHIVE_TABLE"],
        "BreakerTable": env["BREAKER_TABLE"],
    }

    assert expected == names(template, stage)


def test_no_name_is_the_beginning_of_another(template: dict[str, Any]) -> None:
    """Metrics of one resource must not be counted to another whose name begins like it."""
    every = [name for stage in STAGES for name in names(template, stage).values()]

    assert [] == [(a, b) for a in every for b in every if a != b and b.startswith(a)]


@pytest.mark.parametrize("function", GRANTS)
def test_policy_grants_what_the_function_calls_and_no_more(function: str) -> None:
    """Each function has exactly its actions, on exactly its resources, and may write its log."""
    granted = {
        (statement["Resource"].rsplit("dlqlab-*-", 1)[1], action)
        for statement in statements(function)
        if statement["Sid"] != "WriteLogs"
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }

    assert GRANTS[function] == granted
    assert not any("*" in action for _, action in granted)


@pytest.mark.parametrize("function", GRANTS)
def test_no_pattern_of_a_policy_matches_a_neighbour(template: dict[str, Any], function: str) -> None:
    """The pattern of a resource matches it and none of the others."""
    for statement in statements(function):
        if statement["Sid"] == "WriteLogs":
            continue
        pattern = re.split(r"[:/]", statement["Resource"].removesuffix("/index/pending"))[-1]
        matched = {name for name in names(template, "prod").values() if fnmatchcase(name, pattern)}

        assert len(matched) == 1


@pytest.mark.parametrize("function", GRANTS)
@pytest.mark.parametrize("stage", STAGES)
def test_function_may_write_its_own_log_only(template: dict[str, Any], stage: str, function: str) -> None:
    """Of all log groups of a stage the policy matches the one of the function, and none that begins like it."""
    groups = {
        value["Properties"]["LogGroupName"]["Sub"].replace("${Stage}", stage)
        for value in template["Resources"].values()
        if value["Type"] == "AWS::Logs::LogGroup"
    }
    (statement,) = [found for found in statements(function) if found["Sid"] == "WriteLogs"]
    streams = {group: f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:log-stream:s" for group in groups}
    matched = {
        group for group, arn in streams.items() if any(fnmatchcase(arn, pattern) for pattern in resources_of(statement))
    }

    assert {f"/aws/lambda/dlqlab-{stage}" + ("" if function == "api" else f"-{function}")} == matched
    assert 4 == len(groups)


def test_every_function_has_its_policy() -> None:
    """The policies are the functions' own, not generated and not shared."""
    files = [entry["iam_policy_file"] for entry in CONFIG["lambda_functions"].values()]

    assert (False, ["policy-api.json", "policy-processor.json", "policy-monitor.json", "policy-sweeper.json"]) == (
        CONFIG["autogen_policy"],
        files,
    )


def test_queues_and_tables_are_encrypted(template: dict[str, Any]) -> None:
    """Nothing is kept in the clear, and on AWS plain HTTP is refused."""
    resources = template["Resources"]
    queues = [resources[name]["Properties"]["SqsManagedSseEnabled"] for name in ("TaskQueue", "DeadLetterQueue")]
    tables = [
        resources[name]["Properties"]["SSESpecification"] for name in ("TaskTable", "ArchiveTable", "BreakerTable")
    ]
    (deny,) = resources["TlsOnly"]["Properties"]["PolicyDocument"]["Statement"]

    assert ([True, True], [{"SSEEnabled": True}] * 3) == (queues, tables)
    assert ("Deny", {"Bool": {"aws:SecureTransport": "false"}}, "OnAws") == (
        deny["Effect"],
        deny["Condition"],
        resources["TlsOnly"]["Condition"],
    )


def test_dead_letters_outlive_their_source(template: dict[str, Any]) -> None:
    """A dead letter's age counts from its first enqueue, so its queue must keep it longer than the source does."""
    resources = template["Resources"]
    source, dead = (resources[name]["Properties"] for name in ("TaskQueue", "DeadLetterQueue"))

    assert (345_600, 1_209_600) == (source["MessageRetentionPeriod"], dead["MessageRetentionPeriod"])
    assert "byQueue" == dead["RedriveAllowPolicy"]["redrivePermission"]


def test_alarms_watch_what_is_measured(template: dict[str, Any]) -> None:
    """Each alarm is on a metric that the functions or SQS report, of a resource of the stage."""
    alarms = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    expected = {
        "DeadLetterAlarm": ("dlqlab", "TaskDeadLettered", "Sum"),
        "FailureRatioAlarm": ("dlqlab", "AttemptFailed", "Average"),
        "MessageAgeAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"),
    }

    assert expected == {
        name: (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) for name, alarm in alarms.items()
    }
    assert {metric for space, metric, _ in expected.values() if space == NAMESPACE} <= set(UNITS)
    assert {"notBreaching"} == {alarm["TreatMissingData"] for alarm in alarms.values()}


def test_dashboard_is_json_and_shows_the_alarms(template: dict[str, Any]) -> None:
    """The dashboard's body is valid and names every alarm and only known metrics."""
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Sub"]
    widgets = json.loads(body)["widgets"]
    shown = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    metrics = {metric[1] for metric in shown if metric[0] == NAMESPACE}
    searched = {re.search(r'MetricName="(\w+)"', metric[0]["expression"])[1] for metric in shown if len(metric) == 1}  # type: ignore[index]

    assert ["${DeadLetterAlarm.Arn}", "${FailureRatioAlarm.Arn}", "${MessageAgeAlarm.Arn}"] == widgets[-1][
        "properties"
    ]["alarms"]
    assert metrics | searched <= set(UNITS)
    assert {"TaskDeadLettered"} == searched


def test_bundle_needs_no_package() -> None:
    """The functions live on what Lambda has: the requirements are comments."""
    lines = (APP / "requirements.txt").read_text().splitlines()

    assert [] == [line for line in lines if line and not line.startswith("#")]
