"""A pipeline under faults from outside by the command itself: what breaks is found, made small, and shown again."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.command import dlqlab_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

TEMPLATE = """
Resources:
  Orders: {Type: "AWS::SQS::Queue", Properties: {VisibilityTimeout: 12}}
  Totals:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Count:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Timeout: 4
      Role: arn:aws:iam::000000000000:role/any
      Environment: {Variables: {TABLE: !Ref Totals}}
      Code:
        ZipFile: |
          import boto3, json, os
          table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
          def handler(event, context):
              for record in event["Records"]:
                  key = {"id": json.loads(record["body"])["id"]}
                  table.update_item(Key=key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1})
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Count, BatchSize: 1}
"""
PROJECT = 'name = "totals"\n[deploy]\ntool = "cloudformation"\n'


def torture(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return dlqlab_in(folder, "torture", "--port", "auto", *arguments, timeout_s=300)


def test_work_that_is_not_idempotent_is_revealed_and_shown_by_one_task(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "dlqlab.toml").write_text(PROJECT)

    done = torture(
        tmp_path, "--only", "answer-lost", "--tasks", "20", "--shrink", "--pytest", "test_again.py", "--json"
    )

    assert done.returncode == 1, done.stdout + done.stderr
    baseline, broken = json.loads(done.stdout)["answers"]
    assert (baseline["outcome"], broken["outcome"]) == ("survived", "broken"), done.stderr
    harms = {harm["name"]: harm["messages"] for harm in broken["harms"]}
    assert len(harms["effect_twice"]) == broken["strikes"] > 0
    assert "1 task, 1 of them struck" in done.stderr
    (page,) = tmp_path.glob("runs/*-torture/torture.html")
    assert broken["tasks_of"][harms["effect_twice"][0]] in page.read_text(encoding="utf-8")
    compile((tmp_path / "test_again.py").read_text(), "test_again.py", "exec")
