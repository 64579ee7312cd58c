"""Buffers of delivery streams, and the objects that are written of what was in them.

A stream has one thread, which writes an object when its buffer is full or its interval is over, as BufferingHints say.
What cannot be written is tried again until it can be, and kept until then; with the emulator it is gone.
"""

import gzip
import json
import logging
import threading
import time
import uuid
from typing import Any

from localstack.aws.connect import connect_to
from localstack.utils.aws.client_types import ServicePrincipal

from dlqlab.emulator.firehose import transforms
from dlqlab.emulator.firehose.prefixes import Naming
from dlqlab.emulator.firehose.settings import Destination, Transform
from dlqlab.emulator.firehose.transforms import Incoming, Outcome

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S, _PAUSE_MAX_S = 1.0, 60.0
"""Ours: AWS retries for up to 24 hours and gives no numbers."""


class Delivery:
    """The buffer of a delivery stream, and the thread that empties it."""

    def __init__(self, arn: str, source_arn: str | None, destination: Destination) -> None:
        self.arn, self.name = arn, arn.rpartition("/")[2]
        self.version = 1
        self._source_arn, self._destination = source_arn, destination
        self._changed = threading.Condition()
        self._buffer: list[Incoming] = []
        self._bytes = 0
        self._busy = 0
        self._since = 0.0
        self._is_ended = False
        threading.Thread(target=self._run, daemon=True, name="dlqlab-firehose").start()

    def put(self, data: bytes, *, arrived_ts: float | None = None, metadata: dict[str, Any] | None = None) -> str:
        """Take a record; its id."""
        record_id = f"{uuid.uuid4().hex}{uuid.uuid4().hex}"
        now = time.time() if arrived_ts is None else arrived_ts
        made = Incoming(record_id=record_id, data=data, arrived_ts=now, metadata=metadata or {})
        with self._changed:
            self._since = self._since if self._buffer else time.monotonic()
            self._buffer.append(made)
            self._bytes += len(data)
            self._changed.notify_all()
        return record_id

    @property
    def waiting(self) -> int:
        """How many records are not delivered yet."""
        with self._changed:
            return len(self._buffer) + self._busy

    def change(self, destination: Destination) -> None:
        """Deliver otherwise from now on."""
        with self._changed:
            self._destination = destination
            self.version += 1
            self._changed.notify_all()

    def end(self) -> None:
        """The stream is deleted: what is buffered is delivered at once, and tried once."""
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    def _run(self) -> None:
        while records := self._due():
            try:
                self._deliver(records)
            except Exception:  # noqa: BLE001  (the stream goes on whatever happened)
                _LOG.exception("the delivery stream %s has lost %d records", self.name, len(records))
            with self._changed:
                self._busy = 0

    def _due(self) -> list[Incoming]:
        """The records of the next object, once there is one; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._buffer or self._is_ended)
            while not self._is_ended and self._bytes < self._destination.size_bytes:
                left_s = self._since + self._destination.interval_s - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            records, self._buffer, self._bytes = self._buffer, [], 0
            self._busy = len(records)
            return records

    def _deliver(self, records: list[Incoming]) -> None:
        destination, oldest_ts = self._destination, min(one.arrived_ts for one in records)
        made, attempts = self._transformed(destination, records)
        naming = Naming(stream=self.name, version=self.version, ts=oldest_ts, zone=destination.zone)
        if made.delivered:
            body = b"".join(data + destination.delimiter for data in made.delivered)
            packed = gzip.compress(body) if destination.compression == "GZIP" else body
            self._write(destination, naming.key(destination.prefix, destination.extension), packed)
        if made.failed and destination.transform is not None:
            arn, ended_ts = destination.transform.function_arn, time.time()
            lines = transforms.failure_lines(made.failed, attempts=attempts, ended_ts=ended_ts, function_arn=arn)
            _, code, message = made.failed[0]
            self._tell(destination, code, message)
            self._write(destination, naming.error_key(destination.prefix, destination.error_prefix), lines)

    def _write(self, destination: Destination, key: str, body: bytes) -> None:
        """Until it is written, or the stream has been deleted."""
        failures = 0
        while not self._is_written(destination, key, body):
            pause_s = min(_PAUSE_MAX_S, _FIRST_PAUSE_S * 2 ** min(failures, 20))
            failures += 1
            with self._changed:
                if self._changed.wait_for(lambda: self._is_ended, pause_s):
                    _LOG.warning("the delivery stream %s is deleted with %d bytes of %s", self.name, len(body), key)
                    return

    def _is_written(self, destination: Destination, key: str, body: bytes) -> bool:
        try:
            self._client("s3", destination).put_object(Bucket=destination.bucket, Key=key, Body=body)
        except Exception as error:  # noqa: BLE001  (whatever it is about the bucket, it is tried again)
            _LOG.warning("the delivery stream %s cannot write to %s: %s", self.name, destination.bucket, error)
            self._tell(destination, "S3.DeliveryFailed", str(error))
            return False
        return True

    def _transformed(self, destination: Destination, records: list[Incoming]) -> tuple[Outcome, int]:
        """What becomes of the records, and how often the function was asked at most."""
        transform = destination.transform
        if transform is None:
            return Outcome(delivered=[one.data for one in records]), 0
        all_, most = Outcome(), 0
        for batch in transforms.batches(records, transform.batch_bytes):
            made, attempts = self._invoked(destination, transform, batch)
            all_.delivered += made.delivered
            all_.failed += made.failed
            most = max(most, attempts)
        return all_, most

    def _invoked(self, destination: Destination, transform: Transform, batch: list[Incoming]) -> tuple[Outcome, int]:
        invocation_id, said, attempts = str(uuid.uuid4()), "", 0
        given = transforms.event(batch, stream_arn=self.arn, source_arn=self._source_arn, invocation_id=invocation_id)
        while attempts <= transform.retries and not (attempts and self._is_ended):
            attempts += 1
            try:
                client = self._client("lambda", destination)
                answer = client.invoke(FunctionName=transform.function_arn, Payload=given)
                payload = answer["Payload"].read()
            except Exception as error:  # noqa: BLE001  (throttled, gone, too large: it is tried again)
                said = f"The Lambda function could not be invoked: {error}"
                continue
            if "FunctionError" not in answer:
                return transforms.outcome(batch, payload), attempts
            said = f"The Lambda function was successfully invoked but it returned an error result: {payload[:500]!r}"
        return transforms.all_failed(batch, said), attempts

    def _tell(self, destination: Destination, code: str, message: str) -> None:
        """Write a line into the log of the stream's errors, if it has one."""
        if destination.log is None:
            return
        group, stream = destination.log
        line = {
            "deliveryStreamARN": self.arn,
            "destination": f"arn:aws:s3:::{destination.bucket}",
            "deliveryStreamVersionId": self.version,
            "message": message,
            "errorCode": code,
        }
        try:
            self._client("logs", destination).put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(line)}],
            )
        except Exception as error:  # noqa: BLE001  (as on AWS the log is no condition of the delivery)
            _LOG.warning("the delivery stream %s cannot write its log %s: %s", self.name, group, error)

    def _client(self, service: str, destination: Destination) -> Any:
        """A client with the role of the destination, on behalf of the stream."""
        clients = connect_to.with_assumed_role(
            role_arn=destination.role_arn,
            service_principal=ServicePrincipal.firehose,
            region_name=self.arn.split(":")[3],
        )
        return clients.get_client(service).request_metadata(
            service_principal=ServicePrincipal.firehose, source_arn=self.arn
        )
