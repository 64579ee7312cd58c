"""A pipeline under faults from outside by the command itself: what breaks is found, made small, and shown again."""

import json
import subprocess
import tomllib
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
SHOP = """
Resources:
  Orders: {Type: "AWS::SQS::Queue", Properties: {QueueName: orders, VisibilityTimeout: 12}}
  Bills:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: bills
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Take:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: take
      Runtime: python3.13
      Handler: index.handler
      Timeout: 6
      Role: arn:aws:iam::000000000000:role/any
      Environment: {Variables: {QUEUE: !Ref Orders}}
      Code:
        ZipFile: |
          import boto3, json, os
          table, sqs = boto3.resource("dynamodb").Table("bills"), boto3.client("sqs")
          def handler(event, context):
              table.put_item(Item={"id": "order " + json.loads(event["body"])["id"]})
              sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=event["body"])
              return {"statusCode": 202, "body": "{}"}
  Bill:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: bill
      Runtime: python3.13
      Handler: index.handler
      Timeout: 6
      Role: arn:aws:iam::000000000000:role/any
      Code:
        ZipFile: |
          import boto3, json
          table = boto3.resource("dynamodb").Table("bills")
          def handler(event, context):
              for record in event["Records"]:
                  try:
                      table.put_item(Item={"id": json.loads(record["body"])["id"]})
                  except Exception as error:
                      print("not billed:", error)
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Bill, BatchSize: 1}
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: shop, ProtocolType: HTTP}}
  ToTake:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt Take.Arn
      PayloadFormatVersion: "2.0"
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: "POST /orders", Target: !Join ["/", [integrations, !Ref ToTake]]}
  Stage: {Type: "AWS::ApiGatewayV2::Stage", Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
"""
"""Two mistakes: the item is written before the message is sent, and the consumer swallows what goes wrong. The names
are given, since faults are drawn by them.
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


def test_what_is_half_done_and_what_is_swallowed_are_revealed_without_being_told_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(SHOP)
    (tmp_path / "dlqlab.toml").write_text(f'{PROJECT}[entry]\nhttp = "POST /orders"\n')

    done = torture(tmp_path, "--only", "call-denied", "--tasks", "30", "--shrink", "--json")

    assert done.returncode == 1, done.stdout + done.stderr
    baseline, broken = json.loads(done.stdout)["answers"]
    assert {harm["name"] for harm in baseline["harms"] if harm["is_break"]} == set()
    assert {"half_done", "swallowed"} <= {harm["name"] for harm in broken["harms"]}
    assert "1 task, 1 of them struck" in done.stderr
    (file,) = tmp_path.glob("runs/*-torture/call-denied.toml")
    assert len(tomllib.loads(file.read_text())["faults"]) == 1


def test_rows_on_two_emulators_side_by_side(tmp_path: Path) -> None:
    """Each with a deployment of its own; told as they come, kept in the order of the matrix."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "dlqlab.toml").write_text(PROJECT)

    rows = ("--only", "late", "--only", "call-slow", "--only", "duplicate")
    done = torture(tmp_path, *rows, "--tasks", "10", "--emulators", "2", "--json")

    found = json.loads(done.stdout)["answers"]
    (folder,) = tmp_path.glob("runs/*-torture")
    assert ["baseline", "call-slow", "duplicate", "late"] == [one["name"] for one in found]
    assert {"unknown", "untouched"}.isdisjoint(one["outcome"] for one in found), done.stderr
    assert {"rows", "rows-2"} == {Path(one["run"]).parts[0] for one in found}
    assert all((folder / one["run"] / "verdict.json").is_file() for one in found)
