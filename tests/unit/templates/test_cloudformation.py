"""Templates of CloudFormation and SAM: short forms, lines, parameters, conditions; what is not known stays so."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.contracts.topology import EntryKind
from dlqlab.errors import UsageError
from dlqlab.lint.template import of_template
from dlqlab.templates.cloudformation import parse
from dlqlab.templates.intrinsics import Values
from dlqlab.templates.pipeline import sources, topology
from dlqlab.templates.resources import UNKNOWN, Reference

FILE = Path("template.yaml")
TEMPLATE = """\
Parameters:
  Receives: {Type: Number, Default: 4}
  Secret: {Type: String}
Conditions:
  IsBig: !Equals [!Ref Receives, "9"]
Globals:
  Function:
    Timeout: 7
    Environment: {Variables: {A: "1"}}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: !Ref Receives
      QueueName: !Sub "orders-${Secret}"
      KmsMasterKeyId: !If [IsBig, big, !Ref AWS::NoValue]
  Dead:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Join ["-", [dead, !Ref "AWS::Region"]]}
  Big:
    Type: AWS::SQS::Queue
    Condition: IsBig
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {B: !Sub "${Orders.Arn}"}}
"""


def test_values_are_those_that_the_template_tells() -> None:
    orders, dead, worker = parse(TEMPLATE, FILE).resources

    assert orders.at("RedrivePolicy") == {"deadLetterTargetArn": Reference("Dead", "Arn"), "maxReceiveCount": 4}
    assert orders.at("QueueName") is UNKNOWN
    assert "KmsMasterKeyId" not in orders.properties
    assert dead.at("QueueName") == "dead-us-east-1"
    assert (worker.at("Timeout"), worker.at("Environment", "Variables")) == (
        7,
        {"A": "1", "B": Reference("Orders", "Arn")},
    )


STREAMS = """\
Resources:
  Clicks: {Type: AWS::Kinesis::Stream}
  Items: {Type: AWS::DynamoDB::Table}
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Clicked: {Type: Kinesis, Properties: {Stream: !GetAtt Clicks.Arn, StartingPosition: LATEST}}
  Other: {Type: AWS::Lambda::Function}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Items.StreamArn, FunctionName: !Ref Other}
"""


def test_streams_that_mappings_read_are_entries() -> None:
    found = topology(parse(STREAMS, FILE)).entries

    assert [(one.kind, one.name, one.function) for one in found] == [
        (EntryKind.STREAM, "Clicks", "Reader"),
        (EntryKind.TABLE, "Items", "Other"),
    ]


def test_each_resource_has_its_line() -> None:
    lines = TEMPLATE.splitlines()

    assert [lines[(one.line or 0) - 1] for one in parse(TEMPLATE, FILE).resources] == [
        "  Orders:",
        "  Dead:",
        "  Worker:",
    ]


def test_json_is_the_same() -> None:
    text = json.dumps(
        {"Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}}}}, indent=1
    )
    (orders,) = parse(text, FILE).resources

    assert (orders.at("DelaySeconds"), text.splitlines()[(orders.line or 0) - 1].strip()) == (5, '"Orders": {')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources: {", "template.yaml:1: is not YAML"),
        ('{"Resources": {', "template.yaml:1: is not JSON"),
        ("name: shop", "template.yaml: has no Resources: give a template"),
        ("Resources: {A: {Properties: {}}}", "Resources.A has no Type"),
        ("", "template.yaml: has no Resources"),
        ("- a", "template.yaml: has no Resources"),
        ("Resources: {'Fn::ForEach::Q': [N, [a], {}]}", "Resources.Fn::ForEach::Q is a macro, which is not run"),
    ],
)
def test_what_is_no_template_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text, FILE)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ({"Ref": "Nobody"}, UNKNOWN),
        ({"Fn::ImportValue": "x"}, UNKNOWN),
        ({"Fn::GetAtt": ["Nobody", "Arn"]}, UNKNOWN),
        ({"Fn::GetAtt": "Q.Arn"}, Reference("Q", "Arn")),
        ({"Fn::Sub": ["${a}-${!Literal}", {"a": "1"}]}, "1-${Literal}"),
        ({"Fn::Sub": "${Q}-x"}, UNKNOWN),
        ({"Fn::FindInMap": ["M", "dev", "n"]}, 3),
        ({"Fn::FindInMap": ["M", "prod", "n"]}, UNKNOWN),
        ({"Fn::If": ["Maybe", 1, 2]}, UNKNOWN),
        ({"Fn::If": ["Never", 1, 2]}, 2),
        ({"Fn::If": ["Circle", 1, 2]}, UNKNOWN),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
    ],
)
def test_function_is_resolved_or_not_known(value: Any, becomes: Any) -> None:
    values = Values(
        mappings={"M": {"dev": {"n": 3}}},
        conditions={
            "Circle": {"Fn::Not": [{"Condition": "Circle"}]},
            "Maybe": {"Fn::Equals": [{"Ref": "Nobody"}, "1"]},
            "Never": {"Fn::And": [{"Condition": "Maybe"}, {"Fn::Not": [{"Fn::Equals": ["a", "a"]}]}]},
        },
        resources=frozenset({"Q"}),
    )

    assert values.resolve(value) == becomes


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["Orders", "Arn", "Cond", "AWS::SQS::Queue", "${Orders}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Ref", "Fn::Sub", "Fn::If", "Fn::GetAtt", "Fn::Join", "Fn::FindInMap", "Condition", "Queue"]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=8,
)


@given(properties=JUNK, section=JUNK, condition=JUNK)
def test_whatever_is_written_is_read_or_refused(properties: Any, section: Any, condition: Any) -> None:
    """A template that makes no sense is CloudFormation's to refuse; here it ends in no traceback."""
    types = (
        "AWS::SQS::Queue",
        "AWS::Serverless::Function",
        "AWS::Lambda::EventSourceMapping",
        "AWS::CloudWatch::Alarm",
    )
    names = ("RedrivePolicy", "Events", "EventSourceArn", "Metrics", "Dimensions", "Environment", "FilterCriteria")
    one = dict.fromkeys(names, properties)
    body = {
        "Globals": section,
        "Parameters": section,
        "Mappings": section,
        "Conditions": {"Cond": condition},
        "Resources": {f"R{n}": {"Type": kind, "Properties": one} for n, kind in enumerate(types)},
    }
    template = parse(json.dumps(body), FILE)
    settings, notes = of_template(template, topology(template))

    assert len(template.resources) == len(types)
    assert len(settings) + len(notes) <= len(sources(template))
