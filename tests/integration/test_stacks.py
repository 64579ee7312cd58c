"""Stacks: what cannot be made is refused by name, custom resources are called, failures end as rolled back."""

import json
import uuid
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import DeployedFunction, FunctionFactory
from tests.support import stacks
from tests.support.stacks import Aws

pytestmark = pytest.mark.integration

QUEUE = {"Type": "AWS::SQS::Queue"}
PIPE = {"Type": "AWS::Nowhere::Thing", "Properties": {"Name": "p"}}
DOMAIN = {"Type": "AWS::OpenSearchService::Domain"}


@pytest.fixture
def stack_name(aws: Aws, cleanups: ExitStack) -> str:
    """A name for a stack, which is deleted with what it made."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    cleanups.callback(stacks.delete, aws, name)
    return name


def _resources(aws: Aws, name: str) -> list[str]:
    found = aws("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
    return [one["LogicalResourceId"] for one in found]


def _failed(aws: Aws, name: str) -> dict[str, str]:
    events = aws("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return {
        one["LogicalResourceId"]: one.get("ResourceStatusReason", "")
        for one in events
        if one["ResourceStatus"].endswith("_FAILED")
    }


def test_created_stack_names_what_cannot_be_made(aws: Aws, stack_name: str) -> None:
    """Nothing of the stack is made, and each such resource has an event with its type and the remedy."""
    stack = stacks.create(aws, stack_name, stacks.body(Jobs=QUEUE, Alien=PIPE, Domain=DOMAIN))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Alien (AWS::Nowhere::Thing)" in stack["StackStatusReason"]
    assert "Domain (AWS::OpenSearchService::Domain): the emulator does not serve" in stack["StackStatusReason"]
    failed = _failed(aws, stack_name)
    assert {"Alien", "Domain"} == set(failed)
    assert "--allow-pretended" in failed["Alien"]
    assert [] == _resources(aws, stack_name)


def test_change_set_names_what_cannot_be_made(aws: Aws, stack_name: str) -> None:
    """As sam deploy and cdk deploy make it: the change set fails with the reason, and cannot be executed."""
    client = aws("cloudformation")
    names = {"StackName": stack_name, "ChangeSetName": "first"}
    client.create_change_set(**names, ChangeSetType="CREATE", TemplateBody=stacks.body(Jobs=QUEUE, Alien=PIPE))

    described = client.describe_change_set(**names)

    assert ("FAILED", "UNAVAILABLE") == (described["Status"], described["ExecutionStatus"])
    assert "Alien (AWS::Nowhere::Thing)" in described["StatusReason"]
    assert "REVIEW_IN_PROGRESS" == client.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"]
    with pytest.raises(ClientError, match="cannot be executed"):
        client.execute_change_set(**names)


def test_refused_update_leaves_the_stack_as_it_was(aws: Aws, stack_name: str) -> None:
    """A resource without a chance is no hindrance where its condition is false; an update that adds one is undone."""
    dashboard = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{}"}}
    unwanted = {**PIPE, "Condition": "Never"}
    first = stacks.create(aws, stack_name, stacks.body(Jobs=QUEUE, Unwanted=unwanted, Board=dashboard))
    updated = stacks.update(aws, stack_name, stacks.body(Jobs=QUEUE, More=QUEUE, Alien=PIPE))

    assert "CREATE_COMPLETE" == first["StackStatus"]
    assert "UPDATE_ROLLBACK_COMPLETE" == updated["StackStatus"]
    assert {"Alien"} == set(_failed(aws, stack_name))
    assert {"Jobs", "Board"} == set(_resources(aws, stack_name))
    events = aws("cloudformation").describe_stack_events(StackName=stack_name)["StackEvents"]
    reasons = [one.get("ResourceStatusReason") for one in events if one["LogicalResourceId"] == "Board"]
    assert "Ignored by the emulator: nothing shows dashboards" in reasons
    again = stacks.update(aws, stack_name, stacks.body(Jobs=QUEUE, More=QUEUE))
    assert "UPDATE_COMPLETE" == again["StackStatus"]
    assert {"Jobs", "More"} == set(_resources(aws, stack_name))


PROVIDER = """
    import json
    import urllib.request

    def handler(event, context):
        print("REQUEST", json.dumps(event))
        wanted = event["ResourceProperties"]
        if wanted.get("Raise"):
            raise RuntimeError("provider is broken")
        answer = {
            "Status": wanted.get("Answer", "SUCCESS"), "Reason": "said so",
            "PhysicalResourceId": "made-" + wanted.get("Id", "1"), "StackId": event["StackId"],
            "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
            "Data": {"Size": wanted.get("Size", ""), "Kind": event["RequestType"]},
        }
        body, kind = json.dumps(answer).encode(), {"Content-Type": ""}
        put = urllib.request.Request(event["ResponseURL"], body, kind, method="PUT")
        urllib.request.urlopen(put, timeout=10).close()
"""


@pytest.fixture
def provider(make_function: FunctionFactory) -> DeployedFunction:
    """The function of custom resources, which does as their properties say."""
    return make_function(PROVIDER, Timeout=20)


def _custom(provider: DeployedFunction, **properties: Any) -> dict[str, Any]:
    return {"Type": "Custom::Thing", "Properties": {"ServiceToken": provider.arn, **properties}}


def _with_outputs(**resources: Any) -> str:
    outputs = {"Id": {"Value": {"Ref": "Mine"}}, "Size": {"Value": {"Fn::GetAtt": ["Mine", "Size"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def _outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def _requests(aws: Aws, provider: DeployedFunction) -> list[dict[str, Any]]:
    found = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{provider.name}", filterPattern="REQUEST")
    return [
        json.loads(one["message"].partition("REQUEST ")[2]) for one in found["events"] if "REQUEST" in one["message"]
    ]


def test_custom_resource_is_called_through_its_life(aws: Aws, stack_name: str, provider: DeployedFunction) -> None:
    """Created, updated to another physical id, the old one deleted, and deleted with its stack."""
    made = stacks.create(aws, stack_name, _with_outputs(Mine=_custom(provider, Size=7, On=True)))
    changed = stacks.update(aws, stack_name, _with_outputs(Mine=_custom(provider, Size=8, Id="2")))
    stacks.delete(aws, stack_name)

    assert {"Id": "made-1", "Size": "7"} == _outputs(made)
    assert {"Id": "made-2", "Size": "8"} == _outputs(changed)
    calls = [one for one in _requests(aws, provider) if "RequestType" in one]
    assert [("Create", None), ("Update", "made-1"), ("Delete", "made-1"), ("Delete", "made-2")] == [
        (one["RequestType"], one.get("PhysicalResourceId")) for one in calls
    ]
    create, update = calls[:2]
    assert ("true", "7") == (create["ResourceProperties"]["On"], create["ResourceProperties"]["Size"])
    assert create["ResourceProperties"] == update["OldResourceProperties"]
    assert ("Custom::Thing", "Mine") == (create["ResourceType"], create["LogicalResourceId"])


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Answer": "FAILED"}, "said so"),
        ({"Raise": "yes"}, "provider is broken"),
        ({"ServiceTimeout": "0"}, "ServiceTimeout is 0"),
    ],
)
def test_custom_resource_that_fails_fails_its_stack(
    aws: Aws, stack_name: str, provider: DeployedFunction, properties: dict[str, str], reason: str
) -> None:
    """The stack is rolled back, and both its reason and the resource's event say what went wrong."""
    stack = stacks.create(aws, stack_name, _with_outputs(Mine=_custom(provider, **properties)))

    assert "ROLLBACK_COMPLETE" == stack["StackStatus"]
    assert reason in stack["StackStatusReason"]
    assert reason in _failed(aws, stack_name)["Mine"]


def test_failed_update_is_not_complete(aws: Aws, stack_name: str, provider: DeployedFunction) -> None:
    """An update with a resource that fails ends as rolled back."""
    stacks.create(aws, stack_name, _with_outputs(Mine=_custom(provider)))

    updated = stacks.update(aws, stack_name, _with_outputs(Mine=_custom(provider, Answer="FAILED")))

    assert "UPDATE_ROLLBACK_COMPLETE" == updated["StackStatus"]
    assert "said so" in updated["StackStatusReason"]


ATTRIBUTES = """
    import json
    import urllib.request

    def handler(event, context):
        data = {"Deep.Name": "dotted", "Empty": "", "Count": 3, "On": False}
        answer = {"Status": "SUCCESS", "PhysicalResourceId": "p", "Data": data}
        put = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
        urllib.request.urlopen(put, timeout=10).close()
"""


def _with_attributes(function: DeployedFunction, *names: str) -> str:
    mine = {"Type": "Custom::Thing", "Properties": {"ServiceToken": function.arn}}
    outputs = {f"Out{place}": {"Value": {"Fn::GetAtt": ["Mine", name]}} for place, name in enumerate(names)}
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
    return json.dumps({"Resources": {"Mine": mine, "Jobs": queue}, "Outputs": outputs})


def test_attributes_of_a_custom_resource_are_those_of_its_response(
    aws: Aws, stack_name: str, make_function: FunctionFactory
) -> None:
    """By their whole name, as texts, empty ones too."""
    function = make_function(ATTRIBUTES)
    made = stacks.create(aws, stack_name, _with_attributes(function, "Deep.Name", "Empty", "Count", "On"))

    assert {"Out0": "dotted", "Out1": "", "Out2": "3", "Out3": "false"} == _outputs(made)


def test_attribute_that_is_not_there_fails_the_stack(aws: Aws, stack_name: str, make_function: FunctionFactory) -> None:
    """Of a custom resource, and of a queue; nobody gets a text in its place."""
    custom = stacks.create(aws, stack_name, _with_attributes(make_function(ATTRIBUTES), "Other"))
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::GetAtt": ["Jobs", "Colour"]}}}
    stacks.delete(aws, stack_name)
    own = stacks.create(aws, stack_name, stacks.body(Jobs=QUEUE, More=queue))

    assert "ROLLBACK_COMPLETE" == own["StackStatus"]
    assert "Jobs (AWS::SQS::Queue) has no attribute Colour here" in own["StackStatusReason"]
    assert "ROLLBACK_COMPLETE" == custom["StackStatus"]
    assert "Vendor response doesn't contain Other key in object Mine" in custom["StackStatusReason"]


@pytest.mark.parametrize(("service", "operation"), [("opensearch", "list_domain_names"), ("ses", "list_identities")])
def test_call_of_a_service_that_is_not_served_says_so(aws: Aws, service: str, operation: str) -> None:
    """With its name and those that are served, and nobody's configuration variable."""
    with pytest.raises(ClientError, match=rf"does not serve {service}\. It serves apigateway, .*sqs"):
        getattr(aws(service), operation)()


def test_log_group_has_its_retention(aws: Aws, stack_name: str) -> None:
    """As the template says it, changed and taken away by updates."""
    found = []
    for number, days in enumerate((7, 14, None)):
        body = stacks.body(
            Lines={"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days} if days else {}}
        )
        stack = (stacks.update if number else stacks.create)(aws, stack_name, body)
        assert stack["StackStatus"].endswith("E_COMPLETE")
        resource = aws("cloudformation").describe_stack_resource(StackName=stack_name, LogicalResourceId="Lines")
        name = resource["StackResourceDetail"]["PhysicalResourceId"]
        groups = aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        found.append(groups[0].get("retentionInDays"))

    assert [7, 14, None] == found


@pytest.mark.parametrize("is_kept", [False, True])
def test_failed_creation_deletes_what_it_made(
    aws: Aws, stack_name: str, provider: DeployedFunction, is_kept: bool
) -> None:
    """Unless DisableRollback asks to keep it; either way the stack can be deleted afterwards."""
    queue = f"{stack_name}-q"
    jobs = {**QUEUE, "Properties": {"QueueName": queue}}
    body = stacks.body(Jobs=jobs, Mine={**_custom(provider, Answer="FAILED"), "DependsOn": "Jobs"})

    aws("cloudformation").create_stack(StackName=stack_name, TemplateBody=body, DisableRollback=is_kept)
    stack = stacks.settled(aws, stack_name)

    assert ("CREATE_FAILED" if is_kept else "ROLLBACK_COMPLETE") == stack["StackStatus"]
    assert "said so" in stack["StackStatusReason"]
    assert is_kept == bool(aws("sqs").list_queues(QueueNamePrefix=queue).get("QueueUrls"))
    stacks.delete(aws, stack_name)
    assert [] == aws("sqs").list_queues(QueueNamePrefix=queue).get("QueueUrls", [])


def test_update_that_cannot_be_made_fails(aws: Aws, stack_name: str) -> None:
    """A change of a secret is refused by its properties, given, changed or taken away; one of its tags alone passes."""
    secret = {"Name": stack_name, "SecretString": "one"}
    tagged = {**secret, "Tags": [{"Key": "k", "Value": "v"}]}
    other = {**tagged, "SecretString": "two"}
    made = [
        (stacks.update if number else stacks.create)(
            aws, stack_name, stacks.body(Key={"Type": "AWS::SecretsManager::Secret", "Properties": one})
        )
        for number, one in enumerate((secret, tagged, other, {"Name": stack_name}))
    ]

    statuses = [stack["StackStatus"] for stack in made]
    assert ["CREATE_COMPLETE", "UPDATE_COMPLETE", *["UPDATE_ROLLBACK_COMPLETE"] * 2] == statuses
    for stack in made[2:]:
        assert "cannot update SecretString of AWS::SecretsManager::Secret" in stack["StackStatusReason"]
