"""The records of a stream, without a table."""

import json
from typing import Any

import pytest

from dlqlab.emulator.core import record_log
from dlqlab.emulator.core.record_log import TrimmedError
from dlqlab.emulator.dynamodb import streams
from dlqlab.emulator.dynamodb.streams import FIRST, ExpiredError, IteratorError, Stream, Streams

ARN = "arn:aws:dynamodb:eu-north-1:111111111111:table/t/stream/2026-01-01T00:00:00.000"
KEYS = {"id": {"S": "1"}}
OLD, NEW = {**KEYS, "n": {"N": "1"}}, {**KEYS, "n": {"N": "2"}}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _stream(clock: Clock, view: str = "NEW_AND_OLD_IMAGES") -> Stream:
    return Stream(ARN, view, [{"AttributeName": "id", "KeyType": "HASH"}], now=clock)


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_view_says_which_images_a_record_has(clock: Clock, view: str, images: set[str]) -> None:
    """The key is always there."""
    stream = _stream(clock, view)
    stream.add(KEYS, OLD, NEW, 12)

    (record,) = stream.read(FIRST, 10)
    document = record.document()
    change = document["dynamodb"]
    assert document["eventName"] == "MODIFY"
    assert {name for name in change if name.endswith("Image")} == images
    assert [change.get("OldImage", OLD), change.get("NewImage", NEW), change["Keys"]] == [OLD, NEW, KEYS]
    assert (change["SequenceNumber"], change["SizeBytes"], change["StreamViewType"]) == (str(FIRST), 12, view)
    assert change["ApproximateCreationDateTime"] == 1_800_000_000.0


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [(None, NEW, "INSERT"), (OLD, NEW, "MODIFY"), (OLD, None, "REMOVE"), (OLD, dict(OLD), None)],
)
def test_event_is_named_by_what_became_of_the_item(clock: Clock, old: Any, new: Any, name: str | None) -> None:
    """A write that changes nothing makes no record."""
    stream = _stream(clock)
    stream.add(KEYS, old, new, 1)

    assert [record.document()["eventName"] for record in stream.read(FIRST, 10)] == ([name] if name else [])


def test_records_are_kept_for_a_day(clock: Clock) -> None:
    """Whoever reads further back is told."""
    stream = _stream(clock)
    stream.add(KEYS, None, OLD, 1)
    clock.now += streams.KEPT_S - 1
    stream.add(KEYS, OLD, NEW, 1)
    assert len(stream.read(FIRST, 10)) == 2

    clock.now += 2
    assert stream.oldest == FIRST + 1
    assert [record.number for record in stream.read(FIRST + 1, 10)] == [FIRST + 1]
    with pytest.raises(TrimmedError):
        stream.read(FIRST, 10)


def test_memory_of_a_stream_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest records go first."""
    monkeypatch.setattr(record_log, "KEPT_BYTES_MAX", 2_000)
    stream = _stream(clock)
    for number in range(100):
        stream.add(KEYS, None, {**KEYS, "n": {"N": str(number)}}, 1)

    kept = stream.read(stream.oldest, 1_000)
    assert sum(len(record.text) for record in kept) <= 2_000
    assert [json.loads(record.text)["dynamodb"]["NewImage"]["n"]["N"] for record in kept] == [
        str(number) for number in range(100 - len(kept), 100)
    ]


def test_iterator_is_good_for_a_quarter_of_an_hour(clock: Clock) -> None:
    """It stands for a place; another text stands for none."""
    stream = _stream(clock)
    text = stream.iterator(FIRST + 7)
    clock.now += streams.ITERATOR_S - 1
    assert stream.place(text) == FIRST + 7

    clock.now += 2
    with pytest.raises(ExpiredError):
        stream.place(text)
    with pytest.raises(IteratorError):
        stream.place(f"{ARN}|1|nonsense")


def test_closed_stream_has_an_end_and_is_forgotten_after_a_day(clock: Clock) -> None:
    """What it has can be read until then."""
    known = Streams(clock)
    stream = known.open(ARN, "KEYS_ONLY", [])
    stream.add(KEYS, None, NEW, 1)
    stream.close()
    stream.add(KEYS, NEW, None, 1)

    assert len(stream.read(FIRST, 10)) == 1
    assert [stream.is_at_end(FIRST), stream.is_at_end(FIRST + 1)] == [False, True]
    clock.now += streams.KEPT_S + 1
    known.open(f"{ARN}x", "KEYS_ONLY", [])
    assert [one.arn for one in known] == [f"{ARN}x"]
