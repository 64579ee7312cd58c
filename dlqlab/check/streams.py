"""Streams of tables and of Kinesis: mappings with settings that are not served, and tables that write to Kinesis."""

from collections.abc import Iterator, Mapping
from typing import Final

from dlqlab.check.finding import Finding, Weight
from dlqlab.emulator.mappings.stream_validation import SERVED_DESTINATIONS, UNSERVED
from dlqlab.templates.pipeline import MAPPING, events
from dlqlab.templates.resources import Reference, Resource, Template

_TABLES: Final = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")


def of_streams(template: Template) -> Iterator[Finding]:
    """A finding for each setting that fails its deployment."""
    for one in template.of(MAPPING):
        if one.at("StartingPosition") is not None:  # of streams alone
            yield from _of_mapping(template, one, one, "")
    for function, event in events(template, "Kinesis", "DynamoDB"):
        yield from _of_mapping(template, function, event, f"Events.{event.logical_id.rpartition('.')[2]} ")
    for table in template.of(*_TABLES):
        if table.at("KinesisStreamSpecification"):
            why = "tables do not write to Kinesis here"
            yield _refused(table, "KinesisStreamSpecification", why, "Read the table's own stream: StreamSpecification")


def _of_mapping(template: Template, resource: Resource, declared: Resource, where: str) -> Iterator[Finding]:
    for name in UNSERVED:
        if declared.at(name):
            yield _refused(resource, f"{where}{name}", "the emulator does not serve it", "Leave it out here")
    target = declared.at("DestinationConfig", "OnFailure", "Destination")
    service = _service(template, target)
    if service is not None and service not in SERVED_DESTINATIONS:
        what = f"{where}DestinationConfig.OnFailure"
        yield _refused(resource, what, f"nothing is told to {service} here", "Give a queue or a topic")


def _service(template: Template, target: object) -> str | None:
    """The service of an ARN, or of the resource that it is of; None where that is not known."""
    if isinstance(target, Reference):
        types: Mapping[str, str] = {one.logical_id: one.type for one in template.resources}
        return types.get(target.logical_id, "::").split("::")[1].lower() or None
    parts = target.split(":") if isinstance(target, str) else []
    return parts[2] if len(parts) > 2 else None  # noqa: PLR2004  (the service's place in an ARN)


def _refused(one: Resource, what: str, why: str, remedy: str) -> Finding:
    return Finding(rule="not-made", weight=Weight.REFUSED, resource=one, what=what, why=why, remedy=remedy)
