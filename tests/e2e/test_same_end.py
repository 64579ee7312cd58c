"""Three plays of the same tasks, of a pipeline in whose last play one task is worked off with another result."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.command import dlqlab_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

TASKS = 6
TEMPLATE = """
Parameters: {Spoiled: {Type: String}}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 6}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: bill, AttributeType: S}]
      KeySchema: [{AttributeName: bill, KeyType: HASH}]
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Timeout: 6
      Role: arn:aws:iam::000000000000:role/any
      Environment: {Variables: {TABLE: !Ref Table, SPOILED: !Ref Spoiled}}
      Code:
        ZipFile: |
          import json, os, time, uuid
          import boto3

          table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

          def handler(event, context):
              for record in event["Records"]:
                  order = json.loads(record["body"])["id"]
                  status = "spoiled" if order.endswith(os.environ["SPOILED"]) else "done"
                  bill = {"bill": str(uuid.uuid4()), "order": order, "status": status, "billedAt": int(time.time())}
                  table.put_item(Item=bill)
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Worker, BatchSize: 1}
"""
DEPLOY = """
import boto3, pathlib
plays = pathlib.Path("plays")
n = len(plays.read_text()) + 1 if plays.exists() else 1
plays.write_text("x" * n)
stack = boto3.client("cloudformation")
spoiled = [{"ParameterKey": "Spoiled", "ParameterValue": "00002" if n == 3 else "none"}]
stack.create_stack(StackName="bills", TemplateBody=pathlib.Path("t.yaml").read_text(), Parameters=spoiled)
stack.get_waiter("stack_create_complete").wait(StackName="bills", WaiterConfig={"Delay": 1})
"""


def test_planted_difference_is_named_by_task(tmp_path: Path) -> None:
    """Bills have an id and a time of their own in each play; one has another status in the last."""
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    (tmp_path / "deploy.py").write_text(DEPLOY)
    (tmp_path / "dlqlab.toml").write_text(
        f"""
        name = "bills"
        [deploy]
        tool = "command"
        command = [{json.dumps(sys.executable)}, "deploy.py"]
        [entry]
        queue = "Orders"
        [load]
        tasks = {TASKS}
        """
    )
    done = dlqlab_in(tmp_path, "run", "--same-end", "--no-page", timeout_s=280)
    said = done.stdout + done.stderr

    assert done.returncode == 1, said
    assert f"✗ same_end       {TASKS} items in 2 places, {TASKS - 1} as in both reference plays, 1 not" in said
    assert 'dynamodb bills-Table/t-1-00000002: status "spoiled", "done" in the reference plays' in said
    assert "dynamodb bills-Table bill, dynamodb bills-Table billedAt" in said
    assert ["✗ same_end"] == [line[:10] for line in said.splitlines() if line.startswith("✗ ") and "same_end" in line]
