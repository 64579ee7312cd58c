"""Only the receipt handle of a message's latest delivery deletes it or changes its visibility timeout.

As AWS documents it (DeleteMessage, API reference): with an older handle the request succeeds and the message stays, in
a FIFO queue it is refused as expired. LocalStack deletes by any handle, which hides a visibility timeout that is too
short. A changed visibility timeout needs a message that this delivery still has in flight: ChangeMessageVisibility
documents MessageNotInflight for one that is visible again. The handle that is the latest deletes a message also after
its visibility timeout, as long as nobody else has received it.
"""

from localstack.aws.api.sqs import MessageNotInflight
from localstack.services.sqs.exceptions import InvalidParameterValueException
from localstack.services.sqs.models import FifoQueue, SqsMessage, SqsQueue
from localstack.utils.patch import patch as replace


def is_outdated(message: SqsMessage, receipt_handle: str) -> bool:
    """Whether the message has been received again since."""
    return bool(getattr(message, "latest_receipt_handle", receipt_handle) != receipt_handle)


def _invalid(receipt_handle: str, reason: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: {reason}"
    )


def patch() -> None:

    @replace(SqsQueue.create_receipt_handle)
    def create_receipt_handle(original, self, message):  # type: ignore[no-untyped-def]
        message.latest_receipt_handle = original(self, message)
        return message.latest_receipt_handle

    @replace(SqsQueue.remove)
    def remove(original, self, receipt_handle):  # type: ignore[no-untyped-def]
        with self.mutex:
            message = self.receipts.get(receipt_handle)
            if message is None or not is_outdated(message, receipt_handle):
                original(self, receipt_handle)
            elif isinstance(self, FifoQueue):
                raise _invalid(receipt_handle, "The receipt handle has expired.")

    @replace(SqsQueue.update_visibility_timeout)
    def update_visibility_timeout(original, self, receipt_handle, visibility_timeout):  # type: ignore[no-untyped-def]
        with self.mutex:
            message = self.receipts.get(receipt_handle)
            if message is not None and is_outdated(message, receipt_handle):
                reason = "Message does not exist or is not available for visibility timeout change."
                raise _invalid(receipt_handle, reason)
            if message is not None and message not in self.inflight:
                raise MessageNotInflight("The specified message isn't in flight.")
            original(self, receipt_handle, visibility_timeout)
