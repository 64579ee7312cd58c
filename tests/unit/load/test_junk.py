"""Junk messages."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.errors import LoadError
from dlqlab.load.junk import junk_bodies, send_junk
from tests.support.collect.fakes import FakeSqs

ALLOWED = re.compile(r"[\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def is_task(body: str) -> bool:
    """Whether somebody could take the body for a task: an object with a text as id and with a payload."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(value, dict)
        and bool(value.get("taskId"))
        and isinstance(value["taskId"], str)
        and "payload" in value
    )


@given(st.integers(0, 2**32))
def test_no_junk_is_a_task_and_sqs_takes_all_of_it(seed: int) -> None:
    """Every body is one that SQS accepts and that the processor must not take for a task."""
    bodies = junk_bodies(60, seed)

    assert len(bodies) == 60
    assert [body for body in bodies if is_task(body)] == []
    assert [body for body in bodies if not ALLOWED.fullmatch(body)] == []
    assert max(len(body.encode()) for body in bodies) < 65_536


def test_junk_is_the_same_for_a_seed() -> None:
    """A run with junk can be repeated."""
    assert junk_bodies(50, 3) == junk_bodies(50, 3)
    assert junk_bodies(50, 3) != junk_bodies(50, 4)


def test_all_junk_is_sent_in_batches() -> None:
    """Every body arrives once, and its message id is returned."""
    sqs = FakeSqs({})

    sent = send_junk(sqs.client(), "url", 23, seed=1)

    assert list(junk_bodies(23, 1)) == sqs.sent
    assert [message.body for message in sent] == sqs.sent
    assert len({message.message_id for message in sent}) == 23


def test_no_junk_needs_no_request() -> None:
    """Zero messages send nothing."""
    assert send_junk(FakeSqs({}).client(), "url", 0, seed=1) == ()


def test_a_refused_entry_is_an_error() -> None:
    """A batch may succeed and still refuse entries; that is not passed over."""
    sqs = FakeSqs({})
    sqs.refuse = {junk_bodies(1, 1)[0]}

    with pytest.raises(LoadError, match="refused 1 of 5 junk messages: InvalidMessageContents"):
        send_junk(sqs.client(), "url", 5, seed=1)
