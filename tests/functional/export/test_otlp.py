"""OTLP of a recording, to a file and to a collector, read back with OpenTelemetry's own protocol."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from dlqlab.contracts.recording import Recording
from dlqlab.export import otlp
from dlqlab.export.otlp import Collector, ExportError, export, traces_url, write_file
from tests.support.loopback import serving
from tests.support.recordings import QUEUE, T0, recording

ROOT = "1-6b0b29af-392687750b9865922f2016bf"
TASKS = 30


def tasks(count: int = TASKS) -> Recording:
    """Each sent by a client and failed once by a function."""
    names = [f"m{n}" for n in range(count)]
    return recording(
        messages=[
            row
            for n, name in enumerate(names)
            for row in (
                {"kind": "sent", "message_id": name, "ts": T0 + n, "trace_id": ROOT[:-2] + f"{n:02x}"},
                {"kind": "received", "message_id": name, "ts": T0 + n + 0.1, "receive_count": 1},
            )
        ],
        invocations=[
            {
                "request_id": f"i{n}",
                "started_ts": T0 + n + 0.2,
                "ended_ts": T0 + n + 0.3,
                "source": "mapping",
                "source_arn": QUEUE,
                "message_ids": [name],
                "failed_ids": [name],
                "outcome": "error",
                "error_type": "ValueError",
                "error_message": "grün",
                "trace_id": ROOT[:-2] + f"{n:02x}",
            }
            for n, name in enumerate(names)
        ],
    )


def spans_of(requests: list[ExportTraceServiceRequest]) -> list[Span]:
    return [
        span
        for request in requests
        for one in request.resource_spans
        for scope in one.scope_spans
        for span in scope.spans
    ]


def read_line(line: str) -> ExportTraceServiceRequest:
    """OTLP's JSON has ids in hexadecimal digits, where protobuf's own has base64: read them as what they are."""
    value = json.loads(line)
    ids = {"traceId": 16, "spanId": 8, "parentSpanId": 8}

    def decode(found: Any) -> Any:
        if isinstance(found, list):
            return [decode(each) for each in found]
        if not isinstance(found, dict):
            return found
        decoded = {name: decode(each) for name, each in found.items() if name not in ids}
        for name, size in ids.items():
            if name in found:
                assert size == len(bytes.fromhex(found[name]))
                decoded[name] = _base64(found[name])
        return decoded

    found: ExportTraceServiceRequest = Parse(json.dumps(decode(value)), ExportTraceServiceRequest())
    return found


def _base64(digits: str) -> str:

    return base64.b64encode(bytes.fromhex(digits)).decode()


def test_a_file_is_otlp_line_by_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Several lines, each a whole request that OpenTelemetry's own protocol reads; ids are X-Ray's."""
    monkeypatch.setattr(otlp, "SPANS_AT_ONCE", 40)
    file = tmp_path / "traces.jsonl"
    written = write_file(tasks(), "the-run", file)
    requests = [read_line(line) for line in file.read_text().splitlines()]

    found = spans_of(requests)
    assert (3 * TASKS, 3 * TASKS) == (written, len(found))
    assert 1 < len(requests) < TASKS
    assert TASKS == len({span.trace_id for span in found})
    first = [span for span in found if span.trace_id.hex() == "6b0b29af392687750b9865922f201600"]
    send, process, invocation = sorted(first, key=lambda span: span.start_time_unix_nano)
    assert (b"", send.span_id, process.span_id) == (
        send.parent_span_id,
        process.parent_span_id,
        invocation.parent_span_id,
    )
    assert (Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER, Span.SPAN_KIND_SERVER) == (
        send.kind,
        process.kind,
        invocation.kind,
    )
    assert [(send.trace_id, send.span_id)] == [(link.trace_id, link.span_id) for link in invocation.links]
    assert (Status.STATUS_CODE_ERROR, "grün") == (invocation.status.code, invocation.status.message)
    assert ["exception"] == [event.name for event in invocation.events]
    assert round((T0 + 0.2) * 1e9) == invocation.start_time_unix_nano
    resources = {
        attribute.value.string_value
        for request in requests
        for one in request.resource_spans
        for attribute in one.resource.attributes
        if attribute.key == "service.name"
    }
    assert {"client", "processor"} == resources


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """And nothing is left of it."""
    with pytest.raises(ExportError, match=r"nowhere/traces\.jsonl: cannot be written: No such file"):
        write_file(tasks(1), "the-run", tmp_path / "nowhere" / "traces.jsonl")
    assert [] == list(tmp_path.iterdir())


class Received:
    """What a collector got, and what it answers."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.requests: list[ExportTraceServiceRequest] = []
        self.status = 200
        self.answer = ExportTraceServiceResponse()
        self.headers: dict[str, str] = {}


@contextmanager
def collector(received: Received) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.paths.append(self.path)
            received.requests.append(ExportTraceServiceRequest.FromString(body))
            answer = received.answer.SerializeToString()
            self.send_response(received.status)
            for name, value in {
                "content-type": "application/x-protobuf",
                "content-length": str(len(answer)),
                **received.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_said: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server, threading.Event()):
        yield f"http://127.0.0.1:{server.server_port}"


def send(recording: Recording, url: str) -> int:
    target = Collector(url)
    try:
        return export(recording, "the-run", target)
    finally:
        target.close()


def test_a_collector_gets_every_span_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches, at the path for traces, past the shell's proxy."""
    monkeypatch.setattr(otlp, "SPANS_AT_ONCE", 40)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    received = Received()
    with collector(received) as url:
        sent = send(tasks(), url)

    found = spans_of(received.requests)
    assert 3 * TASKS == sent == len(found) == len({(span.trace_id, span.span_id) for span in found})
    assert {"/v1/traces"} == set(received.paths)
    assert 40 >= max(len(spans_of([request])) for request in received.requests)


def test_spans_that_a_collector_rejects_are_not_passed_over() -> None:
    """It says so in an answer that is no error."""
    received = Received()
    said = ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    received.answer = ExportTraceServiceResponse(partial_success=said)
    with collector(received) as url, pytest.raises(ExportError, match="2 spans were rejected: too old"):
        send(tasks(1), url)


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (307, {"location": "http://192.0.2.1/v1/traces"})])
def test_a_collector_that_refuses_is_told(status: int, headers: dict[str, str]) -> None:
    """Nor is a redirect to elsewhere followed."""
    received = Received()
    received.status, received.headers = status, headers
    with collector(received) as url, pytest.raises(ExportError, match=rf"{url}/v1/traces: Failed to export"):
        send(tasks(1), url)
    assert 1 == len(received.paths)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://h:4318", "http://h:4318/v1/traces"),
        ("http://h:4318/", "http://h:4318/v1/traces"),
        ("https://h/otlp/v1/traces", "https://h/otlp/v1/traces"),
    ],
)
def test_an_address_without_a_path_gets_the_one_for_traces(given: str, used: str) -> None:
    assert used == traces_url(given)
