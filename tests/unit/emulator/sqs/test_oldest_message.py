"""The age of a queue's oldest message: of those that count on AWS."""

import pytest
from localstack.services.sqs.models import SqsMessage

from dlqlab.emulator.sqs.oldest_message import age_of_oldest_s

NOW = 1_700_000_000.0


def message(age_s: float, *, receives: int = 0, deleted: bool = False) -> SqsMessage:
    """A message that came so long ago."""
    made = SqsMessage(0, {"MessageId": "m", "Body": "b"})
    made.created, made.receive_count, made.deleted = NOW - age_s, receives, deleted
    return made


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], 0.0),
        ([message(5), message(9), message(7)], 9.0),
        ([message(9, receives=2), message(5)], 9.0),
        ([message(9, receives=3), message(5)], 5.0),
        ([message(9, deleted=True), message(5)], 5.0),
        ([message(9, receives=3)], 0.0),
        ([message(-1)], 0.0),
    ],
)
def test_age_is_that_of_the_oldest_that_counts(messages: list[SqsMessage], expected: float) -> None:
    """Deleted messages and those received three times or more do not count; nothing is older than now."""
    assert expected == age_of_oldest_s(messages, NOW)
