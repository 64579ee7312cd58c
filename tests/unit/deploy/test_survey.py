"""What a survey makes of functions whose settings it may read, and may not."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dlqlab.deploy.survey import survey as module

BILL = {"FunctionName": "bill", "Timeout": 3}
LETTERS = {**BILL, "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:0:dead"}}
ONCE = {"MaximumRetryAttempts": 1}
ON_FAILURE = {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:0:failed"}}}


class Lambda:
    """What is configured for the asynchronous invocations of a function."""

    def __init__(self, *configs: dict[str, Any], refused: bool = False) -> None:
        self._answers = {
            "list_function_event_invoke_configs": {"FunctionEventInvokeConfigs": list(configs)},
        }
        self._refused = refused

    def can_paginate(self, _operation: str) -> bool:
        return True

    def get_paginator(self, operation: str) -> Any:
        if self._refused and operation == "list_function_event_invoke_configs":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, operation)
        return SimpleNamespace(paginate=lambda **_given: [self._answers[operation]])

    def get_function_concurrency(self, **_given: str) -> dict[str, int]:
        return {}


@pytest.mark.parametrize(
    ("function", "client", "retries", "drops"),
    [
        (BILL, Lambda(), 2, True),
        (BILL, Lambda(ONCE), 1, True),
        (BILL, Lambda(ON_FAILURE), 2, False),
        (LETTERS, Lambda(), 2, False),
    ],
    ids=["as Lambda does", "one retry", "destination", "dead-letter queue"],
)
def test_where_failed_asynchronous_invocations_go(
    function: dict[str, Any], client: Lambda, retries: int, drops: bool
) -> None:
    notes: list[str] = []
    found = module._function(client, function, set(), set(), notes)

    assert (found.event_retries, found.drops_failed_events, notes) == (retries, drops, [])


def test_what_may_not_be_read_is_not_known_and_said() -> None:
    """An account may let somebody see its functions and not this: the map has all the rest."""
    notes: list[str] = []
    found = module._function(Lambda(refused=True), BILL, set(), set(), notes)

    assert (found.name, found.event_retries, found.drops_failed_events) == ("bill", None, None)
    assert notes == ["asynchronous invocations of bill: not known, not you"]


def test_queues_topics_and_buckets_that_variables_name() -> None:
    """By URL, ARN or name."""
    variables = {
        "QUEUE": "http://127.0.0.1:1/000000000000/orders",
        "TOPIC": "arn:aws:sns:eu-west-1:000000000000:placed",
        "BUCKET": "uploads",
        "LEVEL": "info",
    }
    function = {**BILL, "Environment": {"Variables": variables}}
    found = module._function(Lambda(), function, {"orders", "bills"}, {"placed", "uploads", "default"}, [])

    assert (found.may_send_to, found.may_publish_to) == (("orders",), ("placed", "uploads"))
