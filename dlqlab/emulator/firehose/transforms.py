"""What a function makes of records: the event that it gets, and what of its answer is delivered. Pure.

Sources: "Transform source data in Amazon Data Firehose", "Required parameters for data transformation" and "Handle
failure in data transformation" (developer guide).
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OK, DROPPED = "Ok", "Dropped"
_TOTAL = "Lambda.FunctionError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A record as it was put."""

    record_id: str
    data: bytes
    arrived_ts: float
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Of a record of Kinesis: where it lay there."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What becomes of a batch."""

    delivered: list[bytes] = field(default_factory=list)
    failed: list[tuple[Incoming, str, str]] = field(default_factory=list)
    """Each with the code and the message of its error."""


def batches(records: Sequence[Incoming], size_bytes: int) -> Iterator[list[Incoming]]:
    """Records in order, so many bytes at once, at least one."""
    batch: list[Incoming] = []
    size = 0
    for one in records:
        if batch and size + len(one.data) > size_bytes:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.data)
    if batch:
        yield batch


def event(records: Sequence[Incoming], *, stream_arn: str, source_arn: str | None, invocation_id: str) -> bytes:
    """The event for a batch."""
    made: dict[str, Any] = {
        "invocationId": invocation_id,
        "deliveryStreamArn": stream_arn,
        "region": stream_arn.split(":")[3],
        **({"sourceKinesisStreamArn": source_arn} if source_arn else {}),
        "records": [
            {
                "recordId": one.record_id,
                "approximateArrivalTimestamp": int(one.arrived_ts * 1000),
                "data": base64.b64encode(one.data).decode(),
                **({"kinesisRecordMetadata": dict(one.metadata)} if one.metadata else {}),
            }
            for one in records
        ],
    }
    return json.dumps(made).encode()


def outcome(records: Sequence[Incoming], payload: bytes) -> Outcome:
    """What an answer says of each record; one that it does not say anything sound of has failed."""
    answered, made = _by_id(payload), Outcome()
    for one in records:
        answer = answered.get(one.record_id)
        if answer is None:
            made.failed.append((one, "Lambda.MissingRecordId", "One or more record Ids were not returned."))
        elif answer.get("result") == DROPPED:
            continue
        elif answer.get("result") == OK and (data := _data(answer)) is not None:
            made.delivered.append(data)
        elif answer.get("result") == OK:
            made.failed.append((one, "Lambda.JsonProcessingException", "The data of a record is not base64."))
        else:
            message = "ProcessingFailed status set for record"
            made.failed.append((one, "Lambda.ProcessingFailedStatus", message))
    return made


def all_failed(records: Sequence[Incoming], message: str) -> Outcome:
    """The function could not be invoked, or has failed, as often as it was tried."""
    return Outcome(failed=[(one, _TOTAL, message) for one in records])


def _by_id(payload: bytes) -> dict[str, Mapping[str, Any]]:
    try:
        answer = json.loads(payload)
    except ValueError:
        return {}
    found = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        return {}
    return {str(one.get("recordId")): one for one in found if isinstance(one, dict)}


def _data(answer: Mapping[str, Any]) -> bytes | None:
    try:
        return base64.b64decode(answer["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None


def failure_lines(
    failed: Sequence[tuple[Incoming, str, str]], *, attempts: int, ended_ts: float, function_arn: str
) -> bytes:
    """The object of the records that failed: a line of JSON each."""
    lines = [
        json.dumps(
            {
                "attemptsMade": attempts,
                "arrivalTimestamp": int(one.arrived_ts * 1000),
                "errorCode": code,
                "errorMessage": message,
                "attemptEndingTimestamp": int(ended_ts * 1000),
                "rawData": base64.b64encode(one.data).decode(),
                "lambdaArn": function_arn,
            }
        )
        for one, code, message in failed
    ]
    return "".join(f"{line}\n" for line in lines).encode()
