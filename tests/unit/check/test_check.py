"""What a template declares and the emulator does not run is said beforehand, each in its line."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlqlab.check.check import check
from dlqlab.check.finding import Finding, Weight
from dlqlab.check.functions import Machine
from dlqlab.cli import main
from dlqlab.emulator.functions.compiled_checks import Target
from dlqlab.templates.cloudformation import parse

MACHINE = Machine(
    target=Target(version="3.13", machine="x86_64", system="linux"),
    pythons=frozenset({"3.13"}),
    nodes=frozenset({22}),
    fetches=True,
)
DELIVERY = "AWS::KinesisFirehose::DeliveryStream"
MAPPING = "AWS::Lambda::EventSourceMapping"
LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:shared:3"
POWERTOOLS = {
    "Fn::Sub": "arn:aws:lambda:${AWS::Region}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:7"
}


def found(
    file: Path = Path("t.json"), layers: dict[str, str] | None = None, machine: Machine = MACHINE, **resources: Any
) -> list[Finding]:
    return check(parse(json.dumps({"Resources": resources}), file), layers or {}, machine)


def function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13", **properties}}


def sam(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.13", **properties}}


def test_what_runs_has_no_finding() -> None:
    resources: dict[str, Any] = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Table": {"Type": "AWS::Serverless::SimpleTable"},
        "Own": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Worker", "Arn"]}}},
        "Layer": {"Type": "AWS::Lambda::LayerVersion"},
        "Worker": function(Layers=[{"Ref": "Layer"}, POWERTOOLS]),
        "Node": function(Runtime="nodejs22.x"),
        "Go": function(Runtime="provided.al2023"),
        "Sam": sam(Events={"In": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}}}}),
    }
    assert [] == found(**resources)


@pytest.mark.parametrize(
    ("resource", "rule", "weight", "said"),
    [
        ({"Type": "AWS::OpenSearchService::Domain"}, "not-made", Weight.REFUSED, "does not serve opensearch"),
        (
            {"Type": DELIVERY, "Properties": {"RedshiftDestinationConfiguration": {"RoleARN": "arn:r"}}},
            "not-made",
            Weight.REFUSED,
            "RedshiftDestinationConfiguration is not served by this emulator. Give ",
        ),
        (
            {"Type": MAPPING, "Properties": {"StartingPosition": "LATEST", "TumblingWindowInSeconds": 30}},
            "not-made",
            Weight.REFUSED,
            "TumblingWindowInSeconds: the emulator does not serve it. Leave it out here",
        ),
        (
            {
                "Type": MAPPING,
                "Properties": {
                    "StartingPosition": "LATEST",
                    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}},
                },
            },
            "not-made",
            Weight.REFUSED,
            "DestinationConfig.OnFailure: nothing is told to s3 here. Give a queue or a topic",
        ),
        (
            sam(Events={"S": {"Type": "Kinesis", "Properties": {"TumblingWindowInSeconds": 1}}}),
            "not-made",
            Weight.REFUSED,
            "Events.S TumblingWindowInSeconds: the emulator does not serve it",
        ),
        (
            {"Type": "AWS::DynamoDB::Table", "Properties": {"KinesisStreamSpecification": {"StreamArn": "arn:s"}}},
            "not-made",
            Weight.REFUSED,
            "KinesisStreamSpecification: tables do not write to Kinesis here",
        ),
        ({"Type": "AWS::Nothing::Thing"}, "not-made", Weight.REFUSED, "does not know resources of this type"),
        ({"Type": "AWS::EC2::Instance"}, "not-made", Weight.REFUSED, "no machine would run"),
        ({"Type": "AWS::Serverless::Application"}, "not-made", Weight.REFUSED, "does not know"),
        ({"Type": "AWS::CloudWatch::Dashboard"}, "type-ignored", Weight.DIFFERS, "nothing shows dashboards"),
        (sam(Events={"S": {"Type": "MSK", "Properties": {}}}), "not-made", Weight.REFUSED, "Events.S of type MSK"),
        (function(Runtime="java21"), "runtime", Weight.REFUSED, "Runtime java21: functions of other languages"),
        (function(Runtime="nodejs14.x"), "runtime", Weight.REFUSED, "AWS creates no functions of it"),
        (function(Runtime="python3.11"), "runtime-fetched", Weight.DIFFERS, "uv fetches it"),
        (function(Runtime="nodejs24.x"), "runtime-fetched", Weight.DIFFERS, "no Node.js 24"),
        (function(PackageType="Image"), "image", Weight.REFUSED, "container images are not run"),
        (function(Architectures=["arm64"]), "architecture", Weight.DIFFERS, "this machine is x86_64"),
        (function(Layers=[LAYER]), "layer", Weight.REFUSED, '[layers] "arn:aws:lambda:eu-west-1:123456789012:layer:sh'),
        (function(VpcConfig={"SubnetIds": ["a"]}), "property-ignored", Weight.DIFFERS, "VpcConfig: functions are"),
        (function(FileSystemConfigs=[{"Arn": "a"}]), "property-ignored", Weight.DIFFERS, "no file system is mounted"),
    ],
)
def test_each_finding_says_what_why_and_what_to_do(
    resource: dict[str, Any], rule: str, weight: Weight, said: str
) -> None:
    (one,) = found(It=resource)

    assert (one.rule, one.weight) == (rule, weight)
    assert str(one).startswith(f"It ({resource['Type']})")
    assert said in str(one)
    assert one.remedy


def test_delivery_stream_to_a_bucket_of_the_template_is_none() -> None:
    """Whatever of it is not known before the deployment."""
    config = {
        "BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]},
        "RoleARN": {"Fn::GetAtt": ["Role", "Arn"]},
        "BufferingHints": {"IntervalInSeconds": "60", "SizeInMBs": {"Ref": "Size"}},
        "ProcessingConfiguration": {
            "Enabled": "true",
            "Processors": [
                {
                    "Type": "Lambda",
                    "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": {"Fn::GetAtt": ["Worker", "Arn"]}}],
                }
            ],
        },
    }

    assert [] == found(It={"Type": DELIVERY, "Properties": {"ExtendedS3DestinationConfiguration": config}})


def test_layer_that_the_project_file_tells_is_none() -> None:
    layers = {"arn:aws:lambda:*:123456789012:layer:shared:*": "requests"}

    assert [] == found(It=function(Layers=[LAYER]), layers=layers)


def test_python_that_nothing_brings_runs_on_another() -> None:
    machine = Machine(target=MACHINE.target, pythons=frozenset({"3.13"}), nodes=frozenset(), fetches=False)
    (one,) = found(It=function(Runtime="python3.11"), machine=machine)

    assert (one.rule, "runs on 3.13" in one.why) == ("runtime-differs", True)


@pytest.mark.parametrize(
    ("effect", "actions", "services"),
    [
        ("Allow", ["ses:SendEmail", "ses:SendRawEmail", "sqs:SendMessage", "states:StartExecution"], ["ses"]),
        ("Allow", "es:ESHttpPost", ["es"]),
        ("Allow", "*", []),
        ("Allow", ["xray:PutTraceSegments", "logs:PutLogEvents"], []),
        ("Deny", "ses:*", []),
    ],
)
def test_calls_of_services_that_are_not_there_are_said(effect: str, actions: Any, services: list[str]) -> None:
    """By the policies of roles, of their own, and of SAM's functions."""
    policy = {"Statement": [{"Effect": effect, "Action": actions, "Resource": "*"}]}
    places: list[dict[str, Any]] = [
        {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": policy}},
        {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyName": "p", "PolicyDocument": policy}]}},
        sam(Policies=["AWSLambdaExecute", policy]),
    ]
    for place in places:
        told = found(It=place)
        assert [f"the emulator does not serve {one}: such a call fails" for one in services] == [x.why for x in told]


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_modules_compiled_for_another_python_are_refused(tmp_path: Path, packed: bool) -> None:
    """For the declared one they are not; what lies in a virtual environment is not deployed."""
    name = "lib/fast.cpython-311-x86_64-linux-gnu.so"
    path = tmp_path / ("code.zip" if packed else "code")
    if packed:
        with zipfile.ZipFile(path, "w") as bundle:
            bundle.writestr(name, "")
    else:
        for folder in ("lib", ".venv/lib"):
            (path / folder).mkdir(parents=True)
        (path / name).touch()
        (path / ".venv" / "lib" / "slow.cpython-39-x86_64-linux-gnu.so").touch()

    (one,) = found(tmp_path / "t.json", It=sam(CodeUri=path.name))
    declared = found(tmp_path / "t.json", It=sam(CodeUri=path.name, Runtime="python3.11"))

    assert (one.rule, name in one.why) == ("compiled", True)
    assert ["runtime-fetched"] == [each.rule for each in declared]


def test_command_ends_by_what_it_finds(tmp_path: Path) -> None:
    """0 where all runs, 1 where something is refused, 3 where there is nothing to check."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("Resources:\n  Q:\n    Type: AWS::SQS::Queue\n  D:\n    Type: AWS::CloudWatch::Dashboard\n")
    bad.write_text("Resources:\n  Q:\n    Type: AWS::SQS::Queue\n  S:\n    Type: AWS::OpenSearchService::Domain\n")
    run = CliRunner().invoke
    refused, log = run(main, ["check", str(bad)]), run(main, ["check", str(bad), "--sarif"])
    (result,) = json.loads(log.output)["runs"][0]["results"]

    assert [0, 1, 1, 3] == [
        run(main, ["check", str(good)]).exit_code,
        run(main, ["check", str(good), "--strict"]).exit_code,
        refused.exit_code,
        run(main, ["check", str(tmp_path / "none.yaml")]).exit_code,
    ]
    assert "refused 4: S (AWS::OpenSearchService::Domain): the emulator does not serve opensearch" in refused.output
    assert (result["ruleId"], result["level"]) == ("not-made", "error")
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 4}
