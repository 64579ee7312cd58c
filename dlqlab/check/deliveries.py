"""Delivery streams of Firehose that do what the emulator does not."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dlqlab.check.finding import Finding, Weight
from dlqlab.emulator.firehose import settings
from dlqlab.templates.resources import UNKNOWN, Reference, Template

_SOME_ARN: Final = "arn:aws:some:us-east-1:000000000000:thing"
_DROPPED: Final = object()


def of_deliveries(template: Template) -> Iterator[Finding]:
    """A finding for each stream that is refused, by what the template tells of it."""
    for one in template.of("AWS::KinesisFirehose::DeliveryStream"):
        reason = settings.wrong(settings.typed(_told(one.properties)))
        if reason:
            why, _, remedy = reason.partition(": ")
            yield Finding(
                rule="not-made",
                weight=Weight.REFUSED,
                resource=one,
                what="",
                why=why.rstrip("."),
                remedy=remedy.rstrip(".").capitalize() or "Give what Firehose takes",
            )


def _told(value: Any, name: str = "") -> Any:
    """What is known: ARNs that are not stand for some, all else that is not is left out."""
    if value is UNKNOWN or isinstance(value, Reference):
        return _SOME_ARN if name.lower().endswith("arn") else _DROPPED
    if isinstance(value, Mapping):
        key = "LambdaArn" if value.get("ParameterName") == "LambdaArn" else ""
        told = {each: _told(inner, key or each) for each, inner in value.items()}
        return {each: inner for each, inner in told.items() if inner is not _DROPPED}
    if isinstance(value, list):
        return [told for inner in value if (told := _told(inner)) is not _DROPPED]
    return value
