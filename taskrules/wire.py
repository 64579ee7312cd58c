"""DynamoDB's JSON: plain values to attribute values and back.

Hand-made, because botocore's own serialiser goes through Decimal for each number and the functions' CPU time is what
limits a laptop. Knows what the tables hold: text, numbers, booleans, lists and maps. Numbers come back as float.
"""

from collections.abc import Mapping
from typing import Any


def to_wire(value: Any) -> dict[str, Any]:
    """An attribute value.

    Raises:
        TypeError: the tables hold no such values.
    """
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, float):
        return {"N": f"{value:.6f}"}  # microseconds: an epoch time has 16 digits, DynamoDB keeps 38
    if isinstance(value, Mapping):
        return {"M": to_item(value)}
    if isinstance(value, list | tuple):
        return {"L": [to_wire(item) for item in value]}
    raise TypeError(f"no attribute value for {value!r}")


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """A map of attribute values; what is None is left out."""
    return {name: to_wire(value) for name, value in values.items() if value is not None}


def from_wire(attribute: Mapping[str, Any]) -> Any:
    """The plain value of an attribute value."""
    kind, value = next(iter(attribute.items()))
    if kind == "N":
        return float(value)
    if kind == "M":
        return from_item(value)
    if kind == "L":
        return [from_wire(item) for item in value]
    return value


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of an item."""
    return {name: from_wire(attribute) for name, attribute in item.items()}
