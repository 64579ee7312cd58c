"""Mappings hand over SQS messages as AWS does: bodies byte for byte, every attribute, filters, at most 6 MB a batch.

LocalStack parses and rewrites the body of a message that a filter matches, matches text by filters for JSON, and gives
attributes without their empty lists. What a message that cannot be handed over does here: it stays in the queue, with a
warning in the emulator's log, and the others of its batch are handed over. What is beyond 6 MB, as JSON, goes back to
the queue for the next batch, with its receive count untouched.
"""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import ServiceException
from localstack.services.lambda_.api_utils import function_locators_from_arn
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.services.lambda_.event_source_mapping.senders.lambda_sender import LambdaSender
from localstack.utils.patch import patch as replace

from dlqlab.emulator.mappings import records
from dlqlab.emulator.mappings.filters import Filter
from dlqlab.emulator.mappings.mapped_queues import Message, delete, put_back
from dlqlab.emulator.mappings.responses import failed_ids
from dlqlab.emulator.mappings.rules import PatternError

_NOT_STARTED = frozenset({"ResourceNotFoundException", "ResourceConflictException"})
"""Of Invoke: the function is gone, or not ready. It has seen nothing of the batch."""
_LOG = logging.getLogger(__name__)


class NotStartedError(Exception):
    """The function could not be started at all; its messages are back in the queue."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a function answered."""

    is_error: bool
    payload: str | bytes | None
    request_id: str | None = None
    executed_version: str | None = None


Invoke = Callable[[LambdaSender, bytes, str | None], Response]
"""Invokes a mapping's function with an event and a trace header, and waits for its response."""

Handed = tuple[Message, bytes]
"""A message and its record in JSON."""


def invoke_by_client(sender: LambdaSender, event: bytes, _trace_header: str | None) -> Response:
    """Over HTTP, as LocalStack's own sender does."""
    qualifier = function_locators_from_arn(sender.target_arn)[1]
    answer = sender.target_client.invoke(
        FunctionName=sender.target_arn, Payload=event, **({"Qualifier": qualifier} if qualifier else {})
    )
    request_id, version = answer["ResponseMetadata"]["RequestId"], answer.get("ExecutedVersion")
    return Response("FunctionError" in answer, answer["Payload"].read(), request_id, version)


class Delivery:
    """How a batch gets to its function; which way it is invoked can be changed."""

    invoke: Invoke = staticmethod(invoke_by_client)


def deliver(poller: SqsPoller, messages: list[Message]) -> bool:
    """Hand over one batch and delete what is done; whether the function failed as a whole.

    Raises:
        NotStartedError: the function could not be started, and everything is back in the queue.
    """
    handed = prepare(poller, messages)
    if not handed:
        return False
    sender = poller.processor.sender
    batch = {message["MessageId"]: message for message, _ in handed}
    try:
        response = Delivery.invoke(
            sender, records.event(encoded for _, encoded in handed), records.trace_header(batch.values())
        )
    except (ServiceException, ClientError) as error:
        if _code(error) not in _NOT_STARTED:
            raise
        put_back(poller.source_arn, batch.values())
        raise NotStartedError(f"{sender.target_arn} cannot be invoked: {error}") from error
    failed = batch.keys() if response.is_error else set()
    if not response.is_error and sender.report_batch_item_failures:
        failed = failed_ids(response.payload, batch.keys())
    delete(poller, [message for message_id, message in batch.items() if message_id not in failed])
    return response.is_error


def _code(error: ServiceException | ClientError) -> str:
    return str(error.response["Error"]["Code"] if isinstance(error, ClientError) else error.code)


def prepare(poller: SqsPoller, messages: list[Message]) -> list[Handed]:
    """What the function is to be given; the rest is dealt with: deleted, left where it is, or put back."""
    handed: list[Handed] = []
    unmatched: list[Message] = []
    broken: list[Message] = []
    for message in messages:
        try:
            encoded = _encoded(poller, message)
        except Exception as error:  # noqa: BLE001  (one message fails, not its batch)
            # Whatever it is about this message, it is not the fault of the others.
            _LOG.warning(
                "message %s of %s cannot be handed over, and counts as failed: %s: %s",
                message.get("MessageId"), poller.source_arn, type(error).__name__, error,
            )  # fmt: skip
            broken.append(message)
        else:
            if encoded is None:
                unmatched.append(message)
            else:
                handed.append((message, encoded))
    if unmatched:
        delete(poller, unmatched)
    ready, held = _hold_back(handed, broken)
    put_back(poller.source_arn, (message for message, _ in held))
    return ready


def _encoded(poller: SqsPoller, message: Message) -> bytes | None:
    """The message's record in JSON; None where no filter matches it.

    Raises:
        Exception: it cannot be handed over.
    """
    made = records.record(message, queue_arn=poller.source_arn, region=poller.aws_region)
    if poller.filter_patterns and not _matches(poller, made):
        return None
    encoded = records.encode(made)
    if len(encoded) > records.MAX_RECORD_BYTES:
        raise ValueError(f"its record has {len(encoded)} bytes, more than an event can hold")
    return encoded


def _hold_back(handed: list[Handed], broken: Sequence[Message]) -> tuple[list[Handed], list[Handed]]:
    """What can go now, and what must wait: beyond 6 MB, or in a group behind a message that cannot be handed over."""
    stopped = {group for message in broken if (group := _group_of(message))}
    ready = [one for one in handed if _group_of(one[0]) not in stopped] if stopped else handed
    held = [one for one in handed if _group_of(one[0]) in stopped] if stopped else []
    count = records.fitting([encoded for _, encoded in ready])
    return ready[:count], ready[count:] + held


def _group_of(message: Message) -> str | None:
    """The message group of a FIFO queue; standard queues have groups too, in which order does not matter."""
    attributes = message.get("Attributes") or {}
    return attributes.get("MessageGroupId") if "SequenceNumber" in attributes else None


def _matches(poller: SqsPoller, made: dict[str, Any]) -> bool:
    return any(one.matches(made) for one in _filters(*_patterns(poller)))


def _has_known_filters(poller: SqsPoller) -> bool:
    """Without the patch mapping_rules a mapping may have a pattern that only LocalStack takes."""
    try:
        return not poller.filter_patterns or bool(_filters(*_patterns(poller)))
    except PatternError as error:
        _LOG.warning("LocalStack's own engine filters the messages of %s: %s", poller.source_arn, error)
        return False


def _patterns(poller: SqsPoller) -> tuple[str, ...]:
    return tuple(one["Pattern"] for one in poller.source_parameters["FilterCriteria"]["Filters"])


@functools.lru_cache(256)
def _filters(*patterns: str) -> tuple[Filter, ...]:
    return tuple(Filter(pattern) for pattern in patterns)


def patch() -> None:

    @replace(SqsPoller.handle_messages)
    def handle_messages(original, self, messages):  # type: ignore[no-untyped-def]
        return deliver(self, messages) if _has_known_filters(self) else original(self, messages)
