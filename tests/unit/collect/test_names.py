"""Names of the task system: its topology says the same as its template and its functions' configuration."""

import itertools
import json
from pathlib import Path

import pytest

from dlqlab.contracts.names import log_group
from dlqlab.specimens import task_system

APP = Path(__file__).parents[3] / "app"
TEMPLATE = (APP / "resources.yaml").read_text()
STAGES = ("local", "dev", "prod")


def test_names_are_those_of_the_template() -> None:
    """Queues, tables and log groups are called the same in the topology and in CloudFormation."""
    topology = task_system("${Stage}")
    expected = {
        *(f"QueueName: !Sub {queue.name}" for queue in topology.queues),
        *(f"TableName: !Sub {table.name}" for table in topology.tables),
        *(f"LogGroupName: !Sub {log_group(function.name)}" for function in topology.functions),
    }
    keys = ("QueueName:", "TableName:", "LogGroupName:")
    found = {line.strip() for line in TEMPLATE.splitlines() if line.strip().startswith(keys)}

    assert expected == found


@pytest.mark.parametrize("stage", STAGES)
def test_names_are_those_of_the_functions_environment(stage: str) -> None:
    """The functions of a stage get the names of that stage."""
    config = json.loads((APP / ".chalice" / "config.json").read_text())
    environment = config["stages"][stage]["environment_variables"]
    topology = task_system(stage)

    expected = {
        "TASK_TABLE": topology.table("tasks").name,
        "ARCHIVE_TABLE": topology.table("archive").name,
        "BREAKER_TABLE": topology.table("breakers").name,
        "TASK_QUEUE": topology.queue("tasks").name,
        "DEAD_LETTER_QUEUE": topology.queue("dead-letters").name,
    }
    assert expected == {name: environment[name] for name in expected}


def test_no_name_begins_another() -> None:
    """Metrics on LocalStack are found by the beginning of a name; only the API's function, whose name Chalice makes,
    cannot keep to this.
    """
    topology = task_system("local")
    functions = [function.name for function in topology.functions if function != topology.api]
    names = [*topology.queue_names.values(), *functions, *(table.name for table in topology.tables)]

    assert [] == [(a, b) for a, b in itertools.permutations(names, 2) if b.startswith(a)]
