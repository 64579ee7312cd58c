"""What becomes of batches of stream records, as rules; and the settings that are refused."""

from collections import Counter, deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlqlab.emulator.dynamodb.streams import Record, Stream
from dlqlab.emulator.mappings.stream_batches import (
    EXHAUSTED,
    TOO_OLD,
    Batch,
    GivenUp,
    Rules,
    after_failure,
    batch_document,
    failure_context,
    lane_of,
    pause_s,
    without_old,
)
from dlqlab.emulator.mappings.stream_sources import TableShard
from dlqlab.emulator.mappings.stream_validation import stream_refusal


def _records(count: int) -> tuple[Record, ...]:
    return tuple(Record(100 + number, 1_800_000_000.0 + number, f'{{"id":{number}}}', "{}") for number in range(count))


def _numbers(batches: list[Batch]) -> list[list[int]]:
    return [[record.number for record in batch.records] for batch in batches]


def test_failed_batch_is_tried_until_its_retries_are_used_up() -> None:
    """Two retries are three invocations."""
    rules, batch = Rules(retries=2), Batch(_records(2))
    for failures in (1, 2):
        again, given_up = after_failure(batch, rules, None)
        assert (len(again), again[0].failures, given_up) == (1, failures, None)
        batch = again[0]

    assert after_failure(batch, rules, None) == ([], GivenUp(_records(2), EXHAUSTED, 3))


def test_batch_is_halved_without_costing_a_retry() -> None:
    """The record that is left alone has all its retries."""
    rules = Rules(retries=1, bisects=True)
    halves, _ = after_failure(Batch(_records(3)), rules, None)
    assert _numbers(halves) == [[100, 101], [102]]
    assert [half.failures for half in halves] == [0, 0]

    (alone,), _ = after_failure(halves[1], rules, None)
    assert after_failure(alone, rules, None) == ([], GivenUp(halves[1].records, EXHAUSTED, 2))


@pytest.mark.parametrize("bisects", [False, True])
def test_reported_failure_is_where_the_batch_begins_again(bisects: bool) -> None:
    """The lowest number counts; what comes before it is done."""
    again, _ = after_failure(Batch(_records(5)), Rules(bisects=bisects), frozenset({"104", "102"}))

    assert _numbers(again) == [[102, 103, 104]]
    assert again[0].failures == 1


def test_records_that_are_too_old_are_given_up() -> None:
    """Of a batch only those."""
    batch, old = without_old(Batch(_records(4), 3), Rules(age_s=60), 1_800_000_061.5)

    assert _numbers([batch]) == [[102, 103]]
    assert old == GivenUp(_records(4)[:2], TOO_OLD, 3)
    assert without_old(Batch(_records(4)), Rules(), 1_900_000_000.0) == (Batch(_records(4)), None)


@given(st.integers(1, 12), st.sets(st.integers(100, 111)), st.booleans(), st.integers(0, 3), st.booleans())
def test_each_record_is_done_or_given_up_once_and_in_order(
    count: int, poisoned: set[int], bisects: bool, retries: int, reports: bool
) -> None:
    """Whatever the settings: nothing is lost, nothing is handed over behind one that waits."""
    rules = Rules(bisects=bisects, retries=retries, reports=reports)
    waiting, ended, lost = deque([Batch(_records(count))]), list[int](), Counter[int]()
    while waiting:
        batch = waiting.popleft()
        numbers = [record.number for record in batch.records]
        bad = [number for number in numbers if number in poisoned]
        if not bad:
            ended += numbers
            continue
        failed = frozenset(map(str, bad)) if reports and len(bad) < len(numbers) else None
        again, given_up = after_failure(batch, rules, failed)
        kept = [number for one in _numbers(again) for number in one]
        gone = [record.number for record in given_up.records] if given_up else []
        lost.update(gone)
        ended += [number for number in numbers if number not in kept]
        waiting.extendleft(reversed(again))

    assert ended == list(range(100, 100 + count))
    assert poisoned & set(ended) <= lost.keys()
    if bisects and not reports:
        assert lost.keys() == poisoned & set(ended)


@given(st.integers(1, 10), st.text())
def test_changes_of_one_item_share_a_lane(lanes: int, keys: str) -> None:
    """So that they follow each other."""
    found = {lane_of(Record(number, 0.0, keys, "{}"), lanes) for number in range(3)}

    assert len(found) == 1
    assert found <= set(range(lanes))


def test_pauses_grow_and_are_bounded() -> None:
    """A first try waits for nothing."""
    pauses = [pause_s(failures) for failures in range(200)]

    assert pauses[:4] == [0.0, 0.5, 1.0, 2.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60.0


def test_document_names_the_records_and_the_invocation() -> None:
    """Not their content."""
    stream = Stream("arn:stream", "KEYS_ONLY", [], now=lambda: 1_800_000_000.0)
    given_up = GivenUp(_records(2), EXHAUSTED, 3)
    answer = {"requestId": "r", "executedVersion": "$LATEST", "functionError": "Unhandled"}
    context = failure_context(given_up, function_arn="arn:function", answer=answer)
    document = context | batch_document(given_up, TableShard(stream), at="2027-01-15T08:00:05.000Z")

    assert document == {
        "requestContext": {
            "requestId": "r",
            "functionArn": "arn:function",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2027-01-15T08:00:05.000Z",
        "DDBStreamBatchInfo": {
            "shardId": stream.shard_id,
            "startSequenceNumber": "100",
            "endSequenceNumber": "101",
            "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00Z",
            "approximateArrivalOfLastRecord": "2027-01-15T08:00:01Z",
            "batchSize": 2,
            "streamArn": "arn:stream",
        },
    }


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"TumblingWindowInSeconds": 30}, "TumblingWindowInSeconds is not served"),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, "ScalingConfig is not a setting"),
        ({"BatchSize": 10_001}, "less than or equal to 10000"),
        ({"ParallelizationFactor": 11}, "less than or equal to 10"),
        ({"MaximumRecordAgeInSeconds": 59}, "give -1, or 60 seconds"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "["}]}}, "Invalid filter pattern"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}}, "ARN of a queue or a topic"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_not_served_is_refused_by_name(settings: dict[str, Any], text: str) -> None:
    """With AWS's text where it is AWS that refuses."""
    refused = stream_refusal(settings)

    assert refused is not None
    assert text in refused.message


def test_settings_of_streams_are_taken() -> None:
    """Their bounds included, and a factor of zero for what is switched off."""
    assert stream_refusal({
        "BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 300, "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": 0, "ParallelizationFactor": 10, "BisectBatchOnFunctionError": True,
        "TumblingWindowInSeconds": 0, "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}},
    }) is None  # fmt: skip
