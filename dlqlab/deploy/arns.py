"""What an ARN says."""

_PARTS = 6
"""Of an ARN, before what may follow the name."""


def name_of(arn: str) -> str:
    """The last part of an ARN: the name of a queue, topic or rule, of a function without its version."""
    parts = arn.split(":")
    if len(parts) > _PARTS and parts[2] == "lambda":
        return parts[_PARTS]
    return parts[-1].rpartition("/")[2]


def service_of(arn: str) -> str:
    """``sqs``, ``lambda``, ``sns`` ...; empty where it is no ARN."""
    parts = arn.split(":")
    return parts[2] if len(parts) >= _PARTS else ""
