"""Resources and sources of events that the emulator does not make."""

import functools
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Final

from dlqlab.check.finding import Finding, Weight
from dlqlab.emulator.cloudformation import support
from dlqlab.emulator.settings import SERVICES
from dlqlab.templates.pipeline import events
from dlqlab.templates.resources import Resource, Template

_PROVIDERS: Final = "localstack.cloudformation.resource_providers"
_OWN: Final = frozenset(
    {
        "aws::apigatewayv2::api",
        "aws::apigatewayv2::authorizer",
        "aws::apigatewayv2::deployment",
        "aws::apigatewayv2::integration",
        "aws::apigatewayv2::route",
        "aws::apigatewayv2::stage",
        "aws::cloudformation::customresource",
        "aws::pipes::pipe",
    }
)
"""Types that are made by the emulator's own services."""
_SAM: Final[Mapping[str, str]] = {
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::Connector": "AWS::IAM::ManagedPolicy",
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::LayerVersion": "AWS::Lambda::LayerVersion",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
}
"""What SAM makes of its types in the first place ("Generated CloudFormation resources" of its guide)."""
_EVENTS: Final[Mapping[str, str]] = {
    "Api": "apigateway",
    "CloudWatchEvent": "events",
    "CloudWatchLogs": "logs",
    "DynamoDB": "dynamodbstreams",
    "EventBridgeRule": "events",
    "HttpApi": "apigatewayv2",
    "S3": "s3",
    "SNS": "sns",
    "SQS": "sqs",
    "Schedule": "events",
    "ScheduleV2": "scheduler",
    "AlexaSkill": "alexa",
    "Cognito": "cognito-idp",
    "DocumentDB": "docdb",
    "IoTRule": "iot",
    "Kinesis": "kinesis",
    "MQ": "mq",
    "MSK": "kafka",
    "SelfManagedKafka": "kafka",
}
"""The service behind each type of event ("EventSource" of SAM's guide)."""
_REMEDY: Final = "Leave it out of what you deploy here, by a condition or a stage"


@functools.cache
def _known() -> frozenset[str]:
    """The types that have a provider, in lower case; they are read from the packages' metadata, nothing is loaded."""
    return frozenset(one.name for one in entry_points(group=_PROVIDERS)) | _OWN


def why_not(resource_type: str) -> str | None:
    """Why a resource of this type cannot be made; None where it can."""
    if resource_type.startswith("Custom::") or resource_type in support.IGNORED:
        return None
    made_of = _SAM.get(resource_type, resource_type)
    is_known = made_of.lower() in _known()
    return support.why_not(made_of, is_known=is_known, is_enabled=lambda service: service in SERVICES)


def of_types(template: Template) -> Iterator[Finding]:
    """A finding for each resource that is not made; types of Terraform that CloudFormation does not name are passed."""
    for one in template.resources:
        if "::" not in one.type:
            yield from _terraform(one)
        elif reason := why_not(one.type):
            yield _refused(one, "", reason)
        elif reason := support.IGNORED.get(one.type):
            yield Finding(
                rule="type-ignored",
                weight=Weight.DIFFERS,
                resource=one,
                what="",
                why=f"it is made in name: {reason}",
                remedy="Nothing has to be done",
            )


def of_events(template: Template) -> Iterator[Finding]:
    """A finding for each event of a SAM function whose service is not there."""
    for function, event in events(template):
        service = _EVENTS.get(event.type)
        if service is None or service not in SERVICES:
            reason = f"the emulator does not serve {service}" if service else "SAM has no events of this type"
            yield _refused(function, f"Events.{event.logical_id.rpartition('.')[2]} of type {event.type}", reason)


_TERRAFORM: Final[Mapping[str, str]] = {
    "api_gateway": "apigateway",
    "apigatewayv2": "apigatewayv2",
    "batch": "batch",
    "cognito": "cognito-idp",
    "db": "rds",
    "ecs": "ecs",
    "eks": "eks",
    "elasticache": "elasticache",
    "kinesis": "kinesis",
    "kinesis_analytics": "kinesisanalytics",
    "kinesis_video": "kinesisvideo",
    "mq": "mq",
    "msk": "kafka",
    "opensearch": "opensearch",
    "pipes": "pipes",
    "rds": "rds",
    "scheduler": "scheduler",
    "ses": "ses",
    "sesv2": "sesv2",
    "sfn": "stepfunctions",
}
"""The service behind the first words of a type of Terraform's provider of AWS; others are not judged."""


def _terraform(one: Resource) -> Iterator[Finding]:
    words = one.type.removeprefix("aws_").split("_")
    names = ["_".join(words[:2]), words[0]]
    service = next((_TERRAFORM[name] for name in names if name in _TERRAFORM), None)
    if one.type.startswith("aws_") and service and service not in SERVICES:
        yield _refused(one, "", f"the emulator does not serve {service}")


def _refused(one: Resource, what: str, reason: str) -> Finding:
    return Finding(rule="not-made", weight=Weight.REFUSED, resource=one, what=what, why=reason, remedy=_REMEDY)
