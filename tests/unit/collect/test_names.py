"""Names of the deployed pipeline."""

import itertools
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from dlqlab.contracts.names import Names, log_group

APP = Path(__file__).parents[3] / "app"
TEMPLATE = (APP / "resources.yaml").read_text()
STAGES = ("local", "dev", "prod")


def test_names_are_those_of_the_template() -> None:
    """Queues, tables and log groups are called the same here and in CloudFormation."""
    names = Names.for_stage("${Stage}")
    expected = {
        *(f"QueueName: !Sub {queue}" for queue in names.queues.values()),
        *(f"TableName: !Sub {table}" for table in (names.task_table, names.archive_table, names.breaker_table)),
        *(f"LogGroupName: !Sub {log_group(function)}" for function in names.functions.values()),
    }
    keys = ("QueueName:", "TableName:", "LogGroupName:")
    found = {line.strip() for line in TEMPLATE.splitlines() if line.strip().startswith(keys)}

    assert expected == found


@pytest.mark.parametrize("stage", STAGES)
def test_names_are_those_of_the_functions_environment(stage: str) -> None:
    """The functions of a stage get the names of that stage."""
    config = json.loads((APP / ".chalice" / "config.json").read_text())
    environment = config["stages"][stage]["environment_variables"]
    names = Names.for_stage(stage)

    expected = {
        "TASK_TABLE": names.task_table,
        "ARCHIVE_TABLE": names.archive_table,
        "BREAKER_TABLE": names.breaker_table,
        "TASK_QUEUE": names.task_queue,
        "DEAD_LETTER_QUEUE": names.dead_letter_queue,
    }
    assert expected == {name: environment[name] for name in expected}


def test_no_name_begins_another() -> None:
    """Metrics on LocalStack are found by the beginning of a name; only the API's function, whose name Chalice makes,
    cannot keep to this.
    """
    names = asdict(Names.for_stage("local"))
    del names["stage"], names["api_function"]

    assert [] == [(a, b) for a, b in itertools.permutations(names.values(), 2) if b.startswith(a)]
