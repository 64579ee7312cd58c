"""A span: something that took time, what caused it and what else it has to do with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

type Row = Mapping[str, Any]
"""A row of one of the recorder's tables, by column."""
type Value = str | bool | int | float | tuple[str, ...]
type Attributes = Mapping[str, Value]


class Kind(StrEnum):
    """OpenTelemetry's kinds of spans."""

    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    INTERNAL = "internal"


class About(StrEnum):
    """What a span is about."""

    REQUEST = "request"
    """To a REST API or a function URL."""
    INVOCATION = "invocation"
    INIT = "init"
    CALL = "call"
    """Of an AWS API."""
    SEND = "send"
    """A message enters a queue."""
    DELIVERY = "delivery"
    """A message is given out, until it is settled or its invocation has ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span is found."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """Another span that this one has to do with, and is not the child of."""

    to: Place
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment, in seconds since the epoch."""

    ts: float
    name: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Times are in seconds since the epoch.

    ``service`` is who did it: a function, ``API Gateway``, ``SQS``, ``client``. ``error`` is None where all went well,
    else what is known of what did not, which may be nothing (``""``).
    """

    at: Place
    about: About
    name: str
    kind: Kind
    service: str
    start_ts: float
    end_ts: float
    parent_id: str | None = None
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    error: str | None = None
    is_ended: bool = True
    """False where the record ends before it does: then ``end_ts`` is the last that is known."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the recorder's tables, in the order of their times."""

    messages: Sequence[Row] = ()
    invocations: Sequence[Row] = ()
    calls: Sequence[Row] = ()


def attributes(*pairs: tuple[str, Any]) -> Attributes:
    """Those whose value is known; lists as tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in pairs if value is not None}
