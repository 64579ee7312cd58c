"""Spans of ``dlqlab.traces`` as the OpenTelemetry SDK has them.

They are made whole, not by a tracer: all of them are over, and their ids are known.
"""

import functools
from collections.abc import Collection, Mapping

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv._incubating.attributes import cloud_attributes as cloud
from opentelemetry.semconv._incubating.attributes import faas_attributes as faas
from opentelemetry.semconv.attributes import service_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from dlqlab import __version__
from dlqlab.traces.model import Kind, Place, Span

SCHEMA = Schemas.V1_44_0.value
"""The version of the semantic conventions that the attributes keep to."""
RUN_ID, IS_ENDED = "dlqlab.run_id", "dlqlab.is_ended"
_SCOPE = InstrumentationScope("dlqlab", __version__, SCHEMA)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KINDS: Mapping[Kind, SpanKind] = {kind: SpanKind[kind.name] for kind in Kind}
_NS_PER_S = 1_000_000_000


class Converter:
    """Makes spans of one run."""

    def __init__(self, run_id: str, functions: Collection[str]) -> None:
        """Names of functions tell which services are functions."""
        self._run_id = run_id
        self._functions = frozenset(functions)
        self._resource = functools.cache(self._resource_of)

    def __call__(self, span: Span) -> ReadableSpan:
        parent = Place(span.at.trace_id, span.parent_id) if span.parent_id else None
        return ReadableSpan(
            name=span.name,
            context=_context(span.at),
            parent=_context(parent) if parent else None,
            resource=self._resource(span.service),
            attributes={**span.attributes, **({} if span.is_ended else {IS_ENDED: False})},
            events=[Event(event.name, event.attributes, _ns(event.ts)) for event in span.events],
            links=[Link(_context(link.to), link.attributes) for link in span.links],
            kind=_KINDS[span.kind],
            status=Status() if span.error is None else Status(StatusCode.ERROR, span.error or None),
            start_time=_ns(span.start_ts),
            end_time=_ns(span.end_ts),
            instrumentation_scope=_SCOPE,
        )

    def _resource_of(self, service: str) -> Resource:
        named = {
            service_attributes.SERVICE_NAME: service,
            cloud.CLOUD_PROVIDER: cloud.CloudProviderValues.AWS.value,
            RUN_ID: self._run_id,
        }
        if service in self._functions:
            named |= {
                faas.FAAS_NAME: service,
                cloud.CLOUD_PLATFORM: cloud.CloudPlatformValues.AWS_LAMBDA.value,
            }
        return Resource(named, SCHEMA)


def _context(place: Place) -> SpanContext:
    """Remote, since another process has always been between: a function, a queue, API Gateway."""
    return SpanContext(int(place.trace_id, 16), int(place.span_id, 16), is_remote=True, trace_flags=_SAMPLED)


def _ns(ts: float) -> int:
    return round(ts * _NS_PER_S)
