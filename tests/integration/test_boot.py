"""What the emulator imports late works as if it had been imported at the start."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlqlab.emulator.core.loopback import ANY_PORT
from dlqlab.emulator.host import lifecycle

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


def test_requests_to_localstacks_own_pages_are_validated_where_that_is_asked_for(tmp_path: Path) -> None:
    """Its setting brings in what validates, which an emulator without it never loads."""
    emulator = lifecycle.start(ANY_PORT, bound=True, root=tmp_path, extra={"OPENAPI_VALIDATE_REQUEST": "1"})
    wrong = urllib.request.Request(
        f"{emulator.endpoint}/_localstack/health", b'{"action": 3}', {"Content-Type": "application/json"}
    )
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wrong, timeout=30)
        with refused.value as answer:
            assert (400, "Bad Request") == (answer.code, json.load(answer)["error"])
    finally:
        lifecycle.stop(emulator)
