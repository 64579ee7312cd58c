"""What SQS refuses of a queue's attributes, and of the policies that tie a queue to its dead-letter queue.

Sources: CreateQueue and SetQueueAttributes (API reference).
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.sqs.refusals import RefusedError, invalid_value

RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
"""Whole numbers with both bounds."""
CHOICES = {
    "ContentBasedDeduplication": {"true", "false"},
    "DeduplicationScope": {"messageGroup", "queue"},
    "FifoThroughputLimit": {"perQueue", "perMessageGroupId"},
    "SqsManagedSseEnabled": {"true", "false"},
}
TEXTS = {"FifoQueue", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy"}
SETTABLE = RANGES.keys() | CHOICES.keys() | TEXTS
RECEIVES_MAX = 1_000
SOURCES_MAX = 10
_POLICY_NAMES = ("deadLetterTargetArn", "maxReceiveCount")
_PERMISSIONS = {"allowAll", "denyAll", "byQueue"}
_NO_MAP = "Redrive policy is not a valid JSON map."
_NO_ALLOW_POLICY = "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a queue is. ``is_fifo`` by its kind; ``allow_policy`` is its RedriveAllowPolicy, empty without one."""

    arn: str
    is_fifo: bool
    allow_policy: str = ""


Find = Callable[[str], Place | None]
"""The queue of an ARN; None where there is none."""


def check_values(attributes: Mapping[str, str]) -> None:
    """Names and plain values of a queue's attributes.

    Raises:
        RefusedError: of the first one that is wrong.
    """
    for name, value in attributes.items():
        if name not in SETTABLE:
            raise RefusedError("InvalidAttributeName", f"Unknown Attribute {name}.")
        text = str(value)
        if name in RANGES:
            low, high = RANGES[name]
            good = text.isascii() and text.isdecimal() and low <= int(text) <= high
        else:
            good = name not in CHOICES or text.lower() in {choice.lower() for choice in CHOICES[name]}
        if not good:
            raise RefusedError("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def check_throughput(attributes: Mapping[str, str]) -> None:
    """The attributes of a FIFO queue for high throughput, together: what it has and what it is given.

    Raises:
        RefusedError: the limit is perMessageGroupId, and the scope of deduplication is the whole queue.
    """
    limit, scope = attributes.get("FifoThroughputLimit"), attributes.get("DeduplicationScope")
    if limit == "perMessageGroupId" and scope != "messageGroup":
        reason = "perMessageGroupId is allowed only when DeduplicationScope is messageGroup."
        raise RefusedError(
            "InvalidAttributeValue", f"Invalid value for the parameter FifoThroughputLimit. Reason: {reason}"
        )


def check_policies(attributes: Mapping[str, str], own: Place, find: Find) -> None:
    """RedrivePolicy and RedriveAllowPolicy; an empty one takes the policy away.

    Raises:
        RefusedError: SQS refuses one of them for this queue.
    """
    if allow := attributes.get("RedriveAllowPolicy"):
        _check_allow_policy(allow)
    if policy := attributes.get("RedrivePolicy"):
        _check_redrive_policy(policy, own, find)


def _check_redrive_policy(text: str, own: Place, find: Find) -> None:
    policy = _map(text)
    if policy is None:
        raise RefusedError("InvalidParameterValue", f"Invalid value for the parameter RedrivePolicy. Reason: {_NO_MAP}")
    reason = _wrong_policy(policy) or _wrong_target(str(policy["deadLetterTargetArn"]), own, find)
    if reason:
        raise invalid_value(text, "RedrivePolicy", reason)


def _wrong_policy(policy: Mapping[str, Any]) -> str:
    """What is wrong with a RedrivePolicy by itself; empty if nothing is."""
    for name in _POLICY_NAMES:
        if policy.get(name) is None or policy[name] == "":
            return f"Redrive policy does not contain mandatory attribute: {name}."
    if policy.keys() - set(_POLICY_NAMES):
        return f"Only following attributes are supported: [{', '.join(_POLICY_NAMES)}]."
    receives = str(policy["maxReceiveCount"])
    if not (receives.isascii() and receives.isdecimal() and 1 <= int(receives) <= RECEIVES_MAX):
        valid = f"valid values are from 1 to {RECEIVES_MAX} both inclusive."
        return f"Invalid value for maxReceiveCount: {receives}, {valid}"
    return ""


def _wrong_target(arn: str, own: Place, find: Find) -> str:
    """Why this queue is not a dead-letter queue for that one; empty if it is."""
    if arn.count(":") != own.arn.count(":"):
        return "Dead-letter target ARN should be fully qualified ARN."
    if arn.rpartition(":")[0] != own.arn.rpartition(":")[0]:
        return "Dead-letter target owner should be same as the source."
    target = own if arn == own.arn else find(arn)
    if target is None:
        return "Dead letter target does not exist."
    if target.is_fifo != own.is_fifo:
        return "Dead-letter queue must be same type of queue as the source."
    if not is_allowed(target.allow_policy, own.arn):
        return "The dead-letter queue's RedriveAllowPolicy does not permit this source queue."
    return ""


def is_allowed(allow_policy: str, source_arn: str) -> bool:
    """Whether a dead-letter queue with this RedriveAllowPolicy may be named by that queue."""
    policy = (allow_policy and _map(allow_policy)) or {}
    permission = policy.get("redrivePermission", "allowAll")
    if permission == "byQueue":
        return source_arn in policy.get("sourceQueueArns", [])
    return bool(permission != "denyAll")


def _check_allow_policy(text: str) -> None:
    policy = _map(text)
    arns = (policy or {}).get("sourceQueueArns", [])
    if (
        policy is None
        or policy.get("redrivePermission") not in _PERMISSIONS
        or policy.keys() - {"redrivePermission", "sourceQueueArns"}
        or not isinstance(arns, list)
        or not all(isinstance(arn, str) for arn in arns)
    ):
        raise RefusedError(
            "InvalidParameterValue", f"Invalid value for the parameter RedriveAllowPolicy. Reason: {_NO_ALLOW_POLICY}"
        )

    def refused(reason: str) -> RefusedError:
        cannot = "Amazon SQS can't create the redrive allow policy."
        return invalid_value(text, "RedriveAllowPolicy", f"{cannot} {reason}")

    by_queue = policy["redrivePermission"] == "byQueue"
    if by_queue and not arns:
        raise refused(
            "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."
        )
    if arns and not by_queue:
        raise refused("To specify one or more source queue ARNs, you must set redrivePermission to byQueue.")
    if len(arns) > SOURCES_MAX:
        raise refused(f"The maximum number of source queue ARNs you can specify is {SOURCES_MAX}.")


def _map(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def check_names(names: Collection[str], known: Collection[str]) -> None:
    """Raises:
    RefusedError: an attribute is asked for that does not exist.
    """
    for name in names:
        if name not in known:
            raise RefusedError("InvalidAttributeName", f"Unknown Attribute {name}.")
