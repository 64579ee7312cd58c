"""What schedules hand over."""

from datetime import UTC, datetime

import pytest

from dlqlab.emulator.schedules import payloads
from dlqlab.emulator.schedules.payloads import Attempt

ATTEMPT = Attempt("arn:s", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "e1", 3)


def test_context_attributes_are_filled_in() -> None:
    """Wherever they stand in the input."""
    text = '{"a": "<aws.scheduler.schedule-arn> <aws.scheduler.attempt-number>", "b": "<aws.scheduler.scheduled-time>"}'

    assert '{"a": "arn:s 3", "b": "2026-01-02T03:04:05Z"}' == ATTEMPT.fill(text)


@pytest.mark.parametrize(
    ("arn", "is_callable"),
    [
        ("arn:aws:sqs:us-east-1:000000000000:q", True),
        ("arn:aws:scheduler:::aws-sdk:sfn:startExecution", True),
        ("arn:aws:scheduler:::aws-sdk:glue:startJobRun", False),
        ("arn:aws:ecs:us-east-1:000000000000:cluster/c", False),
        ("nonsense", False),
    ],
)
def test_target_that_cannot_be_called_is_known(arn: str, is_callable: bool) -> None:
    """So that it is refused when the schedule is made."""
    assert is_callable == (payloads.why_not(arn, ("sqs", "stepfunctions")) is None)


def test_dead_letter_tells_its_retries() -> None:
    """The third attempt was the second retry; no limit is named where no retry could help."""
    attributes = payloads.dead_letter(ATTEMPT, target_arn="arn:t", code="NoQueue", message="gone", is_exhausted="")

    assert "2" == attributes["RETRY_ATTEMPTS"]["StringValue"]
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


def test_retries_wait_longer_each_time_up_to_a_limit() -> None:
    """Doubling."""
    assert [1, 2, 4, 300] == [payloads.backoff_s(retry) for retry in (1, 2, 3, 185)]
