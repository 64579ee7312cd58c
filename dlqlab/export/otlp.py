"""OpenTelemetry's protocol, OTLP: JSON lines to a file, or protobuf to a collector by HTTP.

A line of the file is one ``ExportTraceServiceRequest`` in OTLP's JSON encoding, as the collector's file exporter writes
and its ``otlpjsonfile`` receiver reads it ("OpenTelemetry Protocol File Exporter").
"""

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import requests
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from dlqlab.contracts.hosts import is_loopback_url
from dlqlab.contracts.recording import Recording
from dlqlab.errors import DlqlabError
from dlqlab.export.otel import Converter
from dlqlab.traces.recorded import spans

TRACES_PATH = "/v1/traces"
"""Where a collector takes traces: "OTLP/HTTP Request" in OpenTelemetry's specification."""
SPANS_AT_ONCE = 512
"""In one request, as in the SDK's own batches."""
_EXPORTER_LOG = "opentelemetry.exporter.otlp"


class ExportError(DlqlabError):
    """What was exported did not arrive, or not all of it."""


class Sink(Protocol):
    """Takes spans.

    Raises:
        ExportError: it could not.
    """

    def __call__(self, some: Sequence[ReadableSpan], /) -> object: ...


def export(recording: Recording, run_id: str, sink: Sink) -> int:
    """Every span of a recording, some at a time; how many there are."""
    convert, sent = Converter(run_id, _functions(recording)), 0
    for some in spans(recording):
        for at in range(0, len(some), SPANS_AT_ONCE):
            sink([convert(span) for span in some[at : at + SPANS_AT_ONCE]])
        sent += len(some)
    return sent


def write_file(recording: Recording, run_id: str, path: Path) -> int:
    """To a file, which is there when it is whole, in place of any that was.

    Raises:
        ExportError: it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            sent = export(recording, run_id, lambda some: file.write(line(some) + "\n"))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ExportError(f"{path}: cannot be written: {error.strerror}") from error
    return sent


def line(some: Sequence[ReadableSpan]) -> str:
    """Spans as one request in OTLP's JSON encoding: ids in hexadecimal digits, enumerations as numbers."""
    message = MessageToDict(encode_spans(some), use_integers_for_enums=True)
    for span, made in zip(_spans_in(message), _in_order_of_request(some), strict=True):
        span["traceId"], span["spanId"] = f"{made.context.trace_id:032x}", f"{made.context.span_id:016x}"
        if made.parent is not None:
            span["parentSpanId"] = f"{made.parent.span_id:016x}"
        for link, to in zip(span.get("links", ()), made.links, strict=True):
            link["traceId"], link["spanId"] = f"{to.context.trace_id:032x}", f"{to.context.span_id:016x}"
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


class Collector:
    """A collector at a URL. Tries again by itself for a while, as OpenTelemetry's exporter does."""

    def __init__(self, url: str) -> None:
        session = requests.Session()
        session.max_redirects = 0  # elsewhere nobody has agreed to
        session.trust_env = not is_loopback_url(url)  # a proxy has a loopback of its own
        session.hooks["response"].append(self._note)
        self._url = traces_url(url)
        self._exporter = OTLPSpanExporter(endpoint=self._url, session=session)
        self._rejected = ""

    def __call__(self, some: Sequence[ReadableSpan]) -> None:
        """Send spans.

        Raises:
            ExportError: the collector cannot be reached, answers with an error, or takes only some of them.
        """
        with _Complaints() as complaints:
            result = self._exporter.export(some)
        if result is not SpanExportResult.SUCCESS:
            raise ExportError(f"{self._url}: {complaints.told or 'the spans were not taken'}")
        if self._rejected:
            raise ExportError(f"{self._url}: {self._rejected}")

    def close(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _note(self, response: requests.Response, **_options: Any) -> None:
        """A collector may take some spans and say so in an answer without an error ("OTLP/HTTP Response")."""
        answer = ExportTraceServiceResponse()
        if not response.ok or "protobuf" not in response.headers.get("content-type", ""):
            return
        try:
            answer.ParseFromString(response.content)
        except DecodeError:
            return  # not of this protocol: what it accepted, it has not said
        if answer.partial_success.rejected_spans:
            said = answer.partial_success
            self._rejected = (
                f"{said.rejected_spans:,} spans were rejected: {said.error_message or 'it does not say why'}"
            )


def traces_url(url: str) -> str:
    """A collector's address, with the path for traces where it has none."""
    return url.rstrip("/") + TRACES_PATH if urlsplit(url).path in {"", "/"} else url


class _Complaints(logging.Handler):
    """What the exporter logs while it fails, which it tells nobody else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._found: list[str] = []
        self._log = logging.getLogger(_EXPORTER_LOG)

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(record.getMessage())

    @property
    def told(self) -> str:
        """The first, which has the cause, and the last."""
        return "; ".join(dict.fromkeys([*self._found[:1], *self._found[-1:]]))

    def __enter__(self) -> Self:
        self._was, self._log.propagate = self._log.propagate, False
        self._log.addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        self._log.removeHandler(self)
        self._log.propagate = self._was


def _functions(recording: Recording) -> Collection[str]:
    found: list[str] = recording.invocations["function"].unique().to_pylist()
    return found


def _spans_in(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def _in_order_of_request(some: Sequence[ReadableSpan]) -> Iterator[ReadableSpan]:
    """A request has the spans by resource, each in the order in which it first comes."""
    by_resource: dict[Any, list[ReadableSpan]] = {}
    for span in some:
        by_resource.setdefault(span.resource, []).append(span)
    for found in by_resource.values():
        yield from found
