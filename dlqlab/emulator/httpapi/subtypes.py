"""Integrations of HTTP APIs with services of AWS: what each needs, and the request that it becomes. Pure.

Source: "Integration subtype reference" of the API Gateway developer guide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dlqlab.emulator.httpapi import mapping


class SubtypeError(ValueError):
    """No such integration can be, or a request lacks something for it; the text says why."""


@dataclass(frozen=True, slots=True)
class Subtype:
    """An operation of a service, with its parameters; those of ``parsed`` are written as JSON."""

    service: str
    operation: str
    required: frozenset[str]
    optional: frozenset[str]
    target: str | None = None
    """Header ``X-Amz-Target`` of the JSON protocol; None with the query protocol of SQS."""
    parsed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request to a service, without its signature."""

    service: str
    region: str | None
    """None: the API's own."""
    headers: Mapping[str, str]
    body: bytes


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUBTYPES: Mapping[str, Subtype] = {
    "SQS-SendMessage": Subtype(
        "sqs",
        "SendMessage",
        _words("QueueUrl MessageBody"),
        _words("DelaySeconds MessageAttributes MessageDeduplicationId MessageGroupId MessageSystemAttributes Region"),
        parsed=_words("MessageAttributes MessageSystemAttributes"),
    ),
    "SQS-ReceiveMessage": Subtype(
        "sqs",
        "ReceiveMessage",
        _words("QueueUrl"),
        _words(
            "AttributeNames MaxNumberOfMessages MessageAttributeNames ReceiveRequestAttemptId Region "
            "VisibilityTimeout WaitTimeSeconds"
        ),
        parsed=_words("AttributeNames MessageAttributeNames"),
    ),
    "SQS-DeleteMessage": Subtype("sqs", "DeleteMessage", _words("QueueUrl ReceiptHandle"), _words("Region")),
    "SQS-PurgeQueue": Subtype("sqs", "PurgeQueue", _words("QueueUrl"), _words("Region")),
    "EventBridge-PutEvents": Subtype(
        "events",
        "PutEvents",
        _words("Detail DetailType Source"),
        _words("Time EventBusName Resources Region TraceHeader"),
        "AWSEvents.PutEvents",
        _words("Resources"),
    ),
    "StepFunctions-StartExecution": Subtype(
        "states",
        "StartExecution",
        _words("StateMachineArn"),
        _words("Name Input Region"),
        "AWSStepFunctions.StartExecution",
    ),
}


def check(name: str, parameters: Mapping[str, str]) -> None:
    """Raises:
    SubtypeError: the subtype is not known, or its parameters are not those that it takes.
    """
    subtype = SUBTYPES.get(name)
    if subtype is None:
        raise SubtypeError(f"IntegrationSubtype {name} is none that the emulator serves: {', '.join(SUBTYPES)}")
    if missing := sorted(subtype.required - parameters.keys()):
        raise SubtypeError(f"RequestParameters of {name} lack {', '.join(missing)}")
    if unknown := sorted(parameters.keys() - subtype.required - subtype.optional):
        raise SubtypeError(f"RequestParameters of {name} have {', '.join(unknown)}, which it does not take")
    for value in parameters.values():
        mapping.check_value(value)


def request(name: str, parameters: Mapping[str, str], find: mapping.Find) -> ServiceRequest:
    """The request to the service.

    Raises:
        SubtypeError: a parameter that is needed has no value, or one that is written as JSON is none.
    """
    subtype = SUBTYPES[name]
    found = {key: mapping.value_of(value, find) for key, value in parameters.items()}
    values: dict[str, Any] = {key: value for key, value in found.items() if value is not None and key != "Region"}
    if missing := sorted(subtype.required - values.keys()):
        raise SubtypeError(f"{name} has no value for {', '.join(missing)}")
    for key in subtype.parsed & values.keys():
        try:
            values[key] = json.loads(values[key])
        except ValueError as error:
            raise SubtypeError(f"{key} of {name} is not JSON: {values[key]}") from error
    region = found.get("Region")
    if subtype.target is None:
        form = {"Action": subtype.operation, "Version": "2012-11-05", **_form(values)}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return ServiceRequest(subtype.service, region, headers, urlencode(form).encode())
    body = {"Entries": [values]} if subtype.service == "events" else _lower(values)
    if subtype.service == "events" and str(values.get("Time", "")).isdecimal():
        values["Time"] = int(values["Time"])
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": subtype.target}
    if subtype.service == "states":
        headers["Content-Type"] = "application/x-amz-json-1.0"
    return ServiceRequest(subtype.service, region, headers, json.dumps(body).encode())


def _lower(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{key[0].lower()}{key[1:]}": value for key, value in values.items()}


_SINGULAR = {
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "AttributeNames": "AttributeName",
    "MessageAttributeNames": "MessageAttributeName",
}


def _form(values: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the query protocol."""
    form: dict[str, str] = {}
    for key, value in values.items():
        name = _SINGULAR.get(key, key)
        if isinstance(value, dict):
            for number, (attribute, parts) in enumerate(value.items(), 1):
                form[f"{name}.{number}.Name"] = attribute
                for part, text in (parts if isinstance(parts, dict) else {}).items():
                    form[f"{name}.{number}.Value.{part}"] = str(text)
        elif isinstance(value, list):
            form |= {f"{name}.{number}": str(text) for number, text in enumerate(value, 1)}
        else:
            form[key] = str(value)
    return form
