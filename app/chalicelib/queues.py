"""Queues of SQS."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from taskrules.messages import attribute_text
from taskrules.queues import QueueError

if TYPE_CHECKING:  # the stubs are not part of the bundle
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

DELETE_BATCH_MAX = 10
"""Entries of one DeleteMessageBatch (SQS API reference)."""

_DEPTHS: list["QueueAttributeNameType"] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class SqsQueue:
    """A queue of SQS by its name.

    The URL is asked of the service once: the one that an emulator gives depends on where the caller runs.
    """

    def __init__(self, client: "SQSClient", name: str) -> None:
        self._client = client
        self._name = name
        self._known_url: str | None = None

    def send(
        self,
        body: str,
        attributes: Mapping[str, str] | None = None,
        *,
        delay_s: int = 0,
        trace_header: str | None = None,
    ) -> str:
        traced = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_header}} if trace_header else {}
        try:
            answer = self._client.send_message(
                QueueUrl=self._url(),
                MessageBody=body,
                DelaySeconds=delay_s,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": attribute_text(value)}
                    for name, value in (attributes or {}).items()
                },
                MessageSystemAttributes=traced,  # type: ignore[arg-type]  # the stubs want the literal's own type
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueError(f"{self._name} did not take the message: {error}") from error
        return answer["MessageId"]

    def hide(self, receipt_handle: str, seconds: int) -> None:
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url(), ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueError(f"{self._name} did not hide the message: {error}") from error

    def delete(self, receipt_handles: Sequence[str]) -> None:
        for start in range(0, len(receipt_handles), DELETE_BATCH_MAX):
            self._delete_batch(receipt_handles[start : start + DELETE_BATCH_MAX])

    def depth(self) -> int:
        """Messages on the queue in whatever state, as SQS approximates it.

        Raises:
            QueueError: SQS did not answer.
        """
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._url(), AttributeNames=_DEPTHS)
        except (ClientError, BotoCoreError) as error:
            raise QueueError(f"{self._name} does not say how full it is: {error}") from error
        return sum(int(value) for value in answer["Attributes"].values())

    def _delete_batch(self, receipt_handles: Sequence[str]) -> None:
        try:
            answer = self._client.delete_message_batch(
                QueueUrl=self._url(),
                Entries=[{"Id": str(place), "ReceiptHandle": handle} for place, handle in enumerate(receipt_handles)],
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueError(f"{self._name} did not delete {len(receipt_handles)} messages: {error}") from error
        if failed := answer.get("Failed"):  # an answer of 200 can carry failures of single entries
            raise QueueError(f"{self._name} did not delete {len(failed)} messages: {failed[0].get('Message')}")

    def _url(self) -> str:
        if self._known_url is None:
            self._known_url = self._client.get_queue_url(QueueName=self._name)["QueueUrl"]
        return self._known_url
