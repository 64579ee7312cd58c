"""Mappings refuse what Lambda refuses: settings of other sources, limits, patterns, a visibility too short.

LocalStack takes most of it and ignores it, so that the first to notice is AWS. The rules and their errors are in
``dlqlab.emulator.mappings.validation`` and ``stream_validation``. As on AWS the visibility timeout is looked at when a
mapping is created or updated, not when the function's timeout or the queue's is changed.
"""

from collections.abc import Mapping
from typing import Any

from localstack.aws.api import CommonServiceException, ServiceException
from localstack.aws.api.lambda_ import InvalidParameterValueException, ResourceConflictException
from localstack.services.lambda_.provider import LambdaProvider
from localstack.utils.patch import patch as replace

from dlqlab.emulator.mappings.mapped_queues import find_queue
from dlqlab.emulator.mappings.stream_sources import find
from dlqlab.emulator.mappings.stream_validation import stream_refusal
from dlqlab.emulator.mappings.validation import INVALID_PARAMETER, Refusal, refusal, short_visibility

_NO_SUCH_VERSION = frozenset({"unknown alias", "unknown version", "invalid functionname"})
"""What LocalStack raises as bare exceptions, which become internal errors."""


def is_queue(arn: str | None) -> bool:
    return (arn or "").split(":")[2:3] == ["sqs"]


def is_stream(arn: str | None) -> bool:
    return (arn or "").split(":")[2:3] in (["dynamodb"], ["kinesis"])


def _raise(found: Refusal | None) -> None:
    if found is None:
        return
    if found.code == INVALID_PARAMETER:
        raise InvalidParameterValueException(found.message, Type="User")
    raise CommonServiceException(found.code, found.message, 400, sender_fault=True)


def _refuse_second(mappings: Mapping[str, Any], request: Mapping[str, Any], function_arn: str) -> None:
    """An update must not make two mappings of one queue and one function; LocalStack looks only at creation."""
    for uuid, other in mappings.items():
        is_same = other.get("EventSourceArn") == request["EventSourceArn"] and other["FunctionArn"] == function_arn
        if is_same and request.get("UUID") not in {None, uuid}:
            raise ResourceConflictException(
                f'An event source mapping with SQS arn (" {request["EventSourceArn"]} ") and function '
                f'(" {function_arn} ") already exists. Please update or delete the existing mapping with UUID {uuid}',
                Type="User",
            )


def patch() -> None:

    @replace(LambdaProvider.validate_event_source_mapping)
    def validate_event_source_mapping(original, self, context, request):  # type: ignore[no-untyped-def]
        arn = request.get("EventSourceArn")
        if is_stream(arn):
            _raise(stream_refusal(request, is_there="UUID" in request or find(arn) is not None))
        if not is_queue(arn):
            return original(self, context, request)
        _raise(refusal(request, queue_arn=arn))
        try:
            found = original(self, context, request)
        except ServiceException:
            raise
        except Exception as error:
            if str(error) not in _NO_SUCH_VERSION:
                raise
            raise InvalidParameterValueException("Function does not exist", Type="User") from error
        function_arn, _, state, version, _ = found
        _refuse_second(state.event_source_mappings, request, function_arn)
        queue = find_queue(arn)
        if queue is not None:
            _raise(
                short_visibility(
                    visibility_timeout_s=queue.visibility_timeout, function_timeout_s=int(version.config.timeout)
                )
            )
        return found
