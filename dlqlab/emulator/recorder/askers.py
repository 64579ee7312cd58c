"""Who asks for an invocation: what is taken down when it begins, and what that says, found out later."""

from typing import Any, NamedTuple

from dlqlab.contracts.recorded import ActorKind
from dlqlab.emulator.recorder.actors import Actor, Doing
from dlqlab.emulator.recorder.calls import HTTP_SERVICES


class Asker(NamedTuple):
    """Who asks for an invocation, as the thread knows it that does."""

    queue_arn: str | None
    """Of the queue whose batch a mapping hands over."""
    stream_arn: str | None
    api_arn: str | None
    actor: Actor
    service: str | None
    """What the request is for that the thread serves."""


class Source(NamedTuple):
    """Who asked for an invocation: as the columns ``source``, ``source_arn`` and ``client_request_id``."""

    name: str | None
    arn: str | None = None
    request_id: str | None = None


def asker_of(doing: Doing) -> tuple[Any, ...]:
    """Who is asking for an invocation on this thread, as ``Asker``: a plain tuple, which is made at once."""
    poller, connection = doing.poller, doing.connection
    return (
        None if poller is None else poller.source_arn,
        doing.stream_arn,
        doing.api_arn,
        doing.actor,
        None if connection is None else connection.service,
    )


def source_of(asked: tuple[Any, ...] | None) -> Source:
    """Pure; on the recorder's own thread.

    Args:
        asked: as ``asker_of`` has it; None where nobody knows.
    """
    if asked is None:
        return Source(None)
    asker = Asker(*asked)
    actor, mapped = asker.actor, asker.queue_arn or asker.stream_arn
    if mapped is not None:
        return Source("mapping", mapped)
    if asker.api_arn is not None:
        return Source("api gateway", asker.api_arn, actor.request_id)
    if actor.kind == ActorKind.SERVICE.value:
        name, _, arn = (actor.name or "").partition(" ")
        return Source("api gateway" if name == "apigateway" else name, arn or None, actor.request_id)
    if actor.kind == ActorKind.CLIENT.value and asker.service in HTTP_SERVICES:
        return Source("function url", None, actor.request_id)
    return Source(actor.kind, None, actor.request_id)
