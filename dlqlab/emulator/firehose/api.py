"""The operations of Firehose by their names, checked against the API's model first (API reference)."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.model import ServiceModel
from localstack.aws.api import CommonServiceException

from dlqlab.emulator.core import constraints
from dlqlab.emulator.firehose import settings
from dlqlab.emulator.firehose.delivering import Delivery
from dlqlab.emulator.firehose.settings import EXTENDED, FROM_KINESIS, KINESIS, MB, PLAIN, Destination
from dlqlab.emulator.firehose.sources import Source
from dlqlab.emulator.kinesis.streams import STREAMS as KINESIS_STREAMS

type Answer = dict[str, Any]
type Request = Mapping[str, Any]
type Operation = Callable[[Any, Request], Answer]

_DESTINATION = "destinationId-000000000001"
_INVALID = "InvalidArgumentException"
RECORD_BYTES_MAX, BATCH_BYTES_MAX = 1000 * 1024, 4 * MB
_HINTS = {"SizeInMBs": 5, "IntervalInSeconds": 300}
_DEFAULTS: Request = {
    "BufferingHints": _HINTS,
    "CompressionFormat": "UNCOMPRESSED",
    "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
    "CloudWatchLoggingOptions": {"Enabled": False},
}


def _refused(code: str, message: str) -> CommonServiceException:
    return CommonServiceException(code, message, 400, sender_fault=True)


@dataclass(slots=True)
class DeliveryStream:
    """A delivery stream."""

    arn: str
    kind: str
    config: dict[str, Any]
    """That of S3."""
    delivery: Delivery
    source_config: Request | None
    source: Source | None
    tags: dict[str, str]
    encryption: dict[str, Any]
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def name(self) -> str:
        return self.delivery.name

    @property
    def waiting(self) -> int:
        """How many records are not delivered yet."""
        return self.delivery.waiting + (self.source.waiting if self.source else 0)


class Api:
    """The operations, as LocalStack calls them: context, request."""

    service = "firehose"

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._streams: dict[str, DeliveryStream] = {}
        self._lock = threading.Lock()

    @property
    def streams(self) -> list[DeliveryStream]:
        return [*self._streams.values()]

    def dispatch_table(self) -> dict[str, Operation]:
        served: dict[str, Operation] = {
            "CreateDeliveryStream": self.create,
            "DeleteDeliveryStream": self.delete,
            "DescribeDeliveryStream": self.describe,
            "ListDeliveryStreams": self.list_streams,
            "ListTagsForDeliveryStream": self.list_tags,
            "PutRecord": self.put_record,
            "PutRecordBatch": self.put_batch,
            "StartDeliveryStreamEncryption": self.start_encryption,
            "StopDeliveryStreamEncryption": self.stop_encryption,
            "TagDeliveryStream": self.tag,
            "UntagDeliveryStream": self.untag,
            "UpdateDestination": self.update,
        }
        return {name: self._checked(name, operation) for name, operation in served.items()}

    def _checked(self, name: str, serve: Operation) -> Operation:
        shape = self._model.operation_model(name).input_shape

        def operation(context: Any, request: Request) -> Answer:
            if shape is not None and (found := list(constraints.violations(shape, request))):
                raise _refused("ValidationException", constraints.text(found))
            return serve(context, request)

        return operation

    def create(self, context: Any, request: Request) -> Answer:
        """CreateDeliveryStream."""
        if reason := settings.wrong(request):
            raise _refused(_INVALID, reason)
        source_config: Request | None = request.get(KINESIS)
        if source_config and KINESIS_STREAMS.find(source_config["KinesisStreamARN"]) is None:
            raise _refused(_INVALID, f"Kinesis stream {source_config['KinesisStreamARN']} not found.")
        config = dict(request.get(EXTENDED) or request[PLAIN])
        arn = self._arn(context, request["DeliveryStreamName"])
        with self._lock:
            if arn in self._streams:
                name = request["DeliveryStreamName"]
                message = f"Firehose {name} under accountId {context.account_id} already exists"
                raise _refused("ResourceInUseException", message)
            source_arn = source_config["KinesisStreamARN"] if source_config else None
            delivery = Delivery(arn, source_arn, Destination.of(config))
            self._streams[arn] = DeliveryStream(
                arn=arn,
                kind=request.get("DeliveryStreamType") or settings.DIRECT_PUT,
                config=config,
                delivery=delivery,
                source_config=source_config,
                source=Source(source_arn, delivery) if source_arn else None,
                tags={one["Key"]: one.get("Value", "") for one in request.get("Tags") or ()},
                encryption=_encrypted(request.get("DeliveryStreamEncryptionConfigurationInput")),
            )
        return {"DeliveryStreamARN": arn}

    def delete(self, context: Any, request: Request) -> Answer:
        """DeleteDeliveryStream: what is buffered is delivered at once."""
        stream = self._find(context, request)
        with self._lock:
            self._streams.pop(stream.arn, None)
        if stream.source:
            stream.source.end()
        stream.delivery.end()
        return {}

    def describe(self, context: Any, request: Request) -> Answer:
        """DescribeDeliveryStream."""
        stream = self._find(context, request)
        told = {**_DEFAULTS, **stream.config}
        told["BufferingHints"] = {**_HINTS, **(stream.config.get("BufferingHints") or {})}
        plain = self._model.shape_for("S3DestinationDescription").members  # type: ignore[attr-defined]
        extended = self._model.shape_for("ExtendedS3DestinationDescription").members  # type: ignore[attr-defined]
        destination = {
            "DestinationId": _DESTINATION,
            "S3DestinationDescription": {name: told[name] for name in plain if name in told},
            "ExtendedS3DestinationDescription": {"S3BackupMode": "Disabled"}
            | {name: told[name] for name in extended if name in told},
        }
        description: Answer = {
            "DeliveryStreamName": stream.name,
            "DeliveryStreamARN": stream.arn,
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamEncryptionConfiguration": stream.encryption,
            "DeliveryStreamType": stream.kind,
            "VersionId": str(stream.delivery.version),
            "CreateTimestamp": stream.created,
            "Destinations": [destination],
            "HasMoreDestinations": False,
        }
        if stream.source_config:
            source = {**stream.source_config, "DeliveryStartTimestamp": stream.created}
            description["Source"] = {"KinesisStreamSourceDescription": source}
        return {"DeliveryStreamDescription": description}

    def list_streams(self, context: Any, request: Request) -> Answer:
        """ListDeliveryStreams."""
        here, after = self._arn(context, ""), request.get("ExclusiveStartDeliveryStreamName") or ""
        kind = request.get("DeliveryStreamType")
        left = sorted(
            one.name
            for one in self.streams
            if one.arn.startswith(here) and one.name > after and kind in {None, one.kind}
        )
        told = left[: request.get("Limit") or 10]
        return {"DeliveryStreamNames": told, "HasMoreDeliveryStreams": len(told) < len(left)}

    def put_record(self, context: Any, request: Request) -> Answer:
        """PutRecord."""
        stream = self._direct(context, request)
        _check_size(request["Record"])
        return {"RecordId": stream.delivery.put(request["Record"]["Data"]), "Encrypted": False}

    def put_batch(self, context: Any, request: Request) -> Answer:
        """PutRecordBatch: all of them are taken, since throughput is never exceeded here."""
        stream, records = self._direct(context, request), request["Records"]
        for one in records:
            _check_size(one)
        if sum(len(one["Data"]) for one in records) > BATCH_BYTES_MAX:
            raise _refused(_INVALID, "Records size exceeds 4 MB limit")
        taken = [{"RecordId": stream.delivery.put(one["Data"])} for one in records]
        return {"FailedPutCount": 0, "Encrypted": False, "RequestResponses": taken}

    def update(self, context: Any, request: Request) -> Answer:
        """UpdateDestination."""
        stream = self._find(context, request)
        others = request.keys() - {
            "DeliveryStreamName", "CurrentDeliveryStreamVersionId", "DestinationId", "S3DestinationUpdate",
            "ExtendedS3DestinationUpdate",
        }  # fmt: skip
        if others:
            raise _refused(_INVALID, f"{', '.join(sorted(others))} is not served by this emulator: leave it out.")
        if request["CurrentDeliveryStreamVersionId"] != str(stream.delivery.version):
            message = f"Version {request['CurrentDeliveryStreamVersionId']} is not the current one of {stream.name}."
            raise _refused("ConcurrentModificationException", message)
        changed = request.get("ExtendedS3DestinationUpdate") or request.get("S3DestinationUpdate") or {}
        config = {**stream.config, **changed}
        if reason := next(settings.wrong_config(config), None):
            raise _refused(_INVALID, reason)
        stream.config = config
        stream.delivery.change(Destination.of(config))
        return {}

    def tag(self, context: Any, request: Request) -> Answer:
        """TagDeliveryStream."""
        self._find(context, request).tags.update({one["Key"]: one.get("Value", "") for one in request["Tags"]})
        return {}

    def untag(self, context: Any, request: Request) -> Answer:
        """UntagDeliveryStream."""
        tags = self._find(context, request).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, context: Any, request: Request) -> Answer:
        """ListTagsForDeliveryStream."""
        after = request.get("ExclusiveStartTagKey") or ""
        tags = sorted(self._find(context, request).tags.items())
        left = [{"Key": key, "Value": value} for key, value in tags if key > after]
        told = left[: request.get("Limit") or len(left)]
        return {"Tags": told, "HasMoreTags": len(told) < len(left)}

    def start_encryption(self, context: Any, request: Request) -> Answer:
        """StartDeliveryStreamEncryption: it is told, nothing is encrypted."""
        given = request.get("DeliveryStreamEncryptionConfigurationInput") or {"KeyType": "AWS_OWNED_CMK"}
        self._find(context, request).encryption = _encrypted(given)
        return {}

    def stop_encryption(self, context: Any, request: Request) -> Answer:
        """StopDeliveryStreamEncryption."""
        self._find(context, request).encryption = _encrypted(None)
        return {}

    def _arn(self, context: Any, name: str) -> str:
        return f"arn:{context.partition}:firehose:{context.region}:{context.account_id}:deliverystream/{name}"

    def _find(self, context: Any, request: Request) -> DeliveryStream:
        name = request["DeliveryStreamName"]
        found = self._streams.get(self._arn(context, name))
        if found is None:
            message = f"Firehose {name} under account {context.account_id} not found."
            raise _refused("ResourceNotFoundException", message)
        return found

    def _direct(self, context: Any, request: Request) -> DeliveryStream:
        stream = self._find(context, request)
        if stream.kind == FROM_KINESIS:
            message = f"This operation is not permitted on {FROM_KINESIS} delivery stream type."
            raise _refused(_INVALID, message)
        return stream


def _check_size(record: Request) -> None:
    if len(record["Data"]) > RECORD_BYTES_MAX:
        raise _refused(
            "ValidationException",
            "1 validation error detected: Value at 'record.data' failed to satisfy constraint: Member must have length "
            f"less than or equal to {RECORD_BYTES_MAX}",
        )


def _encrypted(given: Request | None) -> dict[str, Any]:
    return {"Status": "ENABLED", **given} if given else {"Status": "DISABLED"}
