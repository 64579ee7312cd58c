"""What CloudFormation sends to the provider of a custom resource, and what it takes back. Pure.

Source: "Custom resource request objects", "Custom resource response objects".
"""

import json
from collections.abc import Mapping
from typing import Any

RESPONSE_BYTES_MAX = 4096
TIMEOUT_DEFAULT_S = 3600
TIMEOUT_MAX_S = 3600


class ResponseError(ValueError):
    """The provider answered with something that is no response."""


def as_sent(value: Any) -> Any:
    """Properties as they arrive: every number and boolean is a string."""
    if isinstance(value, Mapping):
        return {name: as_sent(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_sent(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) or value is None else str(value)


def timeout_s(properties: Mapping[str, Any]) -> int:
    """How long to wait for the response, by the property ServiceTimeout.

    Raises:
        ValueError: it is no whole number from 1 to 3600.
    """
    given = str(properties.get("ServiceTimeout", TIMEOUT_DEFAULT_S))
    if not given.isdecimal() or not 1 <= int(given) <= TIMEOUT_MAX_S:
        raise ValueError(f"ServiceTimeout is {given}: give whole seconds from 1 to {TIMEOUT_MAX_S}")
    return int(given)


def parse_response(body: bytes) -> dict[str, Any]:
    """The response that a provider put to its ResponseURL; ``Status``, and on success ``PhysicalResourceId``.

    Raises:
        ResponseError: it is too large, no JSON object, or lacks something; the texts are ours, AWS's are not published
            but for the size.
    """
    if len(body) > RESPONSE_BYTES_MAX:
        raise ResponseError("Response object is too long.")
    try:
        given = json.loads(body)
    except ValueError as error:
        raise ResponseError(f"Invalid response: no JSON ({error})") from error
    if not isinstance(given, dict) or given.get("Status") not in {"SUCCESS", "FAILED"}:
        raise ResponseError("Invalid response: Status is neither SUCCESS nor FAILED")
    if given["Status"] == "SUCCESS" and not isinstance(given.get("PhysicalResourceId"), str):
        raise ResponseError("Invalid PhysicalResourceId")
    if not isinstance(given.get("Data") or {}, dict):
        raise ResponseError("Invalid response: Data is no object")
    return given
