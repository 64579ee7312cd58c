"""Stacks of tests: made, updated and deleted, each time until they change no more."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from dlqlab.waiting import wait_for

Aws = Callable[[str], Any]


def body(**resources: Any) -> str:
    """A template; its condition Never is false."""
    return json.dumps({"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}, "Resources": resources})


def settled(aws: Aws, name: str) -> dict[str, Any]:
    """The stack once it changes no more; empty when there is none."""

    def probe() -> tuple[bool, dict[str, Any]]:
        try:
            stack = aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError:
            return True, {}
        return not stack["StackStatus"].endswith("_IN_PROGRESS"), stack

    return wait_for(f"an end of {name}", probe, deadline_s=60, interval_s=0.05)


def create(aws: Aws, name: str, template: str) -> dict[str, Any]:
    """The new stack."""
    aws("cloudformation").create_stack(StackName=name, TemplateBody=template)
    return settled(aws, name)


def update(aws: Aws, name: str, template: str) -> dict[str, Any]:
    """The updated stack."""
    aws("cloudformation").update_stack(StackName=name, TemplateBody=template)
    return settled(aws, name)


def delete(aws: Aws, name: str) -> None:
    """Delete it, with what it made."""
    aws("cloudformation").delete_stack(StackName=name)
    settled(aws, name)


def physical_id(aws: Aws, name: str, logical_id: str) -> str:
    """What AWS calls a resource of a stack."""
    found = aws("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])
