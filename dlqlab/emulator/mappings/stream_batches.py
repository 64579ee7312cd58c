"""What becomes of a batch of a stream's records: done, tried again as a whole, in halves or in part, or given up.

Sources: "Process Amazon DynamoDB records with Lambda", "Using Lambda to process records from Amazon Kinesis Data
Streams" and their pages on error handling, partial batch responses and
ParallelizationFactor (AWS Lambda developer guide); CreateEventSourceMapping (API reference). A batch is tried until it
succeeds, its retries are used up, or its records are too old; until then nothing later of its lane is handed over.
Splitting a batch does not count as a retry.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.core.record_log import Numbered
from dlqlab.emulator.mappings.stream_sources import Shard

EXHAUSTED, TOO_OLD = "RetryAttemptsExhausted", "RecordAgeExceeded"
ENDLESS = -1
FIRST_PAUSE_S, PAUSE_MAX_S = 0.5, 60.0
"""Ours: AWS backs off exponentially and gives no numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings of a mapping of a stream."""

    batch_size: int = 100
    window_s: float = 0
    retries: int = ENDLESS
    age_s: int = ENDLESS
    bisects: bool = False
    reports: bool = False
    lanes: int = 1

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> "Rules":
        """Args:
        mapping: as the Lambda service keeps it.
        """

        def number(name: str, default: int) -> int:
            given = mapping.get(name)
            return default if given is None else int(given)

        return cls(
            batch_size=number("BatchSize", 100),
            window_s=number("MaximumBatchingWindowInSeconds", 0),
            retries=number("MaximumRetryAttempts", ENDLESS),
            age_s=number("MaximumRecordAgeInSeconds", ENDLESS),
            bisects=bool(mapping.get("BisectBatchOnFunctionError")),
            reports=bool(mapping.get("FunctionResponseTypes")),
            lanes=number("ParallelizationFactor", 1),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are handed over together, and how often that has failed."""

    records: tuple[Numbered, ...]
    failures: int = 0


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Records that go to the on-failure destination, if there is one."""

    records: tuple[Numbered, ...]
    condition: str
    failures: int


def lane_of(record: Numbered, lanes: int) -> int:
    """Records of one item, or of one partition key, share a lane, in which they follow each other."""
    return zlib.crc32(record.keys.encode()) % lanes


def without_old(batch: Batch, rules: Rules, now: float) -> tuple[Batch, GivenUp | None]:
    """The batch without its records that are too old."""
    if rules.age_s == ENDLESS:
        return batch, None
    old = tuple(one for one in batch.records if now - one.written_ts > rules.age_s)
    if not old:
        return batch, None
    return Batch(batch.records[len(old) :], batch.failures), GivenUp(old, TOO_OLD, batch.failures)


def after_failure(
    batch: Batch, rules: Rules, failed_numbers: frozenset[str] | None
) -> tuple[list[Batch], GivenUp | None]:
    """What is to be tried next, in this order, and what is given up.

    Args:
        failed_numbers: sequence numbers that the function reported, of this batch; None where all of it has failed.
    """
    failures = batch.failures + 1
    left = batch.records
    if failed_numbers is not None:
        checkpoint = min(int(number) for number in failed_numbers)
        left = tuple(one for one in left if one.number >= checkpoint)
    if rules.bisects and failed_numbers is None and len(left) > 1:
        middle = (len(left) + 1) // 2
        return [Batch(left[:middle], batch.failures), Batch(left[middle:], batch.failures)], None
    if rules.retries != ENDLESS and failures > rules.retries:
        return [], GivenUp(left, EXHAUSTED, failures)
    return [Batch(left, failures)], None


def pause_s(failures: int) -> float:
    """How long to wait before a batch that has failed so often."""
    return float(min(PAUSE_MAX_S, FIRST_PAUSE_S * 2 ** min(failures - 1, 20))) if failures else 0.0


def failure_context(given_up: GivenUp, *, function_arn: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the on-failure destination is told of the last invocation.

    Args:
        answer: ``requestId``, ``executedVersion``, ``functionError``; empty where there was no invocation.
    """
    context: dict[str, Any] = {
        "requestContext": {
            "requestId": answer.get("requestId"),
            "functionArn": function_arn,
            "condition": given_up.condition,
            "approximateInvokeCount": given_up.failures,
        }
    }
    if answer:
        context["responseContext"] = {
            "statusCode": 200,
            "executedVersion": answer.get("executedVersion"),
            "functionError": answer.get("functionError"),
        }
    return context


def batch_document(given_up: GivenUp, shard: Shard, *, at: str) -> dict[str, Any]:
    """What a destination is told of the records: where they lie, not what they hold.

    Args:
        at: ISO 8601 in UTC, with milliseconds.
    """
    records: Sequence[Numbered] = given_up.records
    return {
        "version": "1.0",
        "timestamp": at,
        shard.batch_info: {
            "shardId": shard.shard_id,
            "startSequenceNumber": str(records[0].number),
            "endSequenceNumber": str(records[-1].number),
            "approximateArrivalOfFirstRecord": shard.arrival(records[0].written_ts),
            "approximateArrivalOfLastRecord": shard.arrival(records[-1].written_ts),
            "batchSize": len(records),
            "streamArn": shard.stream_arn,
        },
    }
