"""What a schedule hands over, and what becomes of it when its target does not take it. Pure.

Source: "Adding context attributes in EventBridge Scheduler", "Using universal targets in EventBridge Scheduler",
"Configuring a schedule's dead-letter queue in EventBridge Scheduler".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNIVERSAL = re.compile(r"arn:aws[\w-]*:scheduler:::aws-sdk:([\w-]+):(\w+)")
TEMPLATED = frozenset({"events", "lambda", "sns", "sqs", "states"})
_SERVICES = {"cloudwatchlogs": "logs", "eventbridge": "events", "sfn": "stepfunctions"}
"""Universal targets by the names of AWS's SDK for Java, where those are not botocore's."""
BACKOFF_MAX_S = 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """One invocation of a target, with what its input may refer to."""

    schedule_arn: str
    scheduled: datetime
    execution_id: str
    number: int

    def fill(self, text: str) -> str:
        """The input with the context attributes in it replaced."""
        for name, value in (
            ("schedule-arn", self.schedule_arn),
            ("scheduled-time", stamp(self.scheduled)),
            ("execution-id", self.execution_id),
            ("attempt-number", str(self.number)),
        ):
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return text


def stamp(moment: datetime) -> str:
    """In UTC, by the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def why_not(arn: str, served: tuple[str, ...]) -> str | None:
    """Why a target cannot be called; None where it can.

    Args:
        served: the emulator's services.
    """
    if found := UNIVERSAL.fullmatch(arn):
        service = service_of(found[1])
        return None if service in served else f"the emulator does not serve {service}"
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""  # noqa: PLR2004  (the parts of an ARN)
    if service in TEMPLATED:
        return None
    return "the emulator's schedules call SQS, Lambda, SNS, EventBridge, Step Functions and arn:aws:scheduler:::aws-sdk"


def service_of(name: str) -> str:
    """The service of a universal target, by botocore's name."""
    return _SERVICES.get(name, name)


def event_of(schedule_arn: str, account: str, region: str, attempt: Attempt) -> str:
    """What a target gets that has no Input."""
    return json.dumps(
        {
            "version": "0",
            "id": attempt.execution_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": stamp(attempt.scheduled),
            "region": region,
            "resources": [schedule_arn],
            "detail": "{}",
        }
    )


def backoff_s(retry: int) -> float:
    """How long to wait before a retry, from 1 on. AWS says "exponential backoff" and no more; the numbers are ours."""
    return float(min(2 ** (retry - 1), BACKOFF_MAX_S))


def dead_letter(attempt: Attempt, *, target_arn: str, code: str, message: str, is_exhausted: str) -> dict[str, Any]:
    """The message attributes of a dead letter.

    Args:
        code: the error of the target, by the target's own name for it.
        is_exhausted: the limit of the retry policy that ended it; empty where no retry could help.
    """
    texts: Mapping[str, str] = {
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
        "EXECUTION_ID": attempt.execution_id,
        "EXHAUSTED_RETRY_CONDITION": is_exhausted,
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(attempt.number - 1),
        "SCHEDULED_TIME": stamp(attempt.scheduled),
        "SCHEDULE_ARN": attempt.schedule_arn,
        "TARGET_ARN": target_arn,
    }
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}
