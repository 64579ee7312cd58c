"""What EventBridge refuses of rules and targets. Pure: problems in AWS's words as far as they are known, or none.

Sources: API reference of PutRule, Target, RetryPolicy and DeadLetterConfig; "Using dead-letter queues to process
undelivered events in EventBridge" (standard queues only).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_NAME = re.compile(r"[\.\-_A-Za-z0-9]+")
_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_QUEUE = re.compile(r"arn:[^:]+:sqs:[^:]+:\d{12}:[^:]+")
_RETRY = (("MaximumRetryAttempts", 0, 185), ("MaximumEventAgeInSeconds", 60, 86_400))


def rule_problem(name: str) -> str | None:
    """EventBridge's text for a name that no rule may have; None where it may."""
    if _NAME.fullmatch(name):
        return None
    pattern = f"Member must satisfy regular expression pattern: {_NAME.pattern}"
    return f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: {pattern}"


def target_problem(targets: Iterable[Mapping[str, Any]]) -> str | None:
    """EventBridge's text for the first of the targets that cannot be one; None where all can."""
    return next((problem for number, target in enumerate(targets, 1) for problem in _problems(number, target)), None)


def _problems(number: int, target: Mapping[str, Any]) -> Iterator[str]:
    arn = target.get("Arn") or ""
    if not _ARN.fullmatch(arn):
        yield f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue and (not _QUEUE.fullmatch(queue) or queue.endswith(".fifo")):
        yield f"Parameter {queue} is not valid. Reason: A dead-letter queue is a standard SQS queue."
    policy = target.get("RetryPolicy") or {}
    for member, low, high in _RETRY:
        value = policy.get(member)
        if value is not None and not low <= value <= high:
            bound = f"less than or equal to {high}" if value > high else f"greater than or equal to {low}"
            at = f"targets.{number}.member.retryPolicy.{member[:1].lower()}{member[1:]}"
            constraint = f"failed to satisfy constraint: Member must have value {bound}"
            yield f"1 validation error detected: Value '{value}' at '{at}' {constraint}"
