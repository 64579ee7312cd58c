"""Which resources of a template are refused, and why."""

import pytest

from dlqlab.emulator.cloudformation import support
from dlqlab.emulator.cloudformation.support import Refusal


@pytest.mark.parametrize(
    ("resource_type", "service"),
    [
        ("AWS::SQS::Queue", "sqs"),
        ("AWS::KinesisFirehose::DeliveryStream", "firehose"),
        ("AWS::CloudFormation::Stack", None),
        ("AWS::CDK::Metadata", None),
        ("Custom::Anything", None),
    ],
)
def test_service_of_a_type(resource_type: str, service: str | None) -> None:
    """Most namespaces are called as their service is; some have none that is served."""
    assert service == support.service_of(resource_type)


@pytest.mark.parametrize(
    ("resource_type", "is_known", "reason"),
    [
        ("AWS::SQS::Queue", True, None),
        ("AWS::ECR::Repository", True, None),
        ("AWS::SQS::Thing", False, "the emulator does not know resources of this type"),
        ("AWS::OpenSearchService::Domain", True, "the emulator does not serve opensearch"),
        ("AWS::EC2::Instance", True, "the emulator does not make it: no machine would run"),
    ],
)
def test_reason(resource_type: str, is_known: bool, reason: str | None) -> None:
    """A type that is unknown, of a service that is not served, or that would only seem to be made."""
    served = {"sqs", "ec2"}

    assert reason == support.why_not(resource_type, is_known=is_known, is_enabled=served.__contains__)


def test_summary_names_each_resource_and_the_remedy() -> None:
    """One sentence for the reason of a stack."""
    text = support.summary([Refusal("A", "AWS::X::Y", "no one makes it"), Refusal("B", "AWS::X::Z", "nor this")])

    assert "A (AWS::X::Y): no one makes it; B (AWS::X::Z): nor this" in text
    assert "--allow-pretended" in text


@pytest.mark.parametrize(
    ("resource_type", "before", "after", "expected"),
    [
        ("AWS::DynamoDB::Table", {"A": 1, "B": True, "Arn": "x"}, {"A": "1", "B": "true", "Tags": []}, []),
        ("AWS::DynamoDB::Table", {"A": [{"N": 1}]}, {"A": [{"N": 2}], "C": "new"}, ["A", "C"]),
        ("AWS::SNS::TopicPolicy", {"A": 1}, {"A": 2}, []),
        ("AWS::IAM::ManagedPolicy", {"A": 1}, {"A": 2}, []),
    ],
)
def test_changes_with_an_effect(
    resource_type: str, before: dict[str, object], after: dict[str, object], expected: list[str]
) -> None:
    """Not how a value is written, nor tags, nor policies."""
    assert expected == support.changed(resource_type, before, after)


def test_what_is_taken_away_is_a_change() -> None:
    """Of what can be written; what a resource knows of itself, and its generated name, were never in the template."""
    schema = {
        "properties": {name: {} for name in ("Name", "Arn", "Mode", "Rules", "Tags", "Kept")},
        "readOnlyProperties": ["/properties/Arn"],
        "createOnlyProperties": ["/properties/Name"],
    }
    before = {"Name": "n", "Arn": "a", "Mode": "m", "Rules": [], "Tags": [1], "Kept": 1, "Computed": 2}

    assert ["Mode"] == support.removed("AWS::X::Y", before, {"Kept": 1}, schema)
