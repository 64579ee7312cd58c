"""What the configuration of a delivery stream says, and what of it is refused by name. Pure.

Sources: CreateDeliveryStream, ExtendedS3DestinationConfiguration, Processor, BufferingHints (Amazon Data Firehose API
reference) and "Transform source data in Amazon Data Firehose" (developer guide) for the defaults.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlqlab.emulator.firehose import prefixes

MB = 1024 * 1024
EXTENDED, PLAIN = "ExtendedS3DestinationConfiguration", "S3DestinationConfiguration"
DIRECT_PUT, FROM_KINESIS = "DirectPut", "KinesisStreamAsSource"
KINESIS = "KinesisStreamSourceConfiguration"
_SERVED = frozenset({
    EXTENDED, PLAIN, KINESIS, "DeliveryStreamName", "DeliveryStreamType", "DirectPutSourceConfiguration",
    "DeliveryStreamEncryptionConfigurationInput", "Tags",
})  # fmt: skip
_SIZE_MB, _INTERVAL_S = 5, 300
_COMPRESSIONS = {"UNCOMPRESSED": "", "GZIP": ".gz"}
"""With what an object's name ends."""
_RETRIES, _BATCH_MB, _BATCH_MAX_MB = 3, 1.0, 3.0
_NOT_DONE = {
    "DataFormatConversionConfiguration": "conversion of records",
    "DynamicPartitioningConfiguration": "dynamic partitioning",
}

type Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """The function through which records go, and how many bytes of them at once."""

    function_arn: str
    retries: int
    batch_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where records go and when."""

    bucket: str
    role_arn: str
    prefix: str
    error_prefix: str | None
    size_bytes: int
    interval_s: float
    compression: str
    extension: str
    zone: str
    transform: Transform | None
    delimiter: bytes
    log: tuple[str, str] | None
    """Log group and stream that are told of errors."""

    @classmethod
    def of(cls, config: Settings) -> "Destination":
        """Args:
        config: that of S3, which ``wrong`` does not refuse.
        """
        hints, log = config.get("BufferingHints") or {}, config.get("CloudWatchLoggingOptions") or {}
        size, interval = hints.get("SizeInMBs"), hints.get("IntervalInSeconds")
        compression = config.get("CompressionFormat") or "UNCOMPRESSED"
        is_told = log.get("Enabled") and log.get("LogGroupName") and log.get("LogStreamName")
        return cls(
            bucket=config["BucketARN"].rpartition(":")[2],
            role_arn=config["RoleARN"],
            prefix=config.get("Prefix") or "",
            error_prefix=config.get("ErrorOutputPrefix") or None,
            size_bytes=int((_SIZE_MB if size is None else size) * MB),
            interval_s=_INTERVAL_S if interval is None else interval,
            compression=compression,
            extension=config.get("FileExtension") or _COMPRESSIONS[compression],
            zone=config.get("CustomTimeZone") or "UTC",
            transform=_transform(config),
            delimiter=_delimiter(config),
            log=(log["LogGroupName"], log["LogStreamName"]) if is_told else None,
        )


def _processors(config: Settings) -> list[tuple[str, dict[str, str]]]:
    """The type and the parameters of each processor that is switched on."""
    processing = config.get("ProcessingConfiguration") or {}
    if not processing.get("Enabled"):
        return []
    return [
        (one["Type"], {each["ParameterName"]: each["ParameterValue"] for each in one.get("Parameters") or ()})
        for one in processing.get("Processors") or ()
    ]


def _transform(config: Settings) -> Transform | None:
    for kind, parameters in _processors(config):
        if kind == "Lambda":
            size = min(float(parameters.get("BufferSizeInMBs") or _BATCH_MB), _BATCH_MAX_MB)
            return Transform(
                function_arn=parameters["LambdaArn"],
                retries=int(parameters.get("NumberOfRetries") or _RETRIES),
                batch_bytes=int(size * MB),
            )
    return None


def _delimiter(config: Settings) -> bytes:
    for kind, parameters in _processors(config):
        if kind == "AppendDelimiterToRecord":
            return (parameters.get("Delimiter") or "\\n").replace("\\n", "\n").encode()
    return b""


def wrong(request: Settings) -> str | None:
    """Why a delivery stream is refused; None if it is not.

    Args:
        request: the members of CreateDeliveryStream.
    """
    checks = (_wrong_source(request), _wrong_destination(request))
    return next((found for check in checks for found in check), None)


def _wrong_source(request: Settings) -> Iterator[str]:
    kind, source = request.get("DeliveryStreamType") or DIRECT_PUT, request.get(KINESIS)
    if kind not in {DIRECT_PUT, FROM_KINESIS}:
        yield f"DeliveryStreamType {kind} is not served by this emulator: give {DIRECT_PUT} or {FROM_KINESIS}."
    if (kind == FROM_KINESIS) != (source is not None):
        yield f"{KINESIS} belongs to the DeliveryStreamType {FROM_KINESIS}: give both, or neither."


def _wrong_destination(request: Settings) -> Iterator[str]:
    for name in request:
        if request[name] and name not in _SERVED:
            yield f"{name} is not served by this emulator: give {EXTENDED}."
    given = [request[name] for name in (EXTENDED, PLAIN) if request.get(name)]
    if len(given) != 1:
        yield f"A delivery stream needs one destination: give {EXTENDED}."
    for config in given:
        yield from wrong_config(config)


def wrong_config(config: Settings) -> Iterator[str]:
    """Each thing for which the configuration of S3 is refused."""
    for name, what in _NOT_DONE.items():
        if (config.get(name) or {}).get("Enabled", bool(config.get(name))):
            yield f"{name} is not served by this emulator, which does no {what}: leave it out."
    if config.get("S3BackupMode") == "Enabled":
        yield "S3BackupMode Enabled is not served by this emulator: leave it out."
    compression = config.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in _COMPRESSIONS:
        yield f"CompressionFormat {compression} is not served by this emulator: give {' or '.join(_COMPRESSIONS)}."
    if not str(config.get("BucketARN")).startswith("arn:"):
        yield f"BucketARN is {config.get('BucketARN')}: give the ARN of a bucket."
    yield from _wrong_processors(config)
    try:
        prefixes.check(config.get("Prefix") or "", config.get("ErrorOutputPrefix"))
        prefixes.zone_of(config.get("CustomTimeZone") or "UTC")
    except prefixes.PrefixError as error:
        yield str(error)


def _wrong_processors(config: Settings) -> Iterator[str]:
    for kind, parameters in _processors(config):
        if kind not in {"Lambda", "AppendDelimiterToRecord"}:
            yield f"The processor {kind} is not served by this emulator: leave it out, or do it in a Lambda function."
        if kind == "Lambda" and not parameters.get("LambdaArn", "").startswith("arn:"):
            yield "The processor Lambda needs the parameter LambdaArn: give the ARN of a function."
        for name, least, most in (("NumberOfRetries", 0, 300), ("BufferSizeInMBs", 0.2, 3)):
            value = parameters.get(name)
            if value is not None and not _is_within(value, least, most):
                yield f"{name} of the processor {kind} is {value}: give a number from {least} to {most}."


def _is_within(text: str, least: float, most: float) -> bool:
    try:
        return least <= float(text) <= most
    except ValueError:
        return False


def typed(value: Any, name: str = "") -> Any:
    """What a template says, as the API takes it: templates write numbers and booleans as texts or not, as they like."""
    if isinstance(value, Mapping):
        return {key: typed(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    if name in {"SizeInMBs", "IntervalInSeconds"}:
        return int(value)
    if name == "Enabled":
        return str(value).lower() == "true"
    return str(value) if name == "ParameterValue" else value
