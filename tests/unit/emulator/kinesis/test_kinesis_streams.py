"""Shards, their records and hash keys; iterators; the checks of requests."""

from itertools import pairwise
from typing import Any

import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.core import constraints
from dlqlab.emulator.kinesis import iterators
from dlqlab.emulator.kinesis.iterators import ExpiredError, IteratorError, Place
from dlqlab.emulator.kinesis.streams import HASH_MAX, PROVISIONED, ReshardError, Settings, Stream, Streams

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"


def _stream(shards: int = 1, now_s: float = 1_800_000_000.0) -> Stream:
    return Stream(ARN, shards, Settings(mode=PROVISIONED), now=lambda: now_s)


def _is_whole(stream: Stream) -> bool:
    """Whether the open shards hold each hash key once."""
    shards = stream.open_shards
    follows = all(one.high + 1 == other.low for one, other in pairwise(shards))
    return follows and shards[0].low == 0 and shards[-1].high == HASH_MAX


@given(st.integers(1, 12), st.lists(st.integers(1, 12), max_size=6))
def test_open_shards_hold_each_hash_key_once(shards: int, targets: list[int]) -> None:
    """However the stream is resized; a shard's parents are closed, and its numbers are above theirs."""
    stream = _stream(shards)
    assert _is_whole(stream)
    for target in targets:
        stream.resize(target)
        assert (len(stream.open_shards), _is_whole(stream)) == (target, True)

    by_id = {shard.shard_id: shard for shard in stream.shards}
    for shard in stream.shards:
        for parent in shard.parents:
            assert by_id[parent].closed_ts is not None
            assert by_id[parent].next <= shard.first


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=20))
def test_records_of_a_key_follow_each_other(keys: list[str]) -> None:
    """Across a split too, by their sequence numbers of 56 digits."""
    stream, numbers = _stream(2), dict[str, list[int]]()
    for place, key in enumerate(keys * 2):
        if place == len(keys):
            stream.resize(4)
        shard, record = stream.put(b"a", key)
        assert shard.read(record.number, 1) == [record]
        assert len(str(record.number)) == 56
        numbers.setdefault(key, []).append(record.number)

    for each in numbers.values():
        assert each == sorted(set(each))


def test_hash_key_of_the_request_chooses_the_shard() -> None:
    """In the place of the partition key's."""
    stream = _stream(2)
    first, last = (stream.put(b"a", "k", hash_key)[0] for hash_key in (0, HASH_MAX))

    assert [first.shard_id, last.shard_id] == ["shardId-000000000000", "shardId-000000000001"]


def test_what_cannot_be_resharded_is_refused() -> None:
    """A closed shard, a key at its edge, shards that do not follow each other."""
    stream = _stream(3)
    first, second, third = (shard.shard_id for shard in stream.shards)
    with pytest.raises(ReshardError, match="is not both greater than"):
        stream.split(first, 1)
    with pytest.raises(ReshardError, match="are not adjacent"):
        stream.merge(first, third)
    stream.merge(first, second)
    with pytest.raises(ReshardError, match="has already been merged or split"):
        stream.split(first, 100)


def test_stream_of_the_same_name_has_later_numbers() -> None:
    """So that nobody who read the deleted one takes new records for old ones."""
    streams, old, new = Streams(), _stream(), _stream(now_s=1_800_000_001.0)
    assert streams.add(old)
    assert not streams.add(new)
    old.put(b"a", "k")
    streams.remove(old)
    assert streams.add(new)

    assert new.shards[0].first > old.shards[0].next
    assert streams.find(f"{ARN}/consumer/c:1800000000") is new
    with pytest.raises(LookupError):
        old.put(b"a", "k")


def test_records_since_a_time() -> None:
    """Those that were written then or later, or the next one."""
    now = [1_800_000_000.0]
    stream = Stream(ARN, 1, Settings(mode=PROVISIONED), now=lambda: now[0])
    (shard,) = stream.shards
    for _ in range(3):
        stream.put(b"a", "k")
        now[0] += 10

    assert [shard.since(ts) - shard.first for ts in (0, 1_800_000_000, 1_800_000_000.5, 1_800_000_021)] == [0, 0, 1, 3]


def test_iterator_is_good_for_five_minutes() -> None:
    """It stands for a place; another text stands for none."""
    place = Place(ARN, "shardId-000000000000", 7)
    text = iterators.write(place, 1_000.0)

    assert iterators.read(text, 1_300.0) == place
    assert len(text) <= 512
    with pytest.raises(ExpiredError):
        iterators.read(text, 1_301.0)
    with pytest.raises(IteratorError):
        iterators.read("nonsense", 0.0)


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        ("PutRecord", {"Data": b"a", "PartitionKey": "k", "StreamName": "s"}, []),
        ("PutRecord", {"Data": b"a"}, ["Value null at 'partitionKey' failed to satisfy constraint: Member must not"]),
        ("CreateStream", {"StreamName": "a b"}, ["Value 'a b' at 'streamName' failed to satisfy constraint: Member"]),
        ("PutRecords", {"Records": []}, ["Value '[]' at 'records' failed to satisfy constraint: Member must"]),
        (
            "PutRecords",
            {"Records": [{"Data": b"", "PartitionKey": ""}]},
            ["Value '' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must"],
        ),
        (
            "GetShardIterator",
            {"ShardId": "s", "ShardIteratorType": "FIRST"},
            ["Value 'FIRST' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy"],
        ),
    ],
)  # fmt: skip
def test_requests_are_checked_against_the_model(operation: str, request_: dict[str, Any], said: list[str]) -> None:
    """Each constraint that is broken, in the words of AWS."""
    shape = get_session().get_service_model("kinesis").operation_model(operation).input_shape
    found = list(constraints.violations(shape, request_))

    assert len(found) == len(said)
    assert all(one.startswith(text) for one, text in zip(found, said, strict=True))
