"""Who asks for an invocation: what is written down when it begins, and what that says, found out by readers. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.recorder.actors import Doing
from dlqlab.emulator.recorder.calls import HTTP_SERVICES
from dlqlab.emulator.recorder.chunks import Row
from dlqlab.emulator.recorder.rows import STARTED


class Asker(NamedTuple):
    """Who asks for an invocation, as the thread knows it that does."""

    queue_arn: str | None
    """Of the queue whose batch a mapping hands over."""
    stream_arn: str | None
    api_arn: str | None
    actor_kind: str
    actor: str | None
    actor_request_id: str | None
    service: str | None
    """What the request is for that the thread serves."""


class Source(NamedTuple):
    """Who asked for an invocation: as the columns ``source``, ``source_arn`` and ``client_request_id``."""

    name: str | None
    arn: str | None = None
    request_id: str | None = None


def asker_of(doing: Doing) -> tuple[Any, ...]:
    """Who is asking for an invocation on this thread, as ``Asker``: a plain tuple, as it is written."""
    poller, connection = doing.poller, doing.connection
    kind, name, request_id = doing.actor
    return (
        None if poller is None else poller.source_arn,
        doing.stream_arn,
        doing.api_arn,
        kind,
        name,
        request_id,
        None if connection is None else connection.service,
    )


def source_of(asked: Sequence[Any] | None) -> Source:
    """Args:
    asked: as ``asker_of`` has it; None where nobody knows.
    """
    if asked is None:
        return Source(None)
    asker = Asker(*asked)
    mapped, request_id = asker.queue_arn or asker.stream_arn, asker.actor_request_id
    if mapped is not None:
        return Source("mapping", mapped)
    if asker.api_arn is not None:
        return Source("api gateway", asker.api_arn, request_id)
    if asker.actor_kind == ActorKind.SERVICE.value:
        name, _, arn = (asker.actor or "").partition(" ")
        return Source("api gateway" if name == "apigateway" else name, arn or None, request_id)
    if asker.actor_kind == ActorKind.CLIENT.value and asker.service in HTTP_SERVICES:
        return Source("function url", None, request_id)
    return Source(asker.actor_kind, None, request_id)


def started_row(row: Row) -> Row:
    """What an ``ASKED`` row, as it was written, says."""
    _, seq, started_ts, request_id, function, asker, ids, reports = row
    source = source_of(asker)
    asked = source.name, source.arn, ids, None if ids is None else reports, source.request_id
    return STARTED, seq, started_ts, request_id, function, *asked
