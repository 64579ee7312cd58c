"""Which messages have been kept too long."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.sqs import expiries
from dlqlab.emulator.sqs.expiries import Expiries


class Message:
    """What is kept."""

    def __init__(self, *, deleted: bool = False) -> None:
        self.deleted = deleted


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans())), st.integers(0, 60))
def test_those_kept_since_then_are_taken_once_and_in_order(kept: list[tuple[int, bool]], before: int) -> None:
    """Whatever their order of arrival: all that are old enough and not deleted, the oldest first, and never again."""
    found: Expiries[Message] = Expiries()
    messages = [(since, Message(deleted=deleted)) for since, deleted in kept]
    for since, message in messages:
        found.add(since, message)
    due = [message for since, message in sorted(messages, key=lambda pair: pair[0]) if since <= before]

    assert any(since <= before for since, _ in messages) == found.has_expired(before)
    assert [message for message in due if not message.deleted] == list(found.take_expired(before))
    assert [] == list(found.take_expired(before))
    assert not found.has_expired(before)


def test_messages_that_are_gone_are_forgotten() -> None:
    """Of a million messages that came and went, no more than a bounded number is remembered."""
    found: Expiries[Message] = Expiries()
    stays = Message()
    found.add(0, stays)
    longest = 0
    for number in range(20_000):
        message = Message()
        found.add(number, message)
        message.deleted = True
        longest = max(longest, len(found))
    gc.collect()

    assert longest <= 2 * expiries._COMPACT_FROM
    assert [stays] == list(found.take_expired(30_000))
