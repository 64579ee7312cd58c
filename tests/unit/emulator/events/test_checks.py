"""EventBridge's refusals of rules and targets."""

from typing import Any

import pytest

from dlqlab.emulator.events.checks import rule_problem, target_problem

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
GOOD: dict[str, Any] = {
    "Id": "1",
    "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f:alias",
    "DeadLetterConfig": {"Arn": QUEUE},
    "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 86_400},
}
BAD = {
    "ARN": ({"Arn": "f"}, "Parameter f is not valid. Reason: Provided Arn is not in correct format."),
    "no ARN": ({"Arn": None}, "Provided Arn is not in correct format."),
    "FIFO": ({"DeadLetterConfig": {"Arn": f"{QUEUE}.fifo"}}, "A dead-letter queue is a standard SQS queue."),
    "topic": ({"DeadLetterConfig": {"Arn": QUEUE.replace("sqs", "sns")}}, "a standard SQS queue."),
    "attempts": (
        {"RetryPolicy": {"MaximumRetryAttempts": 186}},
        "Value '186' at 'targets.2.member.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: Member must",
    ),
    "age": ({"RetryPolicy": {"MaximumEventAgeInSeconds": 59}}, "greater than or equal to 60"),
}


def test_good_targets_are_taken() -> None:
    """With all members, and with none that may be left out."""
    assert target_problem([GOOD, {"Id": "2", "Arn": QUEUE}, {"Id": "3", "Arn": QUEUE, "DeadLetterConfig": {}}]) is None


@pytest.mark.parametrize(("change", "text"), BAD.values(), ids=BAD)
def test_bad_targets_are_named(change: dict[str, Any], text: str) -> None:
    """The text names the value, also of a later target."""
    assert text in (target_problem([GOOD, GOOD | change]) or "")


@pytest.mark.parametrize(("name", "good"), [("a.B-c_1", True), ("a b", False), ("", False), ("ä", False)])
def test_names_of_rules(name: str, good: bool) -> None:
    """Letters, digits, dots, hyphens and underscores."""
    assert good is (rule_problem(name) is None)
