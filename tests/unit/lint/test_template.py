"""The rules on templates: settings and topology from what is declared, findings at their line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlqlab.cli import main
from dlqlab.lint.template import of_template
from dlqlab.templates.cloudformation import parse
from dlqlab.templates.pipeline import topology

SOUND = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{Name: QueueName, Value: !GetAtt Dead.QueueName}]
      AlarmActions: [!Ref Topic]
  Topic:
    Type: AWS::SNS::Topic
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 10
      Events:
        In:
          Type: SQS
          Properties: {Queue: !GetAtt Orders.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}
"""
MAPPED = """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: WHOM}
"""


def findings(tmp_path: Path, text: str) -> dict[str, int]:
    """The rules that a template breaks, with the lines."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    results = json.loads(CliRunner().invoke(main, ["lint", str(path), "--sarif"]).stdout)["runs"][0]["results"]
    return {
        one["ruleId"]: one["locations"][0]["physicalLocation"].get("region", {}).get("startLine") for one in results
    }


def test_sound_template_has_no_finding(tmp_path: Path) -> None:
    assert {} == findings(tmp_path, SOUND)


@pytest.mark.parametrize(
    ("before", "after", "rule", "at"),
    [
        ("Timeout: 10", "Timeout: 61", "visibility-covers-timeout", "Worker"),
        ("Timeout: 60", "Timeout: 20", "visibility-is-ample", "Worker"),
        ("1209600", "345600", "dead-letters-outlive-tasks", "Orders"),
        ("maxReceiveCount: 5", "maxReceiveCount: 2", "receives-are-few", "Orders"),
        ("AlarmActions: [!Ref Topic]", "AlarmActions: []", "letters-unwatched", "Dead"),
        (", FunctionResponseTypes: [ReportBatchItemFailures]", "", "whole-batch-retries", "Orders"),
        ("Type: SQS", "Type: SNS", "queue-unread", "Orders"),
        ("Queue: !GetAtt Orders.Arn", "Queue: !GetAtt Orders.Arn, BatchSize: 20", "batch-has-window", "Orders"),
        (
            "Queue: !GetAtt Orders.Arn",
            'Queue: !GetAtt Orders.Arn, FilterCriteria: {Filters: [{Pattern: "{}"}]}',
            "filter-deletes",
            "Orders",
        ),
    ],
)
def test_breach_is_found_at_its_resource(tmp_path: Path, before: str, after: str, rule: str, at: str) -> None:
    text = SOUND.replace(before, after)
    assert text != SOUND
    found = findings(tmp_path, text)

    assert rule in found
    assert text.splitlines()[found[rule] - 1] in {f"  {at}:", "  Worker:", "  Orders:"}


def test_settings_that_are_not_known_are_not_checked() -> None:
    """A parameter without a default: nothing is guessed."""
    text = "Parameters: {Wait: {Type: Number}}\n" + SOUND.replace(
        "VisibilityTimeout: 60", "VisibilityTimeout: !Ref Wait"
    )
    template = parse(text, Path("t.yaml"))

    assert of_template(template, topology(template)) == (
        [],
        ["Orders to Worker: not checked: VisibilityTimeout of Orders is not known before it is deployed"],
    )


@pytest.mark.parametrize("whom", ["!Ref Worker", "!Ref Alias", "!ImportValue other"])
def test_queue_with_a_reader_of_any_kind_is_not_called_unread(tmp_path: Path, whom: str) -> None:
    """The function, an alias of it, and a function of another stack, which the template does not tell."""
    alias = "  Alias:\n    Type: AWS::Lambda::Alias\n    Properties: {FunctionName: !Ref Worker}\n"
    text = SOUND.replace("Type: SQS", "Type: SNS")

    assert "queue-unread" in findings(tmp_path, text + alias)
    assert "queue-unread" not in findings(tmp_path, text + MAPPED.replace("WHOM", whom) + alias)


def test_command_ends_by_the_rules(tmp_path: Path) -> None:
    """As for scenarios: 0, 1 for an error, with --strict for a warning, 3 for wrong usage."""
    path = tmp_path / "template.yaml"
    codes = []
    for text in (SOUND, SOUND.replace("1209600", "345600"), SOUND.replace("Timeout: 10", "Timeout: 61")):
        path.write_text(text)
        codes += [CliRunner().invoke(main, ["lint", str(path), *more]).exit_code for more in ([], ["--strict"])]
    path.write_text("{")

    assert [0, 0, 0, 1, 1, 1] == codes
    assert 3 == CliRunner().invoke(main, ["lint", str(path)]).exit_code
    assert 3 == CliRunner().invoke(main, ["lint", "no-such-scenario"]).exit_code
