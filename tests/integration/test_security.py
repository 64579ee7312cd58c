"""Every path through the functions once, then: what did they call, and what may they?"""

import dataclasses
import json
import shutil
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlqlab import paths
from dlqlab.deploy import chalice, pipeline
from dlqlab.deploy.target import local_target
from dlqlab.deploy.visibility import covering
from dlqlab.emulator import settings
from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.gateway.calls import Call
from dlqlab.emulator.host import lifecycle
from tests.integration.conftest import Deployed
from tests.support.permissions import Grant, grants, missing, read_calls, unused
from tests.support.walks import SCENARIO, WALKS, Watched

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]  # the first test sets up and walks all paths
ROLES = ["api", "processor", "monitor", "sweeper"]
LOG_GROUPS = {
    "api": ["dlqlab-local", "dlqlab-dev", "dlqlab-prod"],  # no wildcard: the others' names begin so
    "processor": ["dlqlab-*-processor"],
    "monitor": ["dlqlab-*-monitor"],
    "sweeper": ["dlqlab-*-sweeper"],
}
LOG_WRITES = ("logs:CreateLogStream", "logs:PutLogEvents")
"""Lambda itself stores the log, with the function's role (AWSLambdaBasicExecutionRole; the groups are made by us)."""
POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""Lambda itself polls, with the function's role (AWSLambdaSQSQueueExecutionRole)."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """An emulator with the recorder on, and all paths walked."""
    root = tmp_path_factory.mktemp("watched")
    record = root / "calls.jsonl"
    extra = {settings.CALL_RECORD: str(record)}
    running = lifecycle.start(ANY_PORT, bound=True, root=root, extra=extra)
    try:
        target = local_target(running)
        here = Watched(Deployed(target, pipeline.apply(target, SCENARIO, progress=lambda _text: None)), record)
        for walk in WALKS:
            walk(here)
        yield here
    finally:
        lifecycle.stop(running)


def _role_name(here: Watched, role: str) -> str:
    """The IAM role of the function in this role of ours."""
    client, name = here.deployed.target.client("lambda"), here.deployed.target.topology.function_names[role]
    return str(client.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2])


def _granted(here: Watched, role: str) -> set[Grant]:
    """What the policies allow that are really attached to the function's role."""
    iam, role_name = here.deployed.target.client("iam"), _role_name(here, role)
    attached = iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
    assert [] == attached
    documents = [
        iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role_name)["PolicyNames"]
    ]
    return {grant for document in documents for grant in grants(document)}


def _lambdas_own(role: str) -> set[Grant]:
    """What Lambda itself does with the function's role."""
    queues = {"processor": "dlqlab-*-tasks", "monitor": "dlqlab-*-dead-letters"}
    polling = {Grant(action, f"arn:*:sqs:*:*:{queues[role]}") for action in POLLING} if role in queues else set()
    groups = [f"arn:*:logs:*:*:log-group:/aws/lambda/{name}:*" for name in LOG_GROUPS[role]]
    return {Grant(action, group) for action in LOG_WRITES for group in groups} | polling


def _calls(here: Watched, role: str) -> set[Call]:
    name = _role_name(here, role)
    return {call for call in read_calls(here.record) if call.caller == name}


@pytest.mark.parametrize("role", ROLES)
def test_no_call_of_a_function_lacks_a_grant(watched: Watched, role: str) -> None:
    """Whatever a function called, on any path, its role permits, on just that resource."""
    calls, granted = _calls(watched, role), _granted(watched, role)

    assert len(calls) >= 5
    assert [] == missing(calls, granted)
    assert set() == _lambdas_own(role) - granted


@pytest.mark.parametrize("role", ROLES)
def test_no_grant_of_a_function_is_unused(watched: Watched, role: str) -> None:
    """Each action on each resource that a role permits was needed on some path, or is what Lambda itself needs."""
    assert [] == unused(_calls(watched, role), _granted(watched, role) - _lambdas_own(role))


def test_each_function_has_a_role_of_its_own(watched: Watched) -> None:
    """No two functions share their rights, and nobody but the four has called in a role."""
    roles = {_role_name(watched, role) for role in ROLES}

    assert 4 == len(roles)
    assert roles == {call.caller for call in read_calls(watched.record)}


@pytest.fixture
def keyed(watched: Watched, tmp_path: Path) -> tuple[str, str]:
    """The stage deployed anew with a key; the API's URL and the key."""
    app = tmp_path / "app"
    shutil.copytree(paths.APP, app, ignore=shutil.ignore_patterns("deployed", "deployments", "__pycache__"))
    config = app / ".chalice" / "config.json"
    changed = json.loads(config.read_text())
    changed["stages"]["local"]["environment_variables"]["API_KEY_REQUIRED"] = "1"
    config.write_text(json.dumps(changed))
    target = dataclasses.replace(watched.deployed.target, app=app)
    # Lambda refuses to update the mapping of a queue whose visibility timeout is shorter than the function's own.
    with chalice.deployer(target) as deploy, covering(target, SCENARIO):
        deploy()
    rest_api_id = chalice.deployed(target)["rest_api"]["rest_api_id"]
    cloudformation = target.client("cloudformation")
    cloudformation.create_stack(
        StackName="key",
        TemplateBody=(paths.APP / "api-key.yaml").read_text(),
        Parameters=[{"ParameterKey": "RestApiId", "ParameterValue": rest_api_id}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="key", WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName="key")["Stacks"][0]["Outputs"]
    key = target.client("apigateway").get_api_key(apiKey=output["OutputValue"], includeValue=True)["value"]
    return target.api_url(rest_api_id), key


def _status(url: str, path: str, key: str | None, body: dict[str, Any] | None = None) -> int:
    headers = {"Content-Type": "application/json"} | ({"x-api-key": key} if key else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_stage_with_a_key_refuses_who_has_none(keyed: tuple[str, str]) -> None:
    """Tasks are taken and shown for the key only; the health check needs none."""
    url, key = keyed
    task = {"taskId": f"k-{uuid.uuid4().hex}", "payload": "SUCCESS"}
    posts = [_status(url, "/tasks", given, task) for given in (None, "wrong", key)]
    looks = [_status(url, f"/tasks/{task['taskId']}", given) for given in (None, "wrong", key)]

    assert ([403, 403, 202], [403, 403, 200]) == (posts, looks)
    assert 200 == _status(url, "/health", None)
