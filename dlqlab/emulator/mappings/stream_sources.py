"""The streams that mappings and pipes read: of DynamoDB tables and of Kinesis, shard by shard, in the form of each.

Sources: "Process Amazon DynamoDB records with Lambda", "How Lambda processes records from Amazon Kinesis Data Streams",
"Using event filtering with a Kinesis event source" (AWS Lambda developer guide) for records, destinations and filters.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from dlqlab.emulator.core.record_log import Numbered, RecordLog
from dlqlab.emulator.dynamodb import streams as tables
from dlqlab.emulator.kinesis import streams as kinesis

_DATA = "data"


class Shard(Protocol):
    """One shard of a stream, as a mapping reads it."""

    stream_arn: str
    """What the mapping names: of Kinesis it may be a consumer."""
    shard_id: str
    batch_info: str
    """How a destination is told of a batch."""
    parents: tuple[str, ...]
    """Ids of the shards that are read to their end before this one."""

    @property
    def log(self) -> RecordLog[Any]:
        """Its records."""

    def shown(self, record: Any, role_arn: str | None) -> dict[str, Any]:
        """A record as a function is given it."""

    def flat(self, record: Any) -> dict[str, Any]:
        """A record as a pipe is given it."""

    def number_of(self, flat: Mapping[str, Any]) -> str:
        """The sequence number in a record as a pipe is given it."""

    def filtered(self, record: Any) -> Mapping[str, Any]:
        """A record as filters see it."""

    def arrival(self, ts: float) -> str:
        """A time as a destination is told it."""


class TableShard:
    """A table's stream, which is one shard."""

    batch_info = "DDBStreamBatchInfo"
    parents: tuple[str, ...] = ()

    def __init__(self, stream: tables.Stream) -> None:
        self.log: RecordLog[Any] = stream
        self.stream_arn, self.shard_id = stream.arn, stream.shard_id

    def shown(self, record: tables.Record, role_arn: str | None = None) -> dict[str, Any]:  # noqa: ARG002  (of Kinesis)
        return record.document() | {
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.stream_arn.split(":")[3],
            "eventSourceARN": self.stream_arn,
        }

    def flat(self, record: tables.Record) -> dict[str, Any]:
        return self.shown(record)

    def number_of(self, flat: Mapping[str, Any]) -> str:
        return str(flat["dynamodb"]["SequenceNumber"])

    def filtered(self, record: tables.Record) -> Mapping[str, Any]:
        return self.shown(record)

    def arrival(self, ts: float) -> str:
        return datetime.fromtimestamp(int(ts), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class KinesisShard:
    """A shard of a Kinesis stream."""

    batch_info = "KinesisBatchInfo"

    def __init__(self, shard: kinesis.Shard, source_arn: str) -> None:
        self.log: RecordLog[Any] = shard
        self.stream_arn, self.shard_id, self.parents = source_arn, shard.shard_id, shard.parents

    def _payload(self, record: kinesis.Record) -> dict[str, Any]:
        return {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.keys,
            "sequenceNumber": str(record.number),
            "data": base64.b64encode(record.data).decode(),
            "approximateArrivalTimestamp": round(record.written_ts, 3),
        }

    def _about(self, record: kinesis.Record, role_arn: str | None) -> dict[str, Any]:
        return {
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self.shard_id}:{record.number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role_arn,
            "awsRegion": self.stream_arn.split(":")[3],
            "eventSourceARN": self.stream_arn,
        }

    def shown(self, record: kinesis.Record, role_arn: str | None) -> dict[str, Any]:
        return {"kinesis": self._payload(record), **self._about(record, role_arn)}

    def flat(self, record: kinesis.Record) -> dict[str, Any]:
        return self._payload(record) | self._about(record, None)

    def number_of(self, flat: Mapping[str, Any]) -> str:
        return str(flat["sequenceNumber"])

    def filtered(self, record: kinesis.Record) -> Mapping[str, Any]:
        """Its data as JSON, or without it where it is none: then it matches no filter that asks for it."""
        seen = {**self._payload(record), **self.shown(record, None)}
        try:
            return seen | {_DATA: json.loads(record.data)}
        except (ValueError, RecursionError):
            del seen[_DATA]
            return seen

    def arrival(self, ts: float) -> str:
        return datetime.fromtimestamp(ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Shards = Callable[[], Iterable[Shard]]
"""The shards that a stream has by now, the oldest first."""


def find(arn: str) -> Shards | None:
    """The shards of a stream by its ARN; None where there is no such stream."""
    table = tables.STREAMS.find(arn)
    if table is not None:
        return lambda: [TableShard(table)]
    stream = kinesis.STREAMS.find(arn)
    if stream is not None:
        return lambda: [KinesisShard(shard, arn) for shard in stream.shards]
    return None


def start(log: RecordLog[Numbered], mapping: Mapping[str, Any]) -> int:
    """The number of the record with which a new mapping begins, by its StartingPosition."""
    position = mapping.get("StartingPosition")
    if position == "LATEST":
        return log.next
    if position == "AT_TIMESTAMP":
        given = mapping.get("StartingPositionTimestamp") or 0
        return log.since(given.timestamp() if isinstance(given, datetime) else float(given))
    return log.oldest
