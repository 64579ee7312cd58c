"""What the emulator imports late works as if it had been imported at the start."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.integration


def test_template_with_the_serverless_transform_is_deployed(aws: Callable[[str], Any]) -> None:
    """CloudFormation translates AWS::Serverless resources although their translator was not loaded at the start."""
    name = f"serverless-{uuid.uuid4().hex[:8]}"
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"Table": {"Type": "AWS::Serverless::SimpleTable", "Properties": {"TableName": name}}},
    }
    client = aws("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert aws("dynamodb").describe_table(TableName=name)["Table"]["KeySchema"] == [
        {"AttributeName": "id", "KeyType": "HASH"}
    ]
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
