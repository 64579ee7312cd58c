"""The task system as a project: what is sent to it, and the settings under which it is deployed."""

import json

from dlqlab.contracts.topology_file import read_topology
from dlqlab.deploy.target import LOCAL_STAGE
from dlqlab.load.tasks import task_id
from dlqlab.load.templates import render
from dlqlab.paths import APP
from dlqlab.torture.specimen import scenario, specimen
from taskrules.faults import FaultMode
from taskrules.tasks import TASK_ID


def test_what_is_sent_is_a_submission_with_the_tasks_key() -> None:
    project = specimen()

    body = json.loads(render(project.entry.body, seed=3, counter=7))

    assert body["taskId"] == task_id(3, 7)
    assert TASK_ID.fullmatch(body["taskId"])
    assert isinstance(body["payload"], dict)
    assert project.task.key == "taskId"


def test_its_entry_and_the_table_of_its_states_are_those_of_its_topology() -> None:
    project, topology = specimen(), read_topology(APP, LOCAL_STAGE)

    assert project.entry.http in {entry.name for entry in topology.entries}
    assert [table.key for table in topology.tables if project.done.table in table.name] == [project.task.key]


def test_it_has_no_faults_of_its_own_and_a_row_can_use_up_its_receives() -> None:
    settings = scenario()
    longest_s = settings.pipeline.visibility_timeout_s * (settings.retry.max_retries + 2)

    assert settings.faults.mode is FaultMode.NONE
    assert longest_s <= specimen().drain.deadline_s
