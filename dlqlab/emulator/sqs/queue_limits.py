"""SQS refuses what AWS refuses: delays, visibility timeouts, attributes, redrive policies, a second purge at once.

LocalStack takes a delay of 901 s, a visibility timeout of 13 hours, 11 message attributes, a dead-letter queue of the
other type or one whose RedriveAllowPolicy denies it. The rules are in ``dlqlab.emulator.sqs``. PurgeQueue is taken once
in 60 s; LocalStack's own ``SQS_DELAY_PURGE_RETRY=0`` in the environment of the emulator lifts that.
"""

import time
from collections.abc import Mapping

from localstack import config
from localstack.aws.api.sqs import MessageSystemAttributeName, QueueAttributeName
from localstack.services.sqs import models
from localstack.services.sqs import provider as service
from localstack.services.sqs.exceptions import MissingRequiredParameterException
from localstack.services.sqs.models import SqsQueue, sqs_stores
from localstack.services.sqs.provider import SqsProvider
from localstack.utils.aws.arns import parse_arn
from localstack.utils.patch import patch as replace

from dlqlab.emulator import settings
from dlqlab.emulator.sqs import messages, queue_attributes
from dlqlab.emulator.sqs.errors import enforce
from dlqlab.emulator.sqs.queue_attributes import Place

_QUEUE_ATTRIBUTES = frozenset(str(name) for name in QueueAttributeName)
_RECEIVED_ATTRIBUTES = _QUEUE_ATTRIBUTES | {str(name) for name in MessageSystemAttributeName}


def find_place(arn: str) -> Place | None:
    """The queue of an ARN, as its policies are judged."""
    parts = parse_arn(arn)
    queue = sqs_stores[parts["account"]][parts["region"]].queues.get(parts["resource"])
    return None if queue is None else _place(queue)


def _place(queue: SqsQueue) -> Place:
    allow_policy = queue.attributes.get(QueueAttributeName.RedriveAllowPolicy) or ""
    return Place(arn=queue.arn, is_fifo=queue.name.endswith(".fifo"), allow_policy=allow_policy)


def _check_queue(attributes: Mapping[str, str] | None, own: Place, had: Mapping[str, str] | None = None) -> None:
    """Args:
    had: the attributes that the queue has already.
    """
    if attributes:
        enforce(queue_attributes.check_values, attributes)
        if own.is_fifo:
            enforce(queue_attributes.check_throughput, {**(had or {}), **attributes})
        enforce(queue_attributes.check_policies, attributes, own, find_place)


def patch() -> None:
    _limit_purges()
    _limit_messages()
    _limit_receives()
    _limit_visibility()
    _return_chosen_attributes()
    _limit_queues()


def _limit_purges() -> None:
    config.SQS_DELAY_PURGE_RETRY = config.is_env_not_false("SQS_DELAY_PURGE_RETRY")

    @replace(SqsProvider.purge_queue)
    def purge_queue(original, self, context, queue_url, **kwargs):  # type: ignore[no-untyped-def]
        if settings.PURGE_AGAIN in context.request.headers:
            self._resolve_queue(context, queue_url=queue_url).purge_timestamp = None
        original(self, context, queue_url, **kwargs)


def _limit_messages() -> None:
    hash_of = service.create_message_attribute_hash
    service.check_attributes = lambda attributes: enforce(messages.check_attributes, attributes)
    service.check_fifo_id = lambda value, parameter: enforce(messages.check_fifo_id, value, parameter)
    service.create_message_attribute_hash = lambda attributes: hash_of(attributes) if attributes else None
    # Half a surrogate pair has a size too, so that it is refused as a character and is not an internal error.
    service._bytesize = lambda value: len(value.encode("utf8", "surrogatepass") if isinstance(value, str) else value)

    @replace(SqsProvider._put_message)
    def put_message(  # type: ignore[no-untyped-def]
        original,
        self,
        queue,
        context,
        message_body,
        delay_seconds=None,
        message_attributes=None,
        message_system_attributes=None,
        *ids,
        **named_ids,
    ):
        enforce(messages.check_delay, delay_seconds)
        if message_system_attributes:
            enforce(messages.check_system_attributes, message_system_attributes)
        attributes = message_attributes, message_system_attributes
        return original(self, queue, context, message_body, delay_seconds, *attributes, *ids, **named_ids)


def _limit_receives() -> None:

    @replace(SqsProvider.receive_message)
    def receive_message(original, self, context, queue_url, **options):  # type: ignore[no-untyped-def]
        enforce(messages.check_visibility, options.get("visibility_timeout"))
        if not config.SQS_DISABLE_MAX_NUMBER_OF_MESSAGE_LIMIT:
            enforce(messages.check_number_of_messages, options.get("max_number_of_messages"))
        for kind in ("attribute_names", "message_system_attribute_names"):
            enforce(queue_attributes.check_names, options.get(kind) or (), _RECEIVED_ATTRIBUTES)
        return original(self, context, queue_url, **options)


def _limit_visibility() -> None:

    @replace(SqsQueue.update_visibility_timeout)
    def update_visibility_timeout(original, self, receipt_handle, visibility_timeout):  # type: ignore[no-untyped-def]
        if visibility_timeout is None:
            raise MissingRequiredParameterException("The request must contain the parameter VisibilityTimeout.")
        enforce(messages.check_visibility, visibility_timeout)
        message = self.receipts.get(receipt_handle)
        if message is not None and message.last_received is not None:
            since, now = message.last_received, time.time()
            enforce(messages.check_total_visibility, visibility_timeout, received_ts=since, now=now)
        original(self, receipt_handle, visibility_timeout)


def _return_chosen_attributes() -> None:

    def filter_message_attributes(message, names) -> None:  # type: ignore[no-untyped-def]
        attributes = message.get("MessageAttributes")
        if attributes:
            kept = messages.chosen(attributes, names)
            message["MessageAttributes"] = {name: attributes[name] for name in kept}
            if not kept:
                del message["MessageAttributes"]

    models.message_filter_message_attributes = filter_message_attributes


def _limit_queues() -> None:

    @replace(SqsProvider.create_queue)
    def create_queue(original, self, context, queue_name, attributes=None, tags=None, **kwargs):  # type: ignore[no-untyped-def]
        arn = f"arn:{context.partition}:sqs:{context.region}:{context.account_id}:{queue_name}"
        is_fifo = bool(attributes) and str(attributes.get(QueueAttributeName.FifoQueue)).lower() == "true"
        _check_queue(attributes, Place(arn=arn, is_fifo=is_fifo))
        return original(self, context, queue_name, attributes, tags, **kwargs)

    @replace(SqsProvider.set_queue_attributes)
    def set_queue_attributes(original, self, context, queue_url, attributes, **kwargs):  # type: ignore[no-untyped-def]
        queue = self._resolve_queue(context, queue_url=queue_url)
        _check_queue(attributes, _place(queue), queue.attributes)
        original(self, context, queue_url, attributes, **kwargs)
        if queue.attributes.get(QueueAttributeName.RedriveAllowPolicy) == "":
            del queue.attributes[QueueAttributeName.RedriveAllowPolicy]

    @replace(SqsQueue.get_queue_attributes)
    def get_queue_attributes(original, self, attribute_names=None):  # type: ignore[no-untyped-def]
        enforce(queue_attributes.check_names, attribute_names or (), _QUEUE_ATTRIBUTES)
        return original(self, attribute_names)
