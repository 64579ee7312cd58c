"""Each entry of an SQS batch succeeds or fails by itself, with AWS's error code and with who is at fault.

LocalStack blames itself for every entry that the sender got wrong (``SenderFault`` is false) and names its own classes
as codes.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localstack.aws.api import RequestContext, ServiceException
from localstack.services.sqs import constants, provider
from localstack.services.sqs.provider import SqsProvider
from localstack.services.sqs.utils import is_fifo_queue, is_message_deduplication_id_required
from localstack.utils.patch import patch as replace

from dlqlab.emulator.sqs.errors import code_of

_LOG = logging.getLogger(__name__)
_SERVER_ERROR = 500

Entry = Mapping[str, Any]


def one_by_one(entries: Iterable[Entry], act: Callable[[Entry], dict[str, Any]]) -> dict[str, Any]:
    """What became of each entry; ``act`` returns what is to be told of one that succeeded."""
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **act(entry)})
        except ServiceException as error:
            is_sender = error.status_code < _SERVER_ERROR
            failed.append(_failure(entry, code_of(error), error.message or str(error), is_sender=is_sender))
        except Exception as error:  # noqa: BLE001  (the other entries are not to suffer from it)
            _LOG.exception("entry %s of a batch failed", entry["Id"])
            failed.append(_failure(entry, "InternalError", str(error), is_sender=False))
    return {"Successful": successful or None, "Failed": failed or None}


def _failure(entry: Entry, code: str, text: str, *, is_sender: bool) -> dict[str, Any]:
    return {"Id": entry["Id"], "SenderFault": is_sender, "Code": code, "Message": text}


def patch() -> None:

    @replace(SqsProvider.send_message_batch)
    def send_message_batch(_original, self, context, queue_url, entries, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ARG001  (LocalStack's signature)
        queue = self._resolve_queue(context, queue_url=queue_url)
        self._assert_batch(
            entries,
            require_fifo_queue_params=is_fifo_queue(queue),
            require_message_deduplication_id=is_message_deduplication_id_required(queue),
        )
        self._assert_valid_batch_size(entries, constants.DEFAULT_MAXIMUM_MESSAGE_SIZE)
        with queue.mutex:
            return one_by_one(entries, lambda entry: _send(self, queue, context, entry))

    @replace(SqsProvider.delete_message_batch)
    def delete_message_batch(_original, self, context, queue_url, entries, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ARG001  (LocalStack's signature)
        queue = self._resolve_queue(context, queue_url=queue_url)
        self._assert_batch(entries, max_messages_override=provider.extract_message_count_from_headers(context))
        self._assert_valid_message_ids(entries)
        with queue.mutex:
            result = one_by_one(entries, lambda entry: queue.remove(entry["ReceiptHandle"]) or {})
        if self._cloudwatch_dispatcher:
            deleted = len(result["Successful"] or ())
            self._cloudwatch_dispatcher.dispatch_metric_message_deleted(queue, deleted=deleted)
        return result

    @replace(SqsProvider.change_message_visibility_batch)
    def change_message_visibility_batch(_original, self, context, queue_url, entries, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ARG001  (LocalStack's signature)
        queue = self._resolve_queue(context, queue_url=queue_url)
        self._assert_batch(entries)

        def hide(entry: Entry) -> dict[str, Any]:
            queue.update_visibility_timeout(entry["ReceiptHandle"], entry.get("VisibilityTimeout"))
            return {}

        with queue.mutex:
            return one_by_one(entries, hide)


def _send(sqs: Any, queue: Any, context: RequestContext, entry: Entry) -> dict[str, Any]:
    system_attributes = entry.get("MessageSystemAttributes")
    item = sqs._put_message(
        queue,
        context,
        message_body=entry.get("MessageBody"),
        delay_seconds=entry.get("DelaySeconds"),
        message_attributes=entry.get("MessageAttributes"),
        message_system_attributes=system_attributes,
        message_deduplication_id=entry.get("MessageDeduplicationId"),
        message_group_id=entry.get("MessageGroupId"),
    )
    return {
        "MessageId": item.message["MessageId"],
        "MD5OfMessageBody": item.message["MD5OfBody"],
        "MD5OfMessageAttributes": item.message.get("MD5OfMessageAttributes"),
        "MD5OfMessageSystemAttributes": provider.create_message_attribute_hash(system_attributes or None),
        "SequenceNumber": item.sequence_number,
    }
