"""Which types of resources of a template the emulator can make, and what to do about the others. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_SERVICES: Mapping[str, str] = {
    "CertificateManager": "acm",
    "Elasticsearch": "es",
    "KinesisFirehose": "firehose",
    "OpenSearchService": "opensearch",
    "ResourceGroups": "resource-groups",
}
"""Namespaces of CloudFormation that are not called as their service is."""
_NO_SERVICE = frozenset({"CDK", "CloudFormation", "Serverless"})

CUSTOM = "AWS::CloudFormation::CustomResource"
NOT_MADE: Mapping[str, str] = {
    "AWS::EC2::Instance": "no machine would run",
    "AWS::EC2::NatGateway": "no traffic would go through it",
}
"""Types that LocalStack reports as made although nothing of them works."""

IGNORED: Mapping[str, str] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "capacity is never exceeded here, so that nothing has to scale",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "capacity is never exceeded here, so that nothing has to scale",
    "AWS::CloudWatch::Dashboard": "nothing shows dashboards",
    "AWS::Logs::QueryDefinition": "nothing lists saved queries",
    "AWS::ServiceCatalogAppRegistry::Application": "applications only group resources",
    "AWS::ServiceCatalogAppRegistry::ResourceAssociation": "applications only group resources",
    "AWS::SNS::TopicInlinePolicy": "policies are not enforced",
    "AWS::XRay::Group": "traces are not grouped",
    "AWS::XRay::SamplingRule": "every request is traced",
}
"""Types without an effect on what happens to a message: made in name, with the reason in the stack's events."""


_KEPT = frozenset({"AWS::ECR::Repository"})
"""Types that are kept in name although their service is not served: ``cdk bootstrap`` makes them for images that no
function uses, since functions of images are refused."""


_WITHOUT_EFFECT = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::Events::EventBusPolicy",
        "AWS::Lambda::CodeSigningConfig",
        "AWS::Lambda::LayerVersionPermission",
        "AWS::S3::BucketPolicy",
        "AWS::SecretsManager::ResourcePolicy",
        "AWS::SNS::TopicPolicy",
    }
)
_PROPERTIES_WITHOUT_EFFECT = frozenset({"Description", "KmsKeyArn", "KmsKeyId", "Tags"})
"""What of an update may be left out: policies are not enforced, nothing reads tags."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource that the emulator cannot make."""

    logical_id: str
    resource_type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}): {self.reason}"


REMEDY = (
    "Leave it out of what you deploy here, by a condition or a stage, or start the emulator with --allow-pretended "
    "(DLQLAB_PRETENDED=allowed), which reports it as made and makes nothing."
)


def service_of(resource_type: str) -> str | None:
    """The service that a type belongs to, by its name among AWS's APIs; None for types of no service of their own."""
    namespace = resource_type.split("::")[1] if resource_type.startswith("AWS::") else ""
    if not namespace or namespace in _NO_SERVICE:
        return None
    return _SERVICES.get(namespace, namespace.lower())


def why_not(resource_type: str, *, is_known: bool, is_enabled: Callable[[str], bool]) -> str | None:
    """Why a resource of this type cannot be made; None where it can.

    Args:
        is_known: whether there is a provider for the type.
        is_enabled: whether the emulator serves a service, by its name.
    """
    service = service_of(resource_type)
    if reason := NOT_MADE.get(resource_type):
        return f"the emulator does not make it: {reason}"
    if not is_known:
        return "the emulator does not know resources of this type"
    if service is not None and resource_type not in _KEPT and not is_enabled(service):
        return f"the emulator does not serve {service}"
    return None


def summary(refusals: list[Refusal]) -> str:
    """One sentence for all, for the reason of a change set or a stack."""
    return f"Not deployed, because the emulator cannot make {'; '.join(map(str, refusals))}. {REMEDY}"


def changed(resource_type: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The properties with which an update would change what happens here; none for types of no effect."""
    if resource_type in _WITHOUT_EFFECT or service_of(resource_type) in {"iam", "kms", "ec2", "ecr"}:
        return []
    return sorted(
        name
        for name, value in after.items()
        if name not in _PROPERTIES_WITHOUT_EFFECT and plain(before.get(name)) != plain(value)
    )


def removed(
    resource_type: str, before: Mapping[str, Any], after: Mapping[str, Any], schema: Mapping[str, Any]
) -> list[str]:
    """The properties that an update takes away: writable ones, since what a resource knows of itself is no change."""
    own = {
        str(path).removeprefix("/properties/")
        for kind in ("readOnlyProperties", "createOnlyProperties")
        for path in schema.get(kind, ())
    }
    writable = schema.get("properties", {}).keys() - own - after.keys()
    return changed(resource_type, {}, {name: before[name] for name in writable & before.keys() if before[name]})


def no_update(resource_type: str, names: list[str]) -> str:
    """Why an update fails."""
    return (
        f"The emulator cannot update {', '.join(names)} of {resource_type}. Delete the stack and deploy it anew, or "
        "start the emulator with --allow-pretended (DLQLAB_PRETENDED=allowed), which leaves the resource as it was."
    )


def is_custom(resource_type: str) -> bool:
    """Whether a function or topic of the stack's owner makes resources of this type."""
    return resource_type == CUSTOM or resource_type.startswith("Custom::")


def is_in_name(resource_type: str) -> bool:
    """Whether nothing but the name of such a resource is made here."""
    return resource_type in IGNORED or resource_type in _KEPT


def no_attribute(logical_id: str, resource_type: str, name: str) -> str:
    """Why Fn::GetAtt fails; of custom resources as AWS begins it."""
    if is_custom(resource_type):
        return f"CustomResource attribute error: Vendor response doesn't contain {name} key in object {logical_id}"
    return (
        f"Fn::GetAtt: {logical_id} ({resource_type}) has no attribute {name} here. Leave out what asks for it, by a "
        "condition or a stage, or start the emulator with --allow-pretended (DLQLAB_PRETENDED=allowed), which puts "
        "the text unknown in its place."
    )


def plain(value: Any) -> Any:
    """A value to be compared with another: templates write numbers and booleans as texts or not, as they like."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value
