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
    """One function, and what is configured for its asynchronous invocations."""

    def __init__(self, function: dict[str, Any], *configs: dict[str, Any], refused: bool = False) -> None:
        self._answers = {
            "list_functions": {"Functions": [function]},
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
    ("client", "retries", "drops"),
    [
        (Lambda(BILL), 2, True),
        (Lambda(BILL, ONCE), 1, True),
        (Lambda(BILL, ON_FAILURE), 2, False),
        (Lambda(LETTERS), 2, False),
    ],
    ids=["as Lambda does", "one retry", "destination", "dead-letter queue"],
)
def test_where_failed_asynchronous_invocations_go(client: Lambda, retries: int, drops: bool) -> None:
    notes: list[str] = []
    (found,) = module._functions(client, set(), notes)

    assert (found.event_retries, found.drops_failed_events, notes) == (retries, drops, [])


def test_what_may_not_be_read_is_not_known_and_said() -> None:
    """An account may let somebody see its functions and not this: the map has all the rest."""
    notes: list[str] = []
    (found,) = module._functions(Lambda(BILL, refused=True), set(), notes)

    assert (found.name, found.event_retries, found.drops_failed_events) == ("bill", None, None)
    assert notes == ["asynchronous invocations of bill: not known, not you"]
