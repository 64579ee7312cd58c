"""Kinesis streams that delivery streams read, by the readers of event source mappings.

"Writing to Firehose using Kinesis Data Streams" (developer guide): from the latest record on at the time of creation.
"""

import threading
from typing import Any

from localstack.services.lambda_.event_source_mapping.esm_worker import EsmState

from dlqlab.emulator.firehose.delivering import Delivery
from dlqlab.emulator.kinesis import streams
from dlqlab.emulator.mappings.stream_batches import Batch
from dlqlab.emulator.mappings.stream_pollers import Lane, left, place, read_stream
from dlqlab.emulator.mappings.stream_sources import find


class SourceLane(Lane):
    """A reader of a shard that puts its records into the buffer."""

    def work(self, batch: Batch) -> int | None:
        delivery: Delivery = self.worker.delivery
        for one in batch.records:
            if isinstance(one, streams.Record):
                metadata = {
                    "shardId": self.shard.shard_id,
                    "partitionKey": one.keys,
                    "approximateArrivalTimestamp": int(one.written_ts * 1000),
                    "sequenceNumber": str(one.number),
                    "subsequenceNumber": 0,
                }
                delivery.put(one.data, arrived_ts=one.written_ts, metadata=metadata)
        return None


class Source:
    """What reads a stream, as the readers of mappings know their worker."""

    poller = None

    def __init__(self, source_arn: str, delivery: Delivery) -> None:
        self.uuid, self.delivery = delivery.arn, delivery
        self.current_state: EsmState | None = None
        self.esm_config = {"EventSourceArn": source_arn, "StartingPosition": "LATEST", "BatchSize": 500}
        self._shutdown_event = threading.Event()
        worker: Any = self
        place(worker)
        threading.Thread(target=read_stream, args=(worker, SourceLane), daemon=True, name="dlqlab-firehose").start()

    @property
    def waiting(self) -> int:
        """How many records of the stream are not in the buffer yet."""
        shards = find(self.esm_config["EventSourceArn"])  # type: ignore[arg-type]
        return left(self.uuid, shards) if shards else 0

    def end(self) -> None:
        self.current_state = EsmState.DELETING
        self._shutdown_event.set()
